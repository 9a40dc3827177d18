# SPDX-License-Identifier: Apache-2.0
"""The other programs: how each is set up, told to back up, to restore and to check."""
import os
import pwd
import shutil
import socket
import subprocess
import time

from measure import Command, NoServer, Process, Sshd

PASSPHRASE = "benchmark-passphrase"


class Place:
    """The folders of a run: `repository`, `cache` and `restored` are empty for each tool and data set."""

    def __init__(self, work):
        self.work = work
        self.data = os.path.join(work, "data")
        self.keys = os.path.join(work, "keys")
        self.logs = os.path.join(work, "logs")
        self.repository = os.path.join(work, "repository")
        self.cache = os.path.join(work, "cache")
        self.restored = os.path.join(work, "restored")
        self.passphrase = os.path.join(self.keys, "passphrase")
        for folder in (self.data, self.keys, self.logs):
            os.makedirs(folder, exist_ok=True)
        with open(self.passphrase, "w", encoding="ascii") as file:
            file.write(PASSPHRASE + "\n")
        os.chmod(self.passphrase, 0o600)

    def key(self, name):
        return os.path.join(self.keys, name)

    def environment(self, **more):
        mine = dict(os.environ, HOME=self.cache, LC_ALL="C", XDG_CACHE_HOME=self.cache)
        mine.update(more)
        return mine


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("nobody listens on port %d, see the logs" % port)


def quietly(argv, log, **more):
    """Runs something that is not measured and has to work."""
    with open(log, "ab") as out:
        subprocess.run(argv, stdout=out, stderr=out, check=True, **more)


def end(process):
    if process is not None and process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Tool:
    """What is common to all: a tool is set up for one data set, used, and taken down again."""

    name = ""
    programs = ()
    encrypted = networked = False
    keeps_history = True

    def __init__(self, place):
        self.place = place
        self.environment = place.environment()
        self.server = NoServer()
        self.set = ""

    @classmethod
    def missing(cls):
        """The first program that is not installed; None if all are."""
        return next((each for each in cls.programs if shutil.which(each) is None), None)

    def source(self):
        return os.path.join(self.place.data, self.set)

    def program_files(self):
        return [os.path.realpath(shutil.which(each)) for each in self.programs]

    def store(self):
        return self.place.repository

    def catalog_bytes(self):
        return 0

    def log(self, what):
        return os.path.join(self.place.logs, "%s.%s.%s.log" % (self.name, self.set, what))

    def begin(self, name):
        self.set = name
        self.set_up()

    def set_up(self):
        pass

    def finish(self):
        pass

    def close(self):
        """After the last data set."""

    def backup(self, number):
        raise NotImplementedError

    def restore(self):
        """The command, and where the data set will be then."""
        raise NotImplementedError

    def check_quick(self):
        return None

    def check_data(self):
        return None


def make_certificate(place):
    if not os.path.exists(place.key("tls.crt")):
        quietly(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            + ["-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
            + ["-keyout", place.key("tls.key"), "-out", place.key("tls.crt")],
            os.path.join(place.logs, "keys.log"),
        )


class Restic(Tool):
    """Through a REST server with TLS: that of rclone."""

    name = "restic-tls"
    programs = ("restic", "rclone", "openssl")
    encrypted = networked = True

    def set_up(self):
        make_certificate(self.place)
        port = free_port()
        self.rest = subprocess.Popen(
            ["rclone", "serve", "restic", "--addr", "127.0.0.1:%d" % port]
            + ["--cert", self.place.key("tls.crt"), "--key", self.place.key("tls.key"), self.place.repository],
            stdout=subprocess.DEVNULL,
            stderr=open(self.log("server"), "wb"),
            env=self.environment,
        )
        self.server = Process(self.rest)
        self.call = ["restic", "--cacert", self.place.key("tls.crt"), "-r", "rest:https://127.0.0.1:%d/r" % port]
        self.environment = self.place.environment(
            RESTIC_PASSWORD_FILE=self.place.passphrase, RESTIC_CACHE_DIR=os.path.join(self.place.cache, "restic")
        )
        wait_for_port(port)
        quietly([*self.call, "init", "-q"], self.log("init"), env=self.environment)

    def finish(self):
        end(self.rest)

    def backup(self, number):
        return Command([*self.call, "backup", "-q", self.source()])

    def restore(self):
        command = Command([*self.call, "restore", "-q", "latest", "--target", self.place.restored])
        return command, self.place.restored + self.source()

    def check_quick(self):
        return Command([*self.call, "check", "-q"])

    def check_data(self):
        return Command([*self.call, "check", "--read-data", "-q"])


class OverSsh(Tool):
    """A tool whose other end runs below an sshd of our own."""

    networked = True

    def __init__(self, place):
        super().__init__(place)
        self.port = free_port()
        self.config = place.key("ssh-%s.config" % self.name)
        self.peaks = os.path.join(place.work, "peaks-%s" % self.name)
        self.timed = place.key("timed-%s" % self.name)
        self.sshd = None

    @classmethod
    def missing(cls):
        return super().missing() or (None if os.path.exists("/usr/sbin/sshd") else "sshd")

    def start(self):
        if self.sshd is not None:
            return
        self._make_keys()
        options = "Port=%d ListenAddress=127.0.0.1 HostKey=%s AuthorizedKeysFile=%s PidFile=none StrictModes=no"
        options += " UsePAM=no PermitRootLogin=prohibit-password"
        values = (self.port, self.place.key("host"), self.place.key("id.pub"))
        argv = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null"]
        for option in (options % values).split():
            argv += ["-o", option]
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self.sshd = subprocess.Popen(argv, stderr=open(os.path.join(self.place.logs, self.name + ".sshd"), "wb"))
        self.server = Sshd(self.sshd, self.peaks)
        wait_for_port(self.port)
        self.server.settle()

    def _make_keys(self):
        for name in ("host", "id"):
            if not os.path.exists(self.place.key(name)):
                quietly(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.place.key(name)],
                    os.path.join(self.place.logs, "keys.log"),
                )
        with open(self.config, "w", encoding="ascii") as file:
            file.write("Host *\n  Port %d\n  IdentityFile %s\n" % (self.port, self.place.key("id")))
            file.write("  IdentitiesOnly yes\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n")
            file.write("  LogLevel ERROR\n")
        with open(self.timed, "w", encoding="ascii") as file:
            real = shutil.which(self.programs[0])
            file.write('#!/bin/sh\nexec /usr/bin/time -q -a -o %s -f %%M %s "$@"\n' % (self.peaks, real))
        os.chmod(self.timed, 0o755)

    def host(self):
        return "%s@127.0.0.1" % pwd.getpwuid(os.getuid()).pw_name

    def ssh(self):
        return "ssh -F %s" % self.config

    def close(self):
        end(self.sshd)


