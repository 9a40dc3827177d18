# SPDX-License-Identifier: Apache-2.0
"""Loss of power: the disk of the server, and in every second house that of the client with it, is shut down
in the middle of an act without writing what was not synced."""
import os
import time

from disk import WITH_LOG, WITHOUT_LOG, Disk
from house import House
from model import checked
from trial import WITHOUT_DAEMON, Trial

ACTS = ("backup", "backup", "send", "collect", "compact", "retention", "older_catalog", "take_over", "rotate",
        "rebuild", "forget", "restore")


class PowerTrial(Trial):
    def __init__(self, build, folder, store, dice, tally, tests, kind, cuts_client):
        self.disk = Disk(folder, kind)
        house = House(build, folder, store, self.disk.path)
        super().__init__(house, dice, tally, tests)
        self.cuts_client = cuts_client
        if cuts_client:
            house.home = os.path.join(self.disk.path, "home")
            os.makedirs(house.tree)
        self.lengths = {}  # how long each act takes undisturbed, seconds

    def begin(self):
        super().begin()
        os.sync()

    def run(self, until, most_rounds):
        order = []
        while time.monotonic() < until and self.round_number < most_rounds:
            self.round_number += 1
            if not order:
                order = list(ACTS)
                self.dice.shuffle(order)
            self.round_of(order.pop())
            self.recover()

    def round_of(self, act_name):
        self.prepare(act_name)
        act = self.act_of(act_name)
        if act_name in WITHOUT_DAEMON:
            self.house.stop()
        if self.cuts_client:
            os.sync()  # the files that are backed up are not what is tried here
        begun_at = time.monotonic()
        process, finish = act()
        time.sleep(self.dice.random() * self.lengths.get(act_name, 0.3))
        is_under_way = process.poll() is None
        self.disk.cut_power(WITHOUT_LOG if self.dice.random() < 0.6 else WITH_LOG)
        self.tally.count("power cuts")
        self.tally.count("power cuts on %s below %s" % (self.disk.kind, self.house.store))
        self.tally.count("power cuts during " + act_name if is_under_way else "power cuts after the act")
        if not is_under_way:
            self.lengths[act_name] = time.monotonic() - begun_at
        else:
            self.lengths[act_name] = self.lengths.get(act_name, 0.3) * 1.1
        self.bring_back(process, act_name)
        finish(checked(self.house.end_of(process)))

    def bring_back(self, process, act_name):
        """The server's programs end with their machine; so does the client, where it is the same one."""
        self.house.kill()
        if self.cuts_client or act_name in WITHOUT_DAEMON or self.dice.random() < 0.3:
            process.kill()
            process.wait()
        self.disk.power_up()
        if process.poll() is None and not self.is_operators(process):
            self.house.start()

    def end(self):
        super().end()
        self.disk.unmount()
