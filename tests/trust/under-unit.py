# SPDX-License-Identifier: Apache-2.0
# Runs a program under the system calls that a unit of systemd leaves it, without systemd: an allow list, everything
# else EPERM, no new rights, and a limit of open files and locked memory as there.
#   under-unit.py UNIT PROGRAM ARGUMENT...
import ctypes
import errno
import os
import subprocess
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000 | errno.EPERM


def members(name):
    """The calls of a group, groups within it opened."""
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True)
    words = [line.strip() for line in said.stdout.splitlines()[1:]]
    return set().union(*(members(word) for word in words if word and not word.startswith("#")))


def calls_of(unit):
    allowed = set()
    with open(unit, encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.strip().partition("=")
            if key != "SystemCallFilter":
                continue
            taken = set().union(*(members(word) for word in value.lstrip("~").split()))
            allowed = allowed - taken if value.startswith("~") else allowed | taken
    return allowed


def main():
    # What systemd allows whatever the unit says.
    allowed = calls_of(sys.argv[1]) | members("@default")
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ERRNO)))
    for name in sorted(allowed):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            library.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), ctypes.c_int(number), ctypes.c_uint(0))
    if library.seccomp_load(context) != 0:
        sys.exit("under-unit: the system takes no filter")
    os.execv(sys.argv[2], sys.argv[2:])


main()
