# SPDX-License-Identifier: Apache-2.0
"""What all trials have in common: acts, and what must hold after each disturbance of one."""
import os
import shutil
import sqlite3

from life import MOST_KEPT, Life
from model import Model, checked

LOOK_EVERY = 8  # rounds
READ_EVERY = 40
# Acts that work on the files of a server whose daemon does not run.
WITHOUT_DAEMON = ("older_catalog", "rebuild", "take_over")


class Trial:
    def __init__(self, house, dice, tally, tests):
        self.house = house
        self.tally = tally
        self.dice = dice
        self.tests = tests  # folder of this project's tests
        self.model = Model(house, tally)
        self.life = Life(house, self.model, dice)
        self.round_number = 0

    def begin(self):
        self.house.make()
        for _ in range(3):
            self.back_up()

    def act_of(self, name):
        if name in ("collect", "compact", "retention", "verify"):
            return self.life.job(name)
        if name == "take_over":
            source, key, content = self.life.prepare_import(os.path.join(self.tests, "data/legacy/samples/o2-clean"))
            return lambda more=None: self.life.take_over(source, key, content, more)
        if name == "older_catalog":
            return self.migrate
        if name == "enrol":
            return self.enrol_another
        return getattr(self.life, name)

    @staticmethod
    def is_operators(process):
        """Such a command works on the server's files when no daemon runs, and keeps one from starting."""
        return "--config" in process.args

    # --- before and after ----------------------------------------------------------------------------

    def prepare(self, act_name):
        if act_name in ("backup", "send", "take_over"):
            self.life.change_tree()
        while len(self.model.kept) > MOST_KEPT:
            self.life.run(self.life.forget)
        if act_name in ("collect", "compact", "retention"):
            # What is dead is old enough now, and the trash falls due.
            self.house.days += 8
            self.house.stop()
            self.house.start()
        if act_name == "compact":
            self.life.run(self.life.job("collect"))

    def back_up(self):
        self.life.change_tree()
        ended = self.life.run(self.life.backup)
        if ended.code != 0:
            self.tally.fail("other trouble", "the next backup fails: " + ended.text())

    def recover(self):
        """Everything starts by itself, goes on, and has what was acknowledged."""
        house = self.house
        if house.daemon is None or house.died():
            house.start()
        self.check_alone()
        self.back_up()
        if self.round_number % LOOK_EVERY == 0:
            self.look()
        if self.round_number % READ_EVERY == 0:
            self.read_all()

    def check_alone(self):
        """A second daemon on the same folder is kept out."""
        if self.round_number % LOOK_EVERY != 0:
            return
        self.tally.count("second daemons refused")
        ended = self.house.second_daemon()
        if ended.code != 11:
            self.tally.fail("other trouble", "a second daemon was not kept out as busy: " + ended.text())

    def look(self):
        self.model.check_listed()
        kept = list(self.model.kept)
        self.model.check_restores(kept[-1:] + self.dice.sample(kept, min(1, len(kept))))
        self.model.check_server(False)

    def read_all(self):
        self.model.check_restores(list(self.model.kept))
        self.model.check_old_files()
        self.model.check_server(True)
        self.model.check_client(True)
        self.house.stop()
        self.house.start()
        self.model.check_leftovers()

    def end(self):
        self.read_all()
        self.house.stop()

    # --- further acts --------------------------------------------------------------------------------

    def migrate(self, more=None):
        """A catalog of the first version beside the real one is brought forward."""
        base = os.path.join(self.house.disk, "older")
        shutil.rmtree(base, ignore_errors=True)
        shutil.copytree(self.house.server, base, ignore=shutil.ignore_patterns("store", "*.sqlite*"))
        os.makedirs(os.path.join(base, "store"), exist_ok=True)
        version = self.dice.randint(2, 8)  # what 1 kept is an interim format
        schema = os.path.join(self.tests, "data/catalog/version-%d.sql" % version)
        with open(schema, encoding="utf-8") as file:
            script = file.read()
        connection = sqlite3.connect(os.path.join(base, "catalog.sqlite"))
        connection.executescript(script)
        connection.close()
        os.sync()
        line = [self.house.program("cyberbackupd"), "account", "list"]
        line += ["--config", os.path.join(base, "cyberbackupd.toml")]
        process = self.house.begin(line, self.house.server_environment(more))

        def finish(ended):
            again = self.house.end_of(self.house.begin(line, self.house.server_environment()))
            if again.code != 0:
                self.tally.fail("other trouble", "a catalog of version %d stays behind: %s" % (version, again.text()))

        return process, finish

    def enrol_another(self, more=None):
        """A new account's first owner; cut off, the same command once more ends it."""
        house = self.house
        account = "account-%d" % self.round_number
        house.must(house.operator("account", "add", account))
        token = house.must(house.operator("token", "create", "--account", account)).out.split()[-1]
        line = ["--profile", account, "enroll", token]
        process = house.begin_client(*line, more=more)

        def finish(ended):
            if ended.code == 0:
                return
            again = house.client(*line)
            if again.code != 0:
                self.tally.fail("other trouble", "an enrolment that was cut off does not end: " + again.text())

        return process, finish
