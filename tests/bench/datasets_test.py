#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The data sets are the same on every machine, and come back after a change."""
import hashlib
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench/compare"))
import datasets  # noqa: E402

SCALE = 0.002
# As made, after step 1, and after step 2. Figures of other days were measured on these very bytes.
KNOWN = {
    "big-random": ("77ce61a07720620f", "09190fc691cd4680"),
    "big-text": ("7b1bd6a2d5a79ada", "c94d261725a9fe69"),
    "many-small": ("a82f48a0756c321d", "f9780a58d16363eb"),
    "vm-image": ("831cfe25d2f231e1", "b7b7ff3d20d2d301", "2fe0304d71d7dbdc"),
    "dup": ("62344ff5ec318722", "a86431c23f691992"),
}


def digest(folder):
    """Of all names and contents."""
    whole = hashlib.sha256()
    for path in datasets.files_below(folder):
        whole.update(os.path.relpath(path, folder).encode() + b"\0")
        with open(path, "rb") as file:
            whole.update(file.read())
    return whole.hexdigest()[:16]


def stats(folder):
    found = {}
    for path in datasets.files_below(folder):
        stat = os.lstat(path)
        found[path] = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
    return found


class DataSets(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def place(self, name):
        return os.path.join(self.folder.name, name)

    def test_contents_are_the_known_ones_and_come_back(self):
        for name, digests in KNOWN.items():
            with self.subTest(name):
                datasets.make(name, self.folder.name, SCALE)
                self.assertEqual(digest(self.place(name)), digests[0])
                for step, known in enumerate(digests[1:], 1):
                    datasets.change(name, self.folder.name, step)
                    self.assertEqual(digest(self.place(name)), known)
                datasets.revert(name, self.folder.name)
                self.assertEqual(digest(self.place(name)), digests[0])
                self.assertEqual(datasets.made_at(name, self.folder.name), SCALE)

    def test_a_change_of_many_files_leaves_the_others_alone(self):
        datasets.make("many-small", self.folder.name, 0.01)
        before = stats(self.place("many-small"))
        datasets.change("many-small", self.folder.name)
        after = stats(self.place("many-small"))
        self.assertEqual(len(before), 1000)
        self.assertEqual(len(before.keys() - after.keys()), 5)
        self.assertEqual(len(after.keys() - before.keys()), 5)
        edited = [path for path in before.keys() & after.keys() if before[path] != after[path]]
        self.assertEqual(len(edited), 10)

    def test_the_source_tree_is_of_real_files_within_its_size(self):
        datasets.make("source-tree", self.folder.name, SCALE)
        files, folders, size = datasets.size("source-tree", self.folder.name)
        self.assertGreater(files, 20)
        self.assertGreater(folders, 1)
        self.assertLessEqual(size, int(SCALE * datasets.GIB))
        before = digest(self.place("source-tree"))
        datasets.change("source-tree", self.folder.name)
        self.assertNotEqual(digest(self.place("source-tree")), before)
        datasets.revert("source-tree", self.folder.name)
        self.assertEqual(digest(self.place("source-tree")), before)


if __name__ == "__main__":
    unittest.main()
