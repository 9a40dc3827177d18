# SPDX-License-Identifier: Apache-2.0
"""Runs the programs in turn over the data sets and writes rows, ratios and plot. scripts/bench calls it."""
import argparse
import atexit
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import datasets
import floor
import measure
import report
import stages
from peers import PEERS, Place
from product import CyberBackup
from rows import Row, header, line, read
from targets import ALL_DATA, CHANGED, FIRST, QUICK, RESTORE, RESTORE_CHANGED, SAME

SCALES = {name: 0.3 if name in ("source-tree", "dup") else 0.25 for name in datasets.SETS}
TOOLS = (CyberBackup, *PEERS)
# Programs that look at time stamps trust none that is as young as their last look: in a second backup nothing
# shall be that young.
AGE_S = 3


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures CyberBackup beside its peers.")
    parser.add_argument("--quick", action="store_true", help="smaller data sets, once, without rsync and tar")
    parser.add_argument("--sets", nargs="+", choices=list(datasets.SETS), default=list(datasets.SETS))
    parser.add_argument("--tools", nargs="+", choices=[tool.name for tool in TOOLS])
    parser.add_argument("--reps", type=int, help="repetitions; the medians count (5; with --quick 1)")
    parser.add_argument("--scale", type=float, help="size of the data sets, 1 is full (0.25 and 0.3; with --quick 0.1)")
    parser.add_argument("--work", help="where to work; data sets made there before are used again")
    parser.add_argument("--out", default="bench/results", help="where the results go (bench/results)")
    parser.add_argument("--no-stages", action="store_true", help="without what the product's own stages cost")
    parser.add_argument("--document", action="store_true", help="put the tables into docs/performance.md, too")
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.reps = given.reps or (1 if given.quick else 5)
    if given.scale is None and given.quick:
        given.scale = 0.1
    quick = ("cyberbackup", "restic-tls", "borg-ssh", "bup")
    given.tools = given.tools or [tool.name for tool in TOOLS if not given.quick or tool.name in quick]
    return given


def say(text):
    print(text, flush=True)


def tail(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return "".join("  " + text for text in file.readlines()[-20:])


class Run:
    """One tool on one data set, from an empty repository to the last check."""

    def __init__(self, tool, place, attic, write):
        self.tool, self.place, self.attic, self.write = tool, place, attic, write
        self.rep, self.name, self.changed = 0, "", 0

    def let_age(self):
        undone = os.path.getmtime(os.path.join(self.place.data, "undone"))
        time.sleep(max(0.0, undone + AGE_S - time.time()))

    def undo(self):
        datasets.revert(self.name, self.place.data)
        with open(os.path.join(self.place.data, "undone"), "wb"):
            pass

    def empty(self):
        place = self.place
        self.attic.take(place.repository, place.cache, place.restored)
        for folder in (place.repository, place.cache, place.restored):
            os.makedirs(folder)

    def step(self, op, command, restored=None):
        if command is None:
            return
        backup = op.startswith("backup")
        where = self.tool.source() if backup else self.place.repository
        measure.read_in(where, self.place.cache, *self.tool.program_files())
        told = measure.run(command, self.tool.environment, self.tool.server, self.tool.log(op))
        ok = "yes" if told.status == 0 else "no(%d)" % told.status
        log = told.log
        if restored and ok == "yes":
            log = self.tool.log("diff")
            ok = "yes" if measure.same(self.tool.source(), restored, log) else "differs"
        if ok != "yes":
            say("%s %s %s: %s\n%s" % (self.tool.name, self.name, op, ok, tail(log)))
        files, _, size = datasets.size(self.name, self.place.data)
        self.write(
            Row(
                self.rep,
                self.tool.name,
                self.name,
                op,
                told.wall_s,
                told.client_cpu_s,
                told.client_rss_kib,
                told.server_cpu_s,
                told.server_rss_kib,
                measure.bytes_below(self.tool.store()),
                self.tool.catalog_bytes(),
                size,
                files,
                self.changed if op == CHANGED else 0,
                told.other_cpu_s,
                ok,
            )
        )

    def restore(self, op=RESTORE):
        self.attic.take(self.place.restored)
        os.makedirs(self.place.restored)
        command, restored = self.tool.restore()
        self.step(op, command, restored)
        self.attic.take(self.place.restored)

    def change(self, step):
        datasets.change(self.name, self.place.data, step)
        # Of vm-image: the blocks that were overwritten.
        image = os.path.join(self.tool.source(), "disk.img")
        if os.path.exists(image):
            self.changed = os.path.getsize(image) // datasets.BLOCK // 100 * datasets.BLOCK

    def history(self):
        self.step(SAME, self.tool.backup(2))
        image = self.name == "vm-image"
        if image:
            self.restore()
        self.change(1)
        self.step(CHANGED, self.tool.backup(3))
        self.restore(RESTORE_CHANGED if image else RESTORE)
        if image:
            self.change(2)
            self.step("backup4-shifted", self.tool.backup(4))

    def all(self, rep, name):
        self.rep, self.name = rep, name
        self.empty()
        try:
            self.tool.begin(name)
            self.let_age()
            self.step(FIRST, self.tool.backup(1))
            if not self.tool.keeps_history:
                self.restore()
            elif getattr(self.tool, "sets", None) is None:
                self.history()
                self.step(QUICK, self.tool.check_quick())
                self.step(ALL_DATA, self.tool.check_data())
        finally:
            self.tool.finish()
            self.undo()
            self.empty()


def make_sets(given, place):
    """Makes those that are not there at their scale, and leaves a note of when the last was changed."""
    for name in given.sets:
        scale = given.scale or SCALES[name]
        datasets.revert(name, place.data)
        if datasets.made_at(name, place.data) != scale:
            say("making %s at scale %g" % (name, scale))
            datasets.make(name, place.data, scale)
    with open(os.path.join(place.data, "undone"), "wb"):
        pass


def installed(given):
    """The tools that were asked for and are there."""
    CyberBackup.build = os.path.abspath(given.build)
    chosen = []
    for tool in TOOLS:
        if tool.name in given.tools:
            missing = tool.missing()
            if missing is None:
                chosen.append(tool)
            else:
                say("%s is left out: there is no %s" % (tool.name, missing))
    return chosen


def first_line(argv):
    told = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    return told.splitlines()[0] if told else "unknown"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((text.split(":")[1].strip() for text in file if text.startswith("model name")), "unknown")
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) / (1 << 20)
    return "%d x %s, %.0f GiB, Linux %s" % (os.cpu_count(), model, memory, platform.release())


