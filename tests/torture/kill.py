# SPDX-License-Identifier: Apache-2.0
"""kill -9 of daemons, clients and operators' commands: at every named step and at random moments."""
import os
import signal
import time

from house import House
from model import checked
from trial import WITHOUT_DAEMON, Trial

# What passes a step: the act that leads there, and whether it is the daemon that passes it. Acts without a
# daemon work on its files.
WAYS = {
    "pack": ("backup", True), "commit": ("backup", True), "chain": ("backup", True), "keys": ("rotate", True),
    "collect": ("collect", True), "compact": ("compact", True), "trash": ("retention", True),
    "catalog": ("older_catalog", False), "rebuild": ("rebuild", False), "v3": ("send", True),
    "import": ("take_over", False), "enrol": ("enrol", False), "backup": ("backup", False),
    "receipt": ("backup", False), "restore": ("restore", False), "rotate": ("rotate", False),
}
AT_RANDOM = ("backup", "backup", "backup", "forget", "restore", "send", "collect", "compact", "retention", "verify",
             "rotate", "rebuild", "take_over", "check")
LONGEST_LIFE = {"rotate": 1.0, "rebuild": 0.6, "take_over": 0.8}  # seconds until a random kill


class KillTrial(Trial):
    def __init__(self, build, folder, store, dice, tally, tests):
        super().__init__(House(build, folder, store), dice, tally, tests)
        self.steps = self.ask_for_steps()
        self.deaths = 0  # of daemons whose client went on with the next

    def ask_for_steps(self):
        steps = os.path.join(self.house.build, "tests", "trial_steps")
        ended = self.house.end_of(self.house.begin([steps], self.house.environment()))
        return self.house.must(ended).out.split()

    # --- rounds --------------------------------------------------------------------------------------

    def run(self, until, most_rounds):
        order = []
        while time.monotonic() < until and self.round_number < most_rounds:
            self.round_number += 1
            self.tally.count("rounds of kill -9")
            if not order:
                order = list(self.steps)
                self.dice.shuffle(order)
            # Every second round at a step, so that each comes up in twice as many rounds as there are steps.
            if self.round_number % 2 == 0:
                self.round_at(order.pop())
            else:
                self.round_at_random()
            self.recover()

    def round_at(self, step):
        act_name, is_daemon = WAYS[step.split(".")[0]]
        order = {"CYBERBACKUP_DIE_AT": "%s:%d" % (step, self.dice.choice((1, 1, 1, 2, 3)))}
        self.prepare(act_name)
        act = self.act_of(act_name)
        if is_daemon:
            died = self.round_of_daemon(act, order)
        else:
            if act_name in WITHOUT_DAEMON:
                self.house.stop()
            died = self.finish(act(order)).is_killed
        if died:
            self.tally.count("kills at named steps")
            self.tally.see("steps", step)

    def round_of_daemon(self, act, order):
        self.house.stop()
        if not self.house.start(order):
            return True
        before = self.deaths
        self.finish(act(), self.house.daemon)
        # Whatever it did not pass yet, it may not die of later.
        return self.deaths > before or self.house.died() or self.house.stop(may_die=True)

    def round_at_random(self):
        act_name = self.dice.choice(AT_RANDOM)
        self.prepare(act_name)
        act = self.act_of(act_name)
        if act_name in WITHOUT_DAEMON:
            self.house.stop()
        begun = act()
        time.sleep(self.dice.random() ** 2 * LONGEST_LIFE.get(act_name, 0.4))
        if act_name in WITHOUT_DAEMON or self.dice.random() < 0.4:
            if begun[0].poll() is None:
                begun[0].send_signal(signal.SIGKILL)
        elif self.house.daemon is not None:
            self.house.kill()
        self.tally.count("kills at random moments")
        self.finish(begun)

    def finish(self, begun, daemon=None):
        """Waits until the act has ended; a client without its daemon ends by itself."""
        process, finish = begun
        if daemon is not None:
            self.restart_when_dead(process, daemon)
        elif self.house.daemon is None and process.poll() is None and not self.is_operators(process):
            self.house.start()
        ended = checked(self.house.end_of(process))
        finish(ended)
        return ended

    def restart_when_dead(self, process, daemon):
        """The client of a daemon that died is to find the next one and go on."""
        while process.poll() is None and daemon.poll() is None:
            time.sleep(0.003)
        if daemon.poll() is not None and process.poll() is None and not self.is_operators(process):
            self.died_and_back()

    def died_and_back(self):
        if self.house.died():
            self.deaths += 1
            self.tally.count("daemons that came back under a client")
            self.house.start()
