# SPDX-License-Identifier: Apache-2.0
"""What clients and operators do all day, each thing as a function that a trial can cut off."""
import os
import shutil
import sqlite3
import subprocess

from model import checked, contents_of

SMALL = 40  # files
MOST_KEPT = 8  # snapshots


def cksum(content):
    """The sum of POSIX cksum, which protocol 3 has."""
    return int(subprocess.run(["cksum"], input=content, stdout=subprocess.PIPE, check=True).stdout.split()[0])


class Life:
    """One client's files and habits. Each act is (begin, finish): `begin` returns the process that is to
    be disturbed, `finish` is given how it ended and tells the model what the user was told."""

    def __init__(self, house, model, dice):
        self.house = house
        self.model = model
        self.dice = dice
        self.number = 0
        self.large = dice.randbytes(1_500_000)

    # --- files ---------------------------------------------------------------------------------------

    def change_tree(self):
        """A few files come, change and go; one is large and changes in the middle."""
        tree = self.house.tree
        self.number += 1
        for _ in range(self.dice.randint(1, 6)):
            path = os.path.join(tree, "folder-%d" % self.dice.randrange(4), "file-%d" % self.dice.randrange(SMALL // 4))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.exists(path) and self.dice.random() < 0.2:
                os.remove(path)
            else:
                self.write(path, self.dice.randbytes(self.dice.choice((0, 1, 300, 5000, 70_000))))
        if self.dice.random() < 0.4:
            at = self.dice.randrange(len(self.large) - 5000)
            self.large = self.large[:at] + self.dice.randbytes(4000) + self.large[at + 4000:]
            self.write(os.path.join(tree, "large"), self.large)
        if self.dice.random() < 0.3:
            self.write(os.path.join(tree, "fresh-%d" % self.dice.randrange(3)), self.dice.randbytes(400_000))

    @staticmethod
    def write(path, content):
        with open(path, "wb") as file:
            file.write(content)

    # --- acts ----------------------------------------------------------------------------------------

    def backup(self, more=None):
        contents = contents_of(self.house.tree)
        process = self.house.begin_client("backup", self.house.tree, more=more)

        def finish(ended):
            if ended.code == 0:
                self.model.acknowledge(self.house.snapshot_of(ended), contents)

        return process, finish

    def forget(self, more=None):
        snapshot = self.dice.choice(sorted(self.model.kept))
        self.model.ask_to_forget(snapshot)
        return self.house.begin_client("forget", snapshot, more=more), lambda ended: None

    def restore(self, more=None):
        snapshot = self.dice.choice(sorted(self.model.kept))
        target = os.path.join(self.house.folder, "restoring")
        if self.dice.random() < 0.5:
            shutil.rmtree(target, ignore_errors=True)
        arguments = ["restore", snapshot + ":" + self.house.tree, "--target", target, "--overwrite", "always"]
        process = self.house.begin_client(*arguments, *(["--resume"] if os.path.isdir(target) else []), more=more)

        def finish(ended):
            if ended.code == 0:
                there = contents_of(target)
                wanted = self.model.kept[snapshot]
                here = {path: there.get(path) for path in wanted}
                self.model.compare(snapshot, here, wanted)

        return process, finish

    def rotate(self, more=None):
        return self.house.begin_client("key", "rotate", more=more), lambda ended: None

    def send(self, more=None):
        """A client of protocol 3 uploads a file."""
        name = "old-%d" % self.dice.randrange(3)
        path = os.path.join(self.house.home, "v3-" + name)
        content = self.dice.randbytes(self.dice.choice((10, 3000, 200_000)))
        self.write(path, content)
        key = (name, os.path.basename(path))
        self.model.send_old(key, content)
        process = self.house.begin_client("send", path, "--server", self.house.v3_front or self.house.v3, "--name", name, more=more)

        def finish(ended):
            if ended.code == 0:
                self.model.confirm_old(key, content)

        return process, finish

    def job(self, name):
        def act(more=None):
            return self.house.begin_operator("job", "run", name, more=more), lambda ended: None

        return act

    def check(self, more=None):
        return self.house.begin_operator("check", "--read-data", more=more), lambda ended: None

    def rebuild(self, more=None):
        return self.house.begin_operator("rebuild-catalog", more=more), lambda ended: None

    def prepare_import(self, samples):
        """Another old server's data base and files, with a client that is not known yet."""
        source = os.path.join(self.house.folder, "old-server")
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(samples, source)
        name = "imported-%d" % self.number
        content = self.dice.randbytes(30_000)
        self.write(os.path.join(source, "received_files", name), content)
        client = self.dice.randbytes(16)
        with sqlite3.connect(os.path.join(source, "defensive.db")) as base:
            base.execute(
                "INSERT INTO clients (ID, Name, LastSeen) VALUES (?, ?, '2026-11-20T08:00:00')", (client, name)
            )
            base.execute(
                "INSERT INTO files (ID, FileName, PathName, Verified, FileSize, ModificationDate, CRC, ClientID)"
                " VALUES (?, ?, ?, 1, ?, '2026-11-20T08:00:00', ?, ?)",
                (self.dice.randbytes(16), name, "received_files/" + name, len(content), cksum(content), client),
            )
        base.close()
        return source, (name, name), content

    def take_over(self, source, key, content, more=None):
        arguments = ["legacy", "import", "--db", os.path.join(source, "defensive.db"), "--files", source]
        process = self.house.begin_operator(*arguments, more=more)

        def finish(ended):
            if ended.code == 0:
                self.model.confirm_old(key, content)

        return process, finish

    def run(self, act, more=None):
        """The whole of an act, undisturbed but for what `more` in the environment does to it."""
        process, finish = act(more)
        ended = checked(self.house.end_of(process))
        finish(ended)
        return ended
