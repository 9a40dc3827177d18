# SPDX-License-Identifier: Apache-2.0
"""Figures of a trial, one a line. Those that must be nought are named here; everything else is work done."""

MUST_BE_NOUGHT = ("snapshots lost", "bytes wrong", "crashes", "leaks", "lies", "hangs", "other trouble")


class Tally:
    def __init__(self):
        self.counts = {}
        self.failures = []
        self.skipped = []  # what could not be done here, and why: not counted as passed
        self.seen = {}  # set of names by kind, as of steps

    def count(self, what, more=1):
        self.counts[what] = self.counts.get(what, 0) + more

    def see(self, kind, name):
        self.seen.setdefault(kind, set()).add(name)

    def fail(self, what, text):
        assert what in MUST_BE_NOUGHT, what
        self.count(what)
        self.failures.append("%s: %s" % (what, text))

    def skip(self, text):
        self.skipped.append(text)

    def add(self, other):
        for what, more in other.counts.items():
            self.count(what, more)
        self.failures += other.failures
        self.skipped += other.skipped
        for kind, names in other.seen.items():
            self.seen.setdefault(kind, set()).update(names)

    def lines(self):
        done = sorted(what for what in self.counts if what not in MUST_BE_NOUGHT)
        for what in done:
            yield "%s: %d" % (what, self.counts[what])
        for what in MUST_BE_NOUGHT:
            yield "%s: %d" % (what, self.counts.get(what, 0))
