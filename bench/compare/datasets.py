#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the data sets that backup programs are measured with, changes them, and puts them back.

usage: datasets.py make NAME FOLDER [--scale F]    make FOLDER/NAME anew
       datasets.py change NAME FOLDER [--step N]   change it in place (step 1; vm-image also 2)
       datasets.py revert NAME FOLDER              undo the changes
       datasets.py size NAME FOLDER                print "NAME files folders bytes"
       datasets.py list                            print the names

  name         at scale 1                               step 1
  big-random   one file of 2 GiB, random                1 % appended
  big-text     one file of 1 GiB, log lines             1 % appended
  many-small   100,000 files, log-normal around 4 KiB   1 % edited, 0.5 % deleted, 0.5 % new
  source-tree  at most 1 GiB of real files of /usr      1 % edited, 0.5 % deleted, 0.5 % new
  vm-image     one file of 2 GiB: zeros, text, random   1 % of the 4 KiB blocks overwritten
  dup          10 copies of 100 MiB, 20 edits in each   one more copy

Step 2 of vm-image is the first image with 100 bytes inserted at offset 1000. The scale multiplies
bytes, for many-small files. Content depends on name and scale alone, but for source-tree, which copies
what this system has. What is not changed keeps inode and times. What is needed to undo a change lies in
FOLDER/.undo-NAME.
"""
import argparse
import json
import math
import os
import random
import shutil
import sys

MIB = 1 << 20
GIB = 1 << 30
BLOCK = 4096


def seeded(*key):
    """A generator that depends on the key alone, on any machine."""
    return random.Random("bench:" + ":".join(str(part) for part in key))


class LogText:
    """Endless log lines: rising time, few hosts and services, random ids. zstd -3 takes them to a fifth."""

    SERVICES = ("nginx", "sshd", "kernel", "postfix/smtpd", "cron", "app-server", "postgres", "systemd")
    LEVELS = ("INFO",) * 12 + ("WARN", "WARN", "ERROR", "DEBUG")
    VERBS = ("GET", "GET", "GET", "POST", "PUT", "DELETE")
    STATUS = (200, 200, 200, 304, 404, 500, 200, 301)
    PATHS = (
        "/api/v1/users/%d",
        "/api/v1/orders/%d/items",
        "/static/js/app.%d.js",
        "/login?next=%d",
        "/search?q=item%d",
        "/images/%d.png",
        "/health",
        "/api/v2/sessions/%d",
    )
    MESSAGES = (
        "connection from %s port %d closed by peer after %d ms",
        "query finished for client %s rows=%d duration=%dus",
        "accepted publickey for deploy from %s port %d ssh2 uid=%d",
        "cache miss for key user:%s:%d, loading from store took %d us",
    )

    def __init__(self, *key):
        self.bits = seeded("text", *key).getrandbits
        self.time_ms = 1_700_000_000_000

    def _request(self, dice, address):
        path = self.PATHS[dice >> 29 & 7]
        if "%" in path:
            path %= dice >> 32 & 0xFFFF
        return '%s "%s %s HTTP/1.1" %d %d rid=%016x' % (
            address,
            self.VERBS[(dice >> 40) % 6],
            path,
            self.STATUS[dice >> 37 & 7],
            dice >> 32 & 0x3FFF,
            self.bits(64),
        )

    def _message(self, dice, address):
        return self.MESSAGES[dice >> 29 & 3] % (address, dice >> 32 & 0xFFFF, dice >> 40 & 0xFFFF)

    def _line(self):
        dice = self.bits(64)
        self.time_ms += dice & 63
        address = "10.%d.%d.%d" % (dice >> 6 & 3, dice >> 8 & 255, dice >> 16 & 255)
        tell = self._request if dice >> 27 & 3 else self._message
        return "%d host%02d %s[%d] %s %s\n" % (
            self.time_ms,
            dice >> 48 & 31,
            self.SERVICES[dice >> 24 & 7],
            1000 + (dice >> 53 & 255),
            self.LEVELS[dice >> 60 & 15],
            tell(dice, address),
        )

    def take(self, size):
        """The next `size` bytes; the rest of the last line is dropped."""
        lines, have = [], 0
        while have < size:
            lines.append(self._line())
            have += len(lines[-1])
        return "".join(lines).encode()[:size]


class Undo:
    """Remembers how to take changes back, in a folder beside the data set."""

    def __init__(self, folder, name):
        self.folder = os.path.join(folder, ".undo-" + name)
        self.log = os.path.join(self.folder, "log.json")
        self.steps = []
        if os.path.exists(self.log):
            with open(self.log, encoding="utf-8") as file:
                self.steps = json.load(file)

    def open(self):
        os.makedirs(self.folder, exist_ok=True)
        return self

    def keep(self, path):
        copy = os.path.join(self.folder, "original%d" % len(self.steps))
        shutil.copy2(path, copy)
        self.steps.append(["original", path, copy])

    def added(self, path):
        self.steps.append(["added", path])

    def grown(self, path):
        self.steps.append(["grown", path, os.path.getsize(path)])

    def overwritten(self, path, blocks):
        copy = os.path.join(self.folder, "blocks")
        with open(path, "rb") as image, open(copy, "wb") as kept:
            for block in blocks:
                image.seek(block * BLOCK)
                kept.write(image.read(BLOCK))
        self.steps.append(["overwritten", path, copy, blocks])

    def replaced(self, path, by):
        """Puts the file `by` in the place of the file `path`."""
        base = os.path.join(self.folder, "base")
        os.rename(path, base)
        os.rename(by, path)
        self.steps.append(["replaced", path, base])

    def save(self):
        with open(self.log, "w", encoding="utf-8") as file:
            json.dump(self.steps, file)

    def revert(self):
        for what, path, *rest in reversed(self.steps):
            if what == "original":
                shutil.copy2(rest[0], path)
            elif what == "added":
                os.unlink(path)
            elif what == "grown":
                os.truncate(path, rest[0])
            elif what == "replaced":
                os.rename(rest[0], path)
            else:
                with open(path, "r+b") as image, open(rest[0], "rb") as kept:
                    for block in rest[1]:
                        image.seek(block * BLOCK)
                        image.write(kept.read(BLOCK))
        self.steps = []
        shutil.rmtree(self.folder, ignore_errors=True)


def write_in_parts(path, size, take):
    with open(path, "wb") as file:
        while size > 0:
            size -= file.write(take(min(MIB, size)))


def append_hundredth(path, undo, part_of):
    undo.grown(path)
    parts = max(1, os.path.getsize(path) // 100 // MIB)
    with open(path, "ab") as file:
        for number in range(parts):
            file.write(part_of(number))


class BigRandom:
    name = "big-random"
    file = "random.bin"

    def make(self, folder, scale):
        write_in_parts(os.path.join(folder, self.file), int(2 * GIB * scale), seeded(self.name).randbytes)

    def change(self, folder, step, undo):
        append_hundredth(os.path.join(folder, self.file), undo, lambda number: seeded("append").randbytes(MIB))


class BigText:
    name = "big-text"
    file = "app.log"

    def make(self, folder, scale):
        write_in_parts(os.path.join(folder, self.file), int(GIB * scale), LogText("big").take)

    def change(self, folder, step, undo):
        append_hundredth(
            os.path.join(folder, self.file), undo, lambda number: LogText("append", number).take(MIB)
        )


class SmallContent:
    """Contents and sizes of small files: every second one is text, the others random."""

    def __init__(self, dice, text):
        self.dice, self.text = dice, text

    def body(self, size, number):
        return self.text.take(size) if number & 1 else self.dice.randbytes(size)

    def size(self):
        return max(1, min(4 * MIB, int(self.dice.lognormvariate(math.log(4096), 1.2))))

    def file(self, number):
        return self.body(self.size(), number)


def files_below(folder):
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield os.path.join(at, name)


class Tree:
    """A data set of many files; how it changes."""

    name = ""

    def change(self, folder, step, undo):
        dice = seeded(self.name, "mutate")
        content = SmallContent(dice, LogText(self.name, "mutate"))
        files = list(files_below(folder))
        chosen = dice.sample(range(len(files)), len(files) * 2 // 100)
        quarter = len(chosen) // 4
        for place, number in enumerate(chosen):
            path = files[number]
            if place < 2 * quarter:
                undo.keep(path)
                self._edit(path, dice, content, number)
            elif place < 3 * quarter:
                undo.keep(path)
                os.unlink(path)
            else:
                undo.added(path + ".new")
                with open(path + ".new", "wb") as file:
                    file.write(content.file(number))

    @staticmethod
    def _edit(path, dice, content, number):
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            file.seek(dice.randrange(size + 1))
            file.write(content.body(200, number))


class ManySmall(Tree):
    name = "many-small"

    def make(self, folder, scale):
        content = SmallContent(seeded(self.name), LogText(self.name))
        folders = max(1, int(2000 * scale))
        for number in range(int(100_000 * scale)):
            index = number % folders
            where = "%s/d%02d/s%04d" % (folder, index % 40, index)
            if number < folders:
                os.makedirs(where)
            with open("%s/f%06d" % (where, number), "wb") as file:
                file.write(content.file(number))


class SourceTree(Tree):
    name = "source-tree"
    ROOTS = (
        "/usr/include",
        "/usr/share/doc",
        "/usr/share/perl",
        "/usr/share/man",
        "/usr/lib/python3",
        "/usr/lib/python3.11",
        "/usr/share",
        "/usr/lib/gcc",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib",
        "/usr/bin",
    )

    def make(self, folder, scale):
        room, seen = int(GIB * scale), set()
        for path in (path for root in self.ROOTS for path in files_below(root)):
            if path in seen or os.path.islink(path) or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if size > 8 * MIB or size > room:
                continue
            seen.add(path)
            os.makedirs(os.path.dirname(folder + path), exist_ok=True)
            shutil.copyfile(path, folder + path)
            room -= size
            if room < 4096:
                return


class VmImage:
    """Extents of 64 KiB to 4 MiB: 30 % zeros, 30 % text, 40 % random."""

    name = "vm-image"
    file = "disk.img"

    def make(self, folder, scale):
        dice, text, left = seeded(self.name), LogText("vm"), int(2 * GIB * scale)
        with open(os.path.join(folder, self.file), "wb") as image:
            while left > 0:
                size = min(left, 65536 << dice.randrange(7))
                kind = dice.random()
                if kind < 0.3:
                    image.write(bytes(size))
                else:
                    image.write(text.take(size) if kind < 0.6 else dice.randbytes(size))
                left -= size

    def change(self, folder, step, undo):
        path = os.path.join(folder, self.file)
        if step == 1:
            self._overwrite(path, undo)
        else:
            undo.revert()
            self._insert(path, undo.open())

    @staticmethod
    def _overwrite(path, undo):
        dice, blocks = seeded("vm-mutate"), os.path.getsize(path) // BLOCK
        chosen = sorted(dice.sample(range(blocks), blocks // 100))
        undo.overwritten(path, chosen)
        with open(path, "r+b") as image:
            for block in chosen:
                image.seek(block * BLOCK)
                image.write(dice.randbytes(BLOCK))

    @staticmethod
    def _insert(path, undo):
        with open(path, "rb") as image, open(path + ".next", "wb") as longer:
            longer.write(image.read(1000) + seeded("vm-insert").randbytes(100))
            shutil.copyfileobj(image, longer, MIB)
        undo.replaced(path, path + ".next")


class Dup:
    name = "dup"

    @staticmethod
    def _first(scale):
        dice, text = seeded("dup"), LogText("dup")
        parts = max(1, int(100 * scale))
        return b"".join(dice.randbytes(MIB) if part & 1 else text.take(MIB) for part in range(parts))

    @staticmethod
    def _copy(first, number):
        """Twenty edits of 100 bytes; the odd ones overwrite, the even ones insert."""
        dice, copy = seeded("dup", number), bytearray(first)
        for edit in range(20):
            at = dice.randrange(len(copy))
            copy[at : at + (100 if edit & 1 else 0)] = dice.randbytes(100)
        return copy

    def make(self, folder, scale):
        first = self._first(scale)
        for number in range(10):
            with open("%s/copy%02d.bin" % (folder, number), "wb") as file:
                file.write(self._copy(first, number) if number else first)

    def change(self, folder, step, undo):
        path = os.path.join(folder, "copy10.bin")
        undo.added(path)
        with open(os.path.join(folder, "copy00.bin"), "rb") as file:
            first = file.read()
        with open(path, "wb") as file:
            file.write(self._copy(first, 10))


SETS = {made.name: made for made in (BigRandom(), BigText(), ManySmall(), SourceTree(), VmImage(), Dup())}


def _stamp(name, folder):
    return os.path.join(folder, "." + name + ".json")


def made_at(name, folder):
    """The scale at which FOLDER/NAME was made; None when it was not."""
    try:
        with open(_stamp(name, folder), encoding="utf-8") as file:
            return json.load(file)["scale"]
    except FileNotFoundError:
        return None


def make(name, folder, scale):
    place = os.path.join(folder, name)
    for old in (place, os.path.join(folder, ".undo-" + name)):
        shutil.rmtree(old, ignore_errors=True)
    os.makedirs(place)
    SETS[name].make(place, scale)
    with open(_stamp(name, folder), "w", encoding="utf-8") as file:
        json.dump({"scale": scale}, file)


def change(name, folder, step=1):
    undo = Undo(folder, name).open()
    SETS[name].change(os.path.join(folder, name), step, undo)
    undo.save()


def revert(name, folder):
    Undo(folder, name).revert()


def size(name, folder):
    """Files, folders and bytes of FOLDER/NAME."""
    files = folders = total = 0
    for at, _, names in os.walk(os.path.join(folder, name)):
        folders += 1
        files += len(names)
        total += sum(os.lstat(os.path.join(at, each)).st_size for each in names)
    return files, folders, total


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=("make", "change", "revert", "size", "list"))
    parser.add_argument("name", nargs="?")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--step", type=int, default=1, choices=(1, 2))
    given = parser.parse_args()
    if given.what == "list":
        print("\n".join(SETS))
        return
    if given.folder is None or given.name not in (*SETS, "all"):
        sys.exit(__doc__)
    folder = os.path.abspath(given.folder)
    for name in SETS if given.name == "all" else (given.name,):
        if given.what == "make":
            make(name, folder, given.scale)
        elif given.what == "change":
            change(name, folder, given.step)
        elif given.what == "revert":
            revert(name, folder)
        if given.what in ("make", "size"):
            print(name, *size(name, folder))


if __name__ == "__main__":
    main()
