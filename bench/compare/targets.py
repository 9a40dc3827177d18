# SPDX-License-Identifier: Apache-2.0
"""What the figures shall be, and whether they are."""
from dataclasses import dataclass

from rows import Figure

OURS = "cyberbackup"
# Those that encrypt and work over a network; the faster one, for each data set and step, is the peer.
NETWORKED = ("restic-tls", "borg-ssh")
FIRST, SAME, CHANGED, RESTORE = "backup1", "backup2-same", "backup3-changed", "restore"
RESTORE_CHANGED, QUICK, ALL_DATA = "restore-changed", "check-quick", "check-data"

FIRST_TIMES = {
    "big-random": 2.5,
    "big-text": 3.0,
    "many-small": 4.0,
    "source-tree": 4.0,
    "vm-image": 2.5,
    "dup": 3.0,
}
RESTORE_TIMES = {"big-random": 2.0, "vm-image": 2.0}
FLOOR_TIMES = {"dup": 3.0}
# What bup stores for a byte of dup (24.1 MB of 314.6 MB): used where bup is not installed.
BUP_SHARE_OF_DUP = 24.1 / 314.6
MIB = 1 << 20


@dataclass
class Verdict:
    """One target on one data set. `ratio` is what the target speaks of; None when it was not measured."""

    what: str
    set: str
    unit: str
    ours: Figure
    peer: str
    theirs: Figure
    ratio: float
    target: float
    at_least: bool

    @property
    def met(self):
        if self.ratio is None:
            return None
        # The target as it is printed: what rounds to it is met.
        ratio = round(self.ratio, 3)
        return ratio >= self.target if self.at_least else ratio <= self.target


def wall(row):
    return row.wall_s


def cpu(row):
    return row.cpu_s


