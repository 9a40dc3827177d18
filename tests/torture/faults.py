# SPDX-License-Identifier: Apache-2.0
"""Every call to the system fails once: a library that is preloaded into the real programs (fault_door.cpp)
lets the n-th call of a kind fail, in a client or in a daemon that goes on running."""
import errno
import mmap
import os
import struct
import time

from house import House, Trouble
from trial import Trial

# As in fault_door.cpp, in its order; with the errors that each may meet.
KINDS = {
    "open": (errno.EIO, errno.EACCES, errno.EMFILE, errno.ENOSPC),
    "read": (errno.EIO, errno.EINTR),
    "write": (errno.ENOSPC, errno.EIO, errno.EINTR, errno.EDQUOT),
    "sync": (errno.EIO, errno.ENOSPC),
    "rename": (errno.EIO, errno.ENOSPC),
    "unlink": (errno.EIO, errno.EACCES),
    "make folder": (errno.EIO, errno.ENOSPC),
    "stat": (errno.EIO, errno.ENOMEM),
    "size": (errno.EIO, errno.ENOSPC),
    "socket": (errno.EMFILE, errno.ENOBUFS, errno.ECONNREFUSED),
    "send": (errno.ECONNRESET, errno.EPIPE, errno.EINTR),
    "receive": (errno.ECONNRESET, errno.ETIMEDOUT, errno.EINTR),
    "map": (errno.ENOMEM,),
    "thread": (errno.EAGAIN,),
    "allocate": (errno.ENOMEM,),
}
LAYOUT = "<IIiIq%dQ" % len(KINDS)
ARMED, FIRED = 1, 2
ACTS = ("backup", "restore", "forget", "collect", "verify", "send", "check")
OF_MEMORY = ("map", "allocate")  # tens of thousands of calls
MOST_OF_A_KIND = 60  # calls of one kind and act that are all tried; of more, a sample
LOOK_EVERY = 40  # faults
MORE_FILES = 12  # that a daemon may have open than after its first backup: idle connections of its pools


