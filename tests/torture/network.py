# SPDX-License-Identifier: Apache-2.0
"""Bad networks: a proxy that cuts, hangs, trickles, resets, forgets and delays, and a network of the
kernel's own whose link goes down and whose packets are dropped."""
import os
import shutil
import subprocess
import threading
import time

from house import House
from model import checked, contents_of
from proxy import Proxy
from trial import Trial

MODES = ("cut", "reset", "hang", "half open", "black hole", "trickle", "delay", "gone")
ACTS = ("backup", "restore", "backup", "send")
REPORTED_WITHIN = 2.0  # seconds, of a peer that is known to be gone
BACK_AFTER = 1.5  # seconds
LARGE = 1 << 30  # bytes, of the backup over the link that breaks
BREAKS_EVERY = 2.0  # seconds
SECONDS_FOR_LARGE = 120
SETTLED_AFTER = 2.5  # seconds: of a file that has just changed nothing is believed but what is read in one go


class Voice:
    """Reads what a program says on stderr, and when."""

    def __init__(self, process):
        self.lines = []
        self.thread = threading.Thread(target=self.listen, args=(process.stderr,), daemon=True)
        self.thread.start()

    def listen(self, stream):
        for line in stream:
            self.lines.append((time.monotonic(), line.rstrip()))

    def first_after(self, moment, words):
        return next((at for at, line in self.lines if at >= moment and words in line), None)

    def text(self):
        self.thread.join(timeout=5)
        return "\n".join(line for _, line in self.lines)


class NetworkTrial(Trial):
    def __init__(self, build, folder, store, dice, tally, tests):
        super().__init__(House(build, folder, store), dice, tally, tests)
        self.proxies = {}
        self.longest = 0.0  # seconds until a peer that is gone was reported

    def begin(self):
        self.proxies = {"send": Proxy(lambda: self.house.v3), "backup": Proxy(lambda: self.house.v4)}
        self.house.v3_front = self.proxies["send"].address
        self.house.front = self.proxies["backup"].address
        super().begin()

    def run(self, until, most_rounds):
        order = []
        if until - time.monotonic() > 2 * SECONDS_FOR_LARGE:
            self.back_up_much()
        while time.monotonic() < until and self.round_number < most_rounds:
            self.round_number += 1
            if not order:
                order = [(mode, act) for mode in MODES for act in ACTS]
                self.dice.shuffle(order)
            mode, act = order.pop()
            self.round_of(mode, act)
            self.report_of_one_gone()
            self.recover()

    # --- one disturbance -----------------------------------------------------------------------------

    def round_of(self, mode, act_name):
        self.prepare(act_name)
        proxy = self.proxies.get(act_name, self.proxies["backup"])
        proxy.strike_after(self.dice.randrange(1, 60_000), lambda: self.strike(proxy, mode))
        process, finish = self.act_of(act_name)()
        healer = threading.Timer(BACK_AFTER, self.heal, args=(proxy, mode))
        healer.start()
        ended = checked(self.house.end_of(process))
        healer.join()
        proxy.strike_at = None
        proxy.come_back()
        self.tally.count("disturbed connections")
        self.tally.see("network", mode)
        finish(ended)
        if ended.code != 0 and act_name != "send":
            text = "%s does not end well over a connection with %s: %s" % (act_name, mode, ended.text())
            self.tally.fail("other trouble", text)

    @staticmethod
    def strike(proxy, mode):
        """In the proxy's thread."""
        if mode in ("cut", "reset"):
            getattr(proxy, mode)()
        elif mode == "half open":
            proxy.half_open()
        elif mode == "gone":
            proxy.go()
        else:
            proxy.mode = mode

    @staticmethod
    def heal(proxy, mode):
        """What hangs is found out by nobody within a trial's time: then the connection breaks."""
        proxy.come_back()
        if mode in ("hang", "half open", "black hole"):
            proxy.from_outside(proxy.reset)

    # --- how fast an end is told ---------------------------------------------------------------------

    def report_of_one_gone(self):
        """A backup whose server goes away for good says so at once, and ends soon after it may stop trying."""
        house = self.house
        self.life.change_tree()
        line = [house.program("cyberbackup"), "--reach-timeout", "1s", "backup", house.tree]
        gone_at = []
        proxy = self.proxies["backup"]

        def strike():
            gone_at.append(time.monotonic())
            proxy.go()

        proxy.strike_after(self.dice.randrange(1, 30_000), strike)
        process = house.begin(line, house.environment())
        voice = Voice(process)
        code = process.wait(timeout=60)
        ended_at = time.monotonic()
        proxy.strike_at = None
        proxy.come_back()
        if not gone_at or code == 0:
            return
        took = ended_at - gone_at[0] - 1.0  # what it was told to go on trying for
        self.longest = max(self.longest, took)
        self.tally.count("reports of a server that is gone")
        if code != 13:
            self.tally.fail("other trouble", "a server that is gone is told as %d: %s" % (code, voice.text()))
        if took > REPORTED_WITHIN:
            self.tally.fail("other trouble", "a server that was gone was told after %.1f s: %s" % (took, voice.text()))

    # --- much over little ----------------------------------------------------------------------------

    def back_up_much(self):
        """A GiB over a link that breaks every two seconds."""
        house = self.house
        large = os.path.join(house.home, "much")
        os.makedirs(large)
        with open(os.path.join(large, "file"), "wb") as file:
            for _ in range(LARGE >> 20):
                file.write(self.dice.randbytes(1 << 20))
        contents = contents_of(large)
        time.sleep(SETTLED_AFTER)
        process = house.begin_client("backup", large)
        breaks = 0
        begun = time.monotonic()
        while process.poll() is None:
            time.sleep(BREAKS_EVERY)
            proxy = self.proxies["backup"]
            proxy.from_outside(proxy.reset)
            breaks += 1
        ended = checked(house.end_of(process))
        self.tally.count("breaks of the link under a GiB", breaks)
        print("network: a GiB in %.0f s over a link that broke %d times" % (time.monotonic() - begun, breaks), flush=True)
        if ended.code != 0:
            self.tally.fail("other trouble", "a GiB does not come through: " + ended.text())
            return
        target = os.path.join(house.folder, "much-restored")
        restored = house.client("restore", house.snapshot_of(ended) + ":" + large, "--target", target)
        house.must(restored)
        self.model.compare("a GiB", contents_of(target), contents)
        shutil.rmtree(target)
        shutil.rmtree(large)

    def end(self):
        super().end()
        for proxy in self.proxies.values():
            proxy.close()
        print("network: the slowest report of a server that was gone took %.2f s" % self.longest, flush=True)