class Judge:
    """Goes through the targets. `floors` holds the floor of each set in seconds."""

    def __init__(self, results, floors):
        self.results, self.floors = results, floors
        self.verdicts = []

    def all(self):
        for name in self.results.sets():
            self._first_backup(name)
            self._second_backup(name)
            self._restore(name)
            self._space(name)
            self._checks(name)
        self._memory()
        order = list(dict.fromkeys(verdict.what for verdict in self.verdicts))
        self.verdicts.sort(key=lambda verdict: order.index(verdict.what))
        return self.verdicts

    def _add(self, what, name, unit, ours, peer, theirs, ratio, target, at_least):
        if ours is not None:
            self.verdicts.append(Verdict(what, name, unit, ours, peer, theirs, ratio, target, at_least))

    def _times_as_fast(self, what, name, op, target):
        peer = self.results.fastest(NETWORKED, name, op)
        ours = self.results.figure(OURS, name, op, wall)
        theirs = self.results.figure(peer, name, op, wall) if peer else None
        ratio = theirs.middle / ours.middle if ours and theirs else None
        self._add(what, name, "s", ours, peer or "none", theirs, ratio, target, True)

    def _at_most(self, what, name, unit, ours, limit):
        self._add(what, name, unit, ours, "", None, ours.middle if ours else None, limit, False)

    def _share(self, what, name, unit, ours, peer, theirs, target):
        ratio = ours.middle / theirs.middle if ours and theirs and theirs.middle else None
        self._add(what, name, unit, ours, peer, theirs, ratio, target, False)

    def _first_backup(self, name):
        results = self.results
        self._times_as_fast("first backup: times as fast", name, FIRST, FIRST_TIMES[name])
        peer = results.fastest(NETWORKED, name, FIRST)
        ours = results.figure(OURS, name, FIRST, cpu)
        theirs = results.figure(peer, name, FIRST, cpu) if peer else None
        self._share("first backup: share of the peer's CPU", name, "CPU s", ours, peer or "none", theirs, 0.5)
        if name in self.floors:
            floor = self.floors[name]
            ours = results.figure(OURS, name, FIRST, wall)
            floor = Figure(floor, floor, floor)
            limit = FLOOR_TIMES.get(name, 1.6)
            self._share("first backup: times the floor", name, "s", ours, "floor", floor, limit)

    def _second_backup(self, name):
        self._times_as_fast("unchanged backup: times as fast", name, SAME, 8.0)
        rows = self.results.of(OURS, name, SAME)
        if rows:
            limit = round(rows[0].files * 5e-6 + 0.1, 4)
            ours = self.results.figure(OURS, name, SAME, wall)
            self._at_most("unchanged backup: 5 us a file + 0.1 s", name, "s", ours, limit)

    def _restore(self, name):
        results = self.results
        self._times_as_fast("restore: times as fast", name, RESTORE, RESTORE_TIMES.get(name, 2.5))
        if name == "many-small":
            rate = results.figure(OURS, name, RESTORE, lambda row: row.files / row.wall_s)
            ratio = rate.middle if rate else None
            self._add("restore: files a second", name, "/s", rate, "", None, ratio, 18000, True)
        if name == "vm-image":
            before = results.figure(OURS, name, RESTORE, wall)
            after = results.figure(OURS, name, RESTORE_CHANGED, wall)
            what = "restore after the 1 % change: times as long as before"
            self._share(what, name, "s", after, "before", before, 1.3)

    def _smallest(self, figures):
        known = {tool: figure for tool, figure in figures.items() if figure is not None}
        peer = min(known, key=lambda tool: known[tool].middle, default=None)
        return (peer or "none"), known.get(peer)

    def _space(self, name):
        results = self.results
        ours = self._stored(OURS, name)
        peer, theirs = self._smallest({tool: self._stored(tool, name) for tool in NETWORKED})
        self._share("stored by the first backup: share of the smallest peer", name, "MB", ours, peer, theirs, 1.005)
        if name == "dup":
            bup = self._stored("bup", name)
            rows = results.of(OURS, name, FIRST)
            if bup is None and rows:
                told = rows[0].data_bytes * BUP_SHARE_OF_DUP / 1e6
                bup = Figure(told, told, told)
            self._share("stored by the first backup: share of bup", name, "MB", ours, "bup", bup, 1.5)
        if name in ("many-small", "source-tree"):
            added = {tool: self._added(tool, name) for tool in NETWORKED}
            peer, theirs = self._smallest(added)
            what = "stored by the change: share of the smallest peer"
            self._share(what, name, "MB", self._added(OURS, name), peer, theirs, 1.0)
        if name == "vm-image":
            changed = results.figure(OURS, name, CHANGED, lambda row: row.changed_bytes / 1e6)
            what = "stored by the 1 % change: times the changed bytes"
            self._share(what, name, "MB", self._added(OURS, name), "changed", changed, 2.5)

    def _stored(self, tool, name):
        return self.results.figure(tool, name, FIRST, lambda row: row.repo_bytes / 1e6)

    def _added(self, tool, name):
        added = self.results.added(tool, name, SAME, CHANGED)
        return Figure(added.middle / 1e6, added.low / 1e6, added.high / 1e6) if added else None

    def _checks(self, name):
        self._times_as_fast("check of all data: times as fast", name, ALL_DATA, 2.0)
        quick = self.results.figure(OURS, name, QUICK, wall)
        self._at_most("quick check", name, "s", quick, 0.2)

    def _memory(self):
        ours = [row for row in self.results.rows if row.tool == OURS]
        for what, limit, value in (
            ("peak memory of the client", 96, lambda row: row.client_rss_kib),
            ("peak memory of the daemon", 64, lambda row: row.server_rss_kib),
        ):
            for name in self.results.sets():
                mine = [row for row in ours if row.set == name]
                if mine:
                    # Every row counts, not the median.
                    worst = max(mine, key=value)
                    values = [value(row) / 1024 for row in mine]
                    figure = Figure(value(worst) / 1024, min(values), max(values))
                    self._at_most(what, "%s (%s)" % (name, worst.op), "MiB", figure, limit)