class Door:
    """The control file of the preloaded library."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.write(bytes(struct.calcsize(LAYOUT)))
        self.file = open(path, "r+b")  # pylint: disable=consider-using-with # as long as this lives
        self.map = mmap.mmap(self.file.fileno(), struct.calcsize(LAYOUT))

    def environment(self, library):
        return {"LD_PRELOAD": library, "CB_FAULTS": self.path}

    def counts(self):
        return dict(zip(KINDS, struct.unpack_from(LAYOUT, self.map)[5:]))

    def arm(self, kind, error, call):
        """The call-th from now, counted from 1, fails."""
        struct.pack_into("<IiIq", self.map, 4, list(KINDS).index(kind), error, 0, call)
        struct.pack_into("<I", self.map, 0, ARMED)

    def disarm(self):
        """Whether the fault was met."""
        fired = struct.unpack_from("<I", self.map)[0] == FIRED
        struct.pack_into("<I", self.map, 0, 0)
        return fired


class FaultTrial(Trial):
    def __init__(self, build, folder, store, dice, tally, tests, is_every):
        super().__init__(House(build, folder, store), dice, tally, tests)
        self.is_every = is_every  # each call of files and sockets with each error, not one by chance
        library = os.path.join(os.path.abspath(build), "tests", "fault_door.so")
        self.doors = {who: Door(os.path.join(folder, "faults-of-" + who)) for who in ("daemon", "client")}
        self.more = {who: door.environment(library) for who, door in self.doors.items()}
        self.open_files = None  # of the daemon at rest

    def begin(self):
        super().begin()
        self.restart()
        self.back_up()
        self.open_files = self.count_open_files()

    def restart(self):
        self.house.kill()
        self.house.start(self.more["daemon"])

    def count_open_files(self):
        return len(os.listdir("/proc/%d/fd" % self.house.daemon.pid))

    # --- what can fail -------------------------------------------------------------------------------

    def cases(self):
        """Every call of every kind that each act makes, in the daemon and in the command itself."""
        found = []
        for act_name in ACTS:
            for who, counts in self.calls_of(act_name).items():
                for kind, count in counts.items():
                    self.tally.count("calls of a cycle", count)
                    found += [(act_name, who, kind, call, error) for call in self.calls_tried(kind, count)
                              for error in self.errors_tried(kind)]
        self.dice.shuffle(found)
        return found

    def calls_tried(self, kind, count):
        calls = range(1, count + 1)
        if count <= MOST_OF_A_KIND or (self.is_every and kind not in OF_MEMORY):
            return calls
        return self.dice.sample(calls, MOST_OF_A_KIND)

    def errors_tried(self, kind):
        return KINDS[kind] if self.is_every else (self.dice.choice(KINDS[kind]),)

    def calls_of(self, act_name):
        self.prepare(act_name)
        before = {who: door.counts() for who, door in self.doors.items()}
        self.life.run(self.act_of(act_name), self.more["client"])
        after = {who: door.counts() for who, door in self.doors.items()}
        return {who: {kind: after[who][kind] - before[who][kind] for kind in KINDS} for who in self.doors}

    def prepare(self, act_name):
        """As ever, but nobody waits for days: the daemon keeps running."""
        if act_name in ("backup", "send"):
            self.life.change_tree()
        while len(self.model.kept) > 6 or (act_name == "forget" and len(self.model.kept) > 3):
            self.life.run(self.life.forget)

    # --- rounds --------------------------------------------------------------------------------------

    def run(self, until, most_rounds):
        cases = self.cases()
        self.tally.count("faults that a cycle has", len(cases))
        for case in cases:
            if time.monotonic() > until or self.round_number >= most_rounds:
                return
            self.round_number += 1
            self.round_of(*case)
            if self.round_number % LOOK_EVERY == 0:
                self.look_closely()

    def round_of(self, act_name, who, kind, call, error):
        self.prepare(act_name)
        what = "%s: call %d of %s in the %s, %s" % (act_name, call, kind, who, errno.errorcode[error])
        act = self.act_of(act_name)
        self.doors[who].arm(kind, error, call)
        process, finish = act(self.more["client"])
        ended = self.ended(process, what)
        if self.doors[who].disarm():
            self.tally.count("faults injected")
            self.tally.see("kinds", kind)
        if ended is not None:
            self.judge(ended, what)
            finish(ended)
        self.go_on(what)

    def ended(self, process, what):
        try:
            return self.house.end_of(process)
        except Trouble as trouble:
            self.tally.fail("hangs", "%s: %s" % (what, trouble))
            return None

    def judge(self, ended, what):
        if ended.code < 0:
            self.tally.fail("crashes", "%s: the command ended by signal %d: %s" % (what, -ended.code, ended.text()))
        elif ended.code != 0 and not ended.errors.strip() and not ended.out.strip():
            self.tally.fail("lies", "%s: ended with %d and said nothing" % (what, ended.code))

    def go_on(self, what):
        """The daemon is there and serves the next, and has what it said that it has."""
        daemon = self.house.daemon
        if daemon.poll() is not None:
            code = daemon.returncode
            if code != 1:
                self.tally.fail("crashes", "%s: the daemon ended with %d: %s" % (what, code, self.house.log_tail()))
            self.tally.count("daemons that ended with an error")
            self.restart()
        self.life.change_tree()
        ended = self.life.run(self.life.backup)
        if ended.code != 0:
            self.tally.fail("other trouble", "%s: the next backup fails: %s" % (what, ended.text()))
            self.restart()
        self.model.check_restores(list(self.model.kept)[-2:])

    def look_closely(self):
        self.look()
        now = self.count_open_files()
        if now > self.open_files + MORE_FILES:
            self.tally.fail("leaks", "the daemon has %d open files, %d at its start" % (now, self.open_files))
            self.restart()

    def end(self):
        self.restart()
        super().end()
