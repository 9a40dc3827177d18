# SPDX-License-Identifier: Apache-2.0
"""A disk of its own in a file, from which the power can be taken: what was not synced is lost."""
import ctypes
import errno
import fcntl
import os
import subprocess
import time

SHUTDOWN = 0x8004587D  # XFS_IOC_GOINGDOWN, which ext4 knows as EXT4_IOC_SHUTDOWN
# What of the file system's own log still reaches the disk.
WITH_LOG, WITHOUT_LOG = 1, 2
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x00020000, 0x4000, 0x40000
UNMOUNTED_WITHIN = 10  # seconds
SIZES = {"ext4": "512M", "xfs": "512M"}


def own_mounts():
    """From now on nobody else sees what this process mounts, or keeps it alive."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        return os.strerror(ctypes.get_errno())
    return None


class Disk:
    def __init__(self, folder, kind):
        self.kind = kind
        self.image = os.path.join(folder, "image")
        self.path = os.path.join(folder, "disk")
        os.makedirs(self.path, exist_ok=True)
        self.run("truncate", "-s", SIZES[kind], self.image)
        self.run(*{"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}[kind], self.image)
        self.mount()

    @staticmethod
    def run(*command):
        subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def mount(self):
        self.run("mount", "-o", "loop", self.image, self.path)

    def cut_power(self, how):
        at = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(at, SHUTDOWN, how.to_bytes(4, "little"))
        finally:
            os.close(at)

    def unmount(self):
        """Who was killed may hold the disk for a moment longer. One that is not mounted stays so."""
        until = time.monotonic() + UNMOUNTED_WITHIN
        libc = ctypes.CDLL(None, use_errno=True)
        while libc.umount2(self.path.encode(), 0) != 0 and ctypes.get_errno() != errno.EINVAL:
            if ctypes.get_errno() != errno.EBUSY or time.monotonic() > until:
                raise RuntimeError("%s cannot be unmounted: %s" % (self.path, os.strerror(ctypes.get_errno())))
            time.sleep(0.01)

    def power_up(self):
        self.unmount()
        self.mount()


def why_not(folder):
    """What keeps this machine from it; nothing when it can be done."""
    if os.geteuid() != 0:
        return "taking the power from a disk needs root"
    problem = own_mounts()
    if problem:
        return "mounts of its own: " + problem
    try:
        disk = Disk(folder, "ext4")
        disk.cut_power(WITHOUT_LOG)
        disk.power_up()
        disk.unmount()
        os.remove(disk.image)
    except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
        return "a disk in a file cannot be mounted and shut down here: %s" % error
    return None