class Borg(OverSsh):
    name = "borg-ssh"
    programs = ("borg", "ssh", "ssh-keygen")
    encrypted = True

    def set_up(self):
        self.start()
        self.repository = "ssh://%s:%d%s/r" % (self.host(), self.port, self.place.repository)
        self.environment = self.place.environment(
            BORG_BASE_DIR=os.path.join(self.place.cache, "borg"),
            BORG_PASSPHRASE=PASSPHRASE,
            BORG_RSH=self.ssh(),
            BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes",
            BORG_RELOCATED_REPO_ACCESS_IS_OK="yes",
        )
        self.last = 0
        init = self._borg("init", "-e", "repokey-blake2", self.repository)
        quietly(init.argv, self.log("init"), env=self.environment)

    def _borg(self, what, *arguments, folder="/"):
        return Command(["borg", what, "--remote-path", self.timed, *arguments], folder)

    def backup(self, number):
        self.last = number
        archive = "%s::a%d" % (self.repository, number)
        return self._borg("create", "-C", "lz4", archive, self.set, folder=self.place.data)

    def restore(self):
        archive = "%s::a%d" % (self.repository, self.last)
        command = self._borg("extract", archive, folder=self.place.restored)
        return command, os.path.join(self.place.restored, self.set)

    def check_quick(self):
        return self._borg("check", self.repository)

    def check_data(self):
        return self._borg("check", "--verify-data", self.repository)


class Rsync(OverSsh):
    """A mirror: no encryption where it lies, no history."""

    name = "rsync-ssh"
    programs = ("rsync", "ssh", "ssh-keygen")

    def set_up(self):
        self.start()
        self.mirror = "%s:%s/m/" % (self.host(), self.place.repository)
        self.call = ["rsync", "-a", "-e", self.ssh(), "--rsync-path=" + self.timed]

    def backup(self, number):
        return Command([*self.call, "--delete", self.source() + "/", self.mirror])

    def restore(self):
        return Command([*self.call, self.mirror, self.place.restored + "/"]), self.place.restored

    def check_data(self):
        return Command([*self.call, "-nc", "--delete", self.source() + "/", self.mirror])


class TarPipe(Tool):
    """tar | zstd -1 | openssl enc: a full copy each time, not authenticated; what a plain pipe costs."""

    name = "tar-zstd-openssl"
    programs = ("tar", "zstd", "openssl", "bash")
    keeps_history = False

    def set_up(self):
        self.file = os.path.join(self.place.repository, "all.enc")

    def _pipe(self, text):
        return Command(["bash", "-c", "set -eo pipefail; " + text])

    def _openssl(self):
        return "openssl enc -aes-256-ctr -pbkdf2 -pass file:%s" % self.place.passphrase

    def backup(self, number):
        tar = "tar -C %s -cf - %s" % (self.place.data, self.set)
        return self._pipe("%s | zstd -q -1 -c | %s -out %s" % (tar, self._openssl(), self.file))

    def restore(self):
        tar = "tar -C %s -xf -" % self.place.restored
        command = self._pipe("%s -d -in %s | zstd -q -dc | %s" % (self._openssl(), self.file, tar))
        return command, os.path.join(self.place.restored, self.set)


class Bup(Tool):
    """Small pieces and no encryption: the measure of what duplicates cost. On this machine's disk alone."""

    name = "bup"
    programs = ("bup", "git", "bash")
    sets = ("dup",)

    def set_up(self):
        self.call = "bup -d %s/r " % self.place.repository
        self.environment = self.place.environment(
            GIT_AUTHOR_NAME="b", GIT_AUTHOR_EMAIL="b@example.org", GIT_COMMITTER_NAME="b", GIT_COMMITTER_EMAIL="b@example.org"
        )
        quietly(["bash", "-c", self.call + "init"], self.log("init"), env=self.environment)

    def backup(self, number):
        text = "set -e; {0} index -u {1}; exec {0} save -q -n a {1}".format(self.call, self.source())
        return Command(["bash", "-c", text])

    def restore(self):
        text = "exec %s restore -q -C %s /a/latest%s/." % (self.call, self.place.restored, self.source())
        return Command(["bash", "-c", text]), self.place.restored


PEERS = (Restic, Borg, Rsync, TarPipe, Bup)