VERSIONS = {
    "restic": ["restic", "version"],
    "borg": ["borg", "--version"],
    "rclone": ["rclone", "version"],
    "rsync": ["rsync", "--version"],
    "zstd": ["zstd", "--version"],
    "openssl": ["openssl", "version"],
    "ssh": ["ssh", "-V"],
    "bup": ["bup", "--version"],
}


def version(program):
    """As the program tells it, which is not always with its name."""
    told = first_line(VERSIONS[program]).partition("(Library")[0].strip()
    return told if program in told.lower() else "%s %s" % (program, told)


def notes(given):
    needed = dict.fromkeys(program for tool in given.installed for program in tool.programs)
    told = [version(program) for program in needed if program in VERSIONS]
    commit = first_line(["git", "-C", given.build, "describe", "--always", "--dirty"])
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "scale": "%g" % given.scale if given.scale else ", ".join("%s %g" % (s, SCALES[s]) for s in given.sets),
        "repetitions": str(given.reps),
        "commit": commit,
        "versions": "; ".join(told),
    }


def run_all(given, place, attic, rows, floors):
    tools = [tool(place) for tool in given.installed]
    for tool in tools:
        atexit.register(tool.close)
    floor_program = floor.built(given.build, "bench_floor")
    if floor_program is None:
        say("the floor is left out: there is no bench_floor")

    def write(row):
        rows.write(line(row) + "\n")
        rows.flush()
        say("%d %-17s %-12s %-16s %7.2f s  cpu %5.2f+%5.2f  %4d+%-4d MiB  %8.1f MB  %s" % (
            row.rep, row.tool, row.set, row.op, row.wall_s, row.client_cpu_s, row.server_cpu_s,
            row.client_rss_kib >> 10, row.server_rss_kib >> 10, row.repo_bytes / 1e6, row.ok))  # fmt: skip

    for rep in range(1, given.reps + 1):
        for name in given.sets:
            for tool in tools:
                if name in getattr(tool, "sets", given.sets):
                    Run(tool, place, attic, write).all(rep, name)
            if floor_program is not None:
                measure.read_in(os.path.join(place.data, name))
                floor.measure(floor_program, place, name, floors)


def main():
    given = arguments()
    work = os.path.abspath(given.work or tempfile.mkdtemp(prefix="cyberbackup-bench-", dir=os.environ.get("TMPDIR")))
    place = Place(work)
    attic = measure.Attic(os.path.join(work, "attic"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    atexit.register(attic.clear)
    if not given.work:
        atexit.register(shutil.rmtree, work, True)
    make_sets(given, place)
    given.installed = installed(given)
    os.makedirs(given.out, exist_ok=True)
    with open(os.path.join(given.out, "latest.tsv"), "w", encoding="utf-8") as rows:
        for note in notes(given).items():
            rows.write("# %s: %s\n" % note)
        rows.write(header() + "\n")
        with open(os.path.join(given.out, "floor.tsv"), "w", encoding="utf-8") as floors:
            run_all(given, place, attic, rows, floors)
    if not given.no_stages and not stages.measure(given.build, os.path.join(given.out, "stages.tsv")):
        say("the costs of the product's stages are left out: there is no bench_micro")
    say(report.write(given.out))
    if given.document:
        report.update("docs/performance.md", given.out)
    done = read(os.path.join(given.out, "latest.tsv"))[0]
    if any(row.ok != "yes" for row in done):
        sys.exit("bench: steps failed, see above")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
