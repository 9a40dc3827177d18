# SPDX-License-Identifier: Apache-2.0
"""What a server has acknowledged, and whether it still has it. The model is fed with nothing but what
the programs told their user."""
import hashlib
import os
import shutil

from house import Trouble


def contents_of(folder):
    """{path below the folder: SHA-256 of the content}; folders and links by what they are."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(at, name)
            below = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[below] = "link " + os.readlink(path)
            elif os.path.isdir(path):
                found[below] = "folder"
            else:
                with open(path, "rb") as file:
                    found[below] = hashlib.sha256(file.read()).hexdigest()
    return found


class Model:
    def __init__(self, house, tally):
        self.house = house
        self.tally = tally
        self.kept = {}  # snapshot -> contents; acknowledged, and nobody asked to forget it
        self.doubtful = set()  # a forget was asked for and not acknowledged
        self.old_files = {}  # (client of protocol 3, file) -> SHA-256 of each confirmed version, the newest last
        self.unsure = {}  # the same -> SHA-256 of what was sent after it and not confirmed

    # --- what was told -------------------------------------------------------------------------------

    def acknowledge(self, snapshot, contents):
        self.kept[snapshot] = contents
        self.tally.count("snapshots acknowledged")

    def ask_to_forget(self, snapshot):
        del self.kept[snapshot]
        self.doubtful.add(snapshot)

    def send_old(self, key, content):
        self.unsure.setdefault(key, set()).add(hashlib.sha256(content).hexdigest())

    def confirm_old(self, key, content):
        self.old_files[key] = hashlib.sha256(content).hexdigest()
        self.unsure.pop(key, None)
        self.tally.count("uploads of protocol 3 confirmed")

    # --- whether it holds ----------------------------------------------------------------------------

    def check_listed(self):
        try:
            listed = set(self.house.snapshots())
        except Trouble as trouble:
            self.tally.fail("snapshots lost", "the list cannot be read: %s" % trouble)
            return
        for snapshot in self.kept:
            if snapshot not in listed:
                self.tally.fail("snapshots lost", "snapshot %s is not listed any more" % snapshot)

    def check_restores(self, snapshots):
        failures = len(self.tally.failures)
        for snapshot in snapshots:
            self.check_restore(snapshot)
        if len(self.tally.failures) > failures:
            raise Trouble("the trial ends here")

    def check_restore(self, snapshot):
        house = self.house
        target = os.path.join(house.folder, "restored")
        shutil.rmtree(target, ignore_errors=True)
        ended = house.client("restore", snapshot + ":" + house.tree, "--target", target)
        if ended.code != 0:
            self.tally.fail("snapshots lost", "snapshot %s does not restore: %s" % (snapshot, ended.text()))
            return
        self.compare(snapshot, contents_of(target), self.kept[snapshot])
        shutil.rmtree(target, ignore_errors=True)
        self.tally.count("restores compared")

    def compare(self, what, there, wanted):
        for path in sorted(set(there) | set(wanted)):
            if there.get(path) != wanted.get(path):
                self.tally.fail("bytes wrong", "%s: %s is another thing than was backed up" % (what, path))
                return

    def check_old_files(self):
        """What clients of protocol 3 were told is there, in the newest version that was confirmed."""
        house = self.house
        for (client, name), wanted in self.old_files.items():
            target = os.path.join(house.folder, "exported")
            shutil.rmtree(target, ignore_errors=True)
            ended = house.operator("legacy", "export", "--client", client, "--to", target)
            if ended.code != 0:
                self.tally.fail("snapshots lost", "%s does not export: %s" % (client, ended.text()))
                continue
            found = {os.path.basename(path): sum_ for path, sum_ in contents_of(target).items()}
            right = {wanted} | self.unsure.get((client, name), set())
            if found.get(name) not in right:
                self.tally.fail("bytes wrong", "%s of %s is another than was confirmed" % (name, client))
            self.tally.count("exports compared")

    def check_server(self, reads_data):
        """The server finds no damage in what nothing has damaged."""
        ended = self.house.operator("check", *(["--read-data"] if reads_data else []))
        if ended.code != 0:
            self.tally.fail("snapshots lost", "the server's check finds: " + ended.text())

    def check_client(self, reads_data):
        ended = self.house.client("check", *(["--read-data"] if reads_data else []))
        if ended.code != 0:
            self.tally.fail("snapshots lost", "the client's check finds: " + ended.text())

    def check_leftovers(self):
        """With the daemon at rest, after what cleans: nothing lies about that nobody will ever remove."""
        house = self.house
        if house.store != "fs":
            return
        temporaries = os.path.join(house.server, "store", "tmp")
        left = os.listdir(temporaries) if os.path.isdir(temporaries) else []
        if left:
            self.tally.fail("leaks", "%d temporary files stay in the store: %s" % (len(left), left[0]))


def checked(ended):
    """A program may fail; it must not crash."""
    if ended.is_crash:
        raise Trouble("a program crashed: " + ended.text())
    return ended