# --- the kernel's own network --------------------------------------------------------------------------


class Link:
    """A network namespace with a cable to this one."""

    def __init__(self, name, number):
        self.name = name
        self.here, self.there = "10.213.%d.1" % number, "10.213.%d.2" % number
        self.ends = (name + "-a", name + "-b")
        run("ip", "netns", "add", name)
        run("ip", "link", "add", self.ends[0], "type", "veth", "peer", "name", self.ends[1], "netns", name)
        run("ip", "addr", "add", self.here + "/24", "dev", self.ends[0])
        run("ip", "link", "set", self.ends[0], "up")
        self.run("ip", "addr", "add", self.there + "/24", "dev", self.ends[1])
        self.run("ip", "link", "set", self.ends[1], "up")
        self.run("ip", "link", "set", "lo", "up")

    @property
    def inside(self):
        return ["ip", "netns", "exec", self.name]

    def run(self, *command):
        run(*self.inside, *command)

    def down(self):
        run("ip", "link", "set", self.ends[0], "down")

    def up(self):
        run("ip", "link", "set", self.ends[0], "up")

    def drop(self):
        self.run("iptables", "-A", "INPUT", "-p", "tcp", "-j", "DROP")

    def refuse(self):
        self.run("iptables", "-A", "INPUT", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")

    def lose(self):
        self.run("iptables", "-A", "INPUT", "-m", "statistic", "--mode", "random", "--probability", "0.1", "-j", "DROP")

    def clean(self):
        self.run("iptables", "-F", "INPUT")

    def remove(self):
        run("ip", "netns", "del", self.name)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class LinkTrial(Trial):
    """Backups through a real network stack while its link is down, drops, loses or refuses."""

    WAYS = (("down", "up"), ("drop", "clean"), ("refuse", "clean"), ("lose", "clean"))

    def __init__(self, build, folder, store, dice, tally, tests):
        house = House(build, folder, store)
        number = dice.randrange(1, 255)
        self.link = Link("cbt%d" % (os.getpid() % 100_000), number)
        house.address = self.link.there
        house.inside = self.link.inside
        super().__init__(house, dice, tally, tests)

    def run(self, until, most_rounds):
        while time.monotonic() < until and self.round_number < most_rounds:
            self.round_number += 1
            self.round_of(*self.WAYS[self.round_number % len(self.WAYS)])
            self.recover()

    def round_of(self, harm, cure):
        self.life.change_tree()
        process, finish = self.life.backup()
        time.sleep(self.dice.random() * 0.15)
        getattr(self.link, harm)()
        time.sleep(0.2 + self.dice.random())
        getattr(self.link, cure)()
        ended = checked(self.house.end_of(process))
        self.tally.count("disturbed links")
        self.tally.see("network", "link " + harm)
        finish(ended)
        if ended.code != 0:
            self.tally.fail("other trouble", "a backup does not end well over a link with %s: %s" % (harm, ended.text()))


def why_no_link():
    """What keeps this machine from a network of its own; nothing when it can be made."""
    if os.geteuid() != 0:
        return "a network of its own needs root"
    try:
        link = Link("cbp%d" % (os.getpid() % 100_000), 0)
        link.drop()
        link.clean()
        link.remove()
    except (OSError, subprocess.CalledProcessError) as error:
        return "a network of its own cannot be made here: %s" % error
    return None
