# SPDX-License-Identifier: Apache-2.0
"""One timed step: what it takes of the clock, the processors and the memory, at both ends."""
import os
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Command:
    """What to run, in which folder, with what on top of the tool's environment."""

    argv: list
    folder: str = "/"


@dataclass
class Step:
    wall_s: float
    client_cpu_s: float
    client_rss_kib: int
    server_cpu_s: float
    server_rss_kib: int
    other_cpu_s: float
    status: int
    log: str = field(repr=False, default="")


class NoServer:
    """The server of a tool that works without one."""

    def reset(self):
        pass

    def cpu_s(self):
        return 0.0

    def peak_kib(self):
        return 0

    def settle(self):
        pass


class Process(NoServer):
    """A server that is one process of ours."""

    def __init__(self, process):
        self.process = process
        # The clock of another process's processor time, see clock_getcpuclockid(3): to the nanosecond.
        self.clock = (~process.pid << 3) | 2

    def reset(self):
        with open("/proc/%d/clear_refs" % self.process.pid, "w", encoding="ascii") as file:
            file.write("5")

    def cpu_s(self):
        return time.clock_gettime(self.clock)

    def peak_kib(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


class Sshd(NoServer):
    """An sshd of ours and what it starts. Peaks are those of programs started through TIMED (see peers)."""

    def __init__(self, process, peaks):
        self.process, self.peaks = process, peaks

    def reset(self):
        if os.path.exists(self.peaks):
            os.unlink(self.peaks)

    def settle(self):
        """Waits until the sessions have ended: only then does their processor time count."""
        children = "/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            with open(children, encoding="ascii") as file:
                if not file.read().strip():
                    return
            time.sleep(0.01)

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(int(ticks) for ticks in fields[11:15]) / TICKS

    def peak_kib(self):
        if not os.path.exists(self.peaks):
            return 0
        with open(self.peaks, encoding="ascii") as file:
            return max((int(line) for line in file if line.strip().isdigit()), default=0)


def busy_s():
    """Processor seconds of the whole machine."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(part) for part in file.readline().split()[1:]]
    return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / TICKS


def children_cpu_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_in(*places):
    """Reads everything below the places, so that all tools find the same in the page cache."""
    there = [place for place in places if os.path.exists(place)]
    if there:
        find = subprocess.Popen(["find", "-L", *there, "-type", "f", "-print0"], stdout=subprocess.PIPE)
        subprocess.run(["xargs", "-0", "-r", "cat"], stdin=find.stdout, stdout=subprocess.DEVNULL, check=False)
        find.wait()


def run(command, environment, server, log):
    """Runs a command with its output in the file `log`. The data has to be read in before."""
    with tempfile.NamedTemporaryFile() as peak, open(log, "wb") as out:
        # time(1) starts it, since a child of Python would begin with Python's own peak.
        argv = ["/usr/bin/time", "-q", "-o", peak.name, "-f", "%M", *command.argv]
        os.sync()
        server.reset()
        busy, served, used = busy_s(), server.cpu_s(), children_cpu_s()
        began = time.monotonic()
        status = subprocess.call(argv, env=environment, cwd=command.folder, stdout=out, stderr=out)
        wall = time.monotonic() - began
        client = children_cpu_s() - used
        busy = busy_s() - busy
        server.settle()
        served = server.cpu_s() - served
        peak_kib = int((peak.read().split() or [b"0"])[-1])
    return Step(wall, client, peak_kib, served, server.peak_kib(), busy - client - served, status, log)


class Attic:
    """Where old files go until the end. ext4 without a journal steps over recently deleted inodes one by one
    when it makes files, for minutes: so nothing is deleted between steps, only emptied and put aside."""

    def __init__(self, folder):
        self.folder = folder

    def take(self, *places):
        for place in places:
            if not os.path.lexists(place):
                continue
            os.makedirs(self.folder, exist_ok=True)
            kept = os.path.join(tempfile.mkdtemp(dir=self.folder), "old")
            os.rename(place, kept)
            find = subprocess.Popen(["find", kept, "-type", "f", "-print0"], stdout=subprocess.PIPE)
            subprocess.run(
                ["xargs", "-0", "-r", "-n", "2000", "truncate", "-c", "-s", "0"], stdin=find.stdout, check=True
            )
            find.wait()

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def bytes_below(place):
    """As du -sb tells."""
    told = subprocess.run(["du", "-sb", place], stdout=subprocess.PIPE, text=True, check=False).stdout
    return int(told.split()[0]) if told else 0


def same(left, right, log):
    with open(log, "wb") as out:
        return subprocess.call(["diff", "-rq", "--no-dereference", left, right], stdout=out, stderr=out) == 0
