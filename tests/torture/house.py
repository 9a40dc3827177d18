# SPDX-License-Identifier: Apache-2.0
"""A server and a client of it, as their users run them: real programs, files and connections."""
import json
import os
import re
import signal
import socket
import subprocess
import time

READY_WITHIN = 30  # seconds
ENDS_WITHIN = 120  # seconds; a program that takes longer hangs
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS}


class Trouble(Exception):
    """Something that must never happen has happened; the text says what."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ended:
    """How a program ended: `code` is negative for a signal."""

    def __init__(self, code, out, errors):
        self.code = code
        self.out = out
        self.errors = errors

    @property
    def is_crash(self):
        return self.code < 0 and -self.code in CRASHES

    @property
    def is_killed(self):
        return self.code == -signal.SIGKILL

    def text(self):
        return "exit %d: %s" % (self.code, (self.errors or self.out)[-800:])


SANITIZERS_END = "halt_on_error=1:abort_on_error=1"


class House:
    """`disk` holds all that the server keeps; `home` what the client keeps."""

    broken = None  # a protection that is left out, to see whether a trial notices

    def __init__(self, build, folder, store="fs", disk=None):
        self.build = build
        self.folder = folder
        self.store = store
        self.disk = disk or os.path.join(folder, "disk")
        self.home = os.path.join(folder, "home")
        self.server = os.path.join(self.disk, "server")
        self.config = os.path.join(self.server, "cyberbackupd.toml")
        self.log = os.path.join(folder, "daemon.log")
        self.daemon = None
        self.days = 0  # that the server's clock is ahead
        self.address = "127.0.0.1"  # of the server
        self.inside = []  # what the daemon is started by, as in a network of its own
        self.front = self.v3_front = None  # HOST:PORT that clients are told to use instead of the server's
        for made in (self.disk, self.home, os.path.join(self.home, "tree")):
            os.makedirs(made, exist_ok=True)

    # --- programs ------------------------------------------------------------------------------------

    def program(self, name):
        return os.path.join(self.build, "bin", name)

    def environment(self, more=None):
        found = {key: value for key, value in os.environ.items() if not key.startswith("CYBERBACKUP_")}
        found["CYBERBACKUP_CONFIG_DIR"] = os.path.join(self.home, "config")
        found["CYBERBACKUP_CACHE_DIR"] = os.path.join(self.home, "cache")
        found["CYBERBACKUP_PASSPHRASE_FILE"] = os.path.join(self.home, "passphrase")
        # What a sanitizer finds ends a process by a signal, which every trial takes for a crash.
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"):
            found[name] = ":".join(filter(None, (found.get(name), SANITIZERS_END)))
        if self.broken:
            found["CYBERBACKUP_BREAK"] = self.broken
        found.update(more or {})
        return found

    def server_environment(self, more=None):
        return self.environment({"CYBERBACKUP_CLOCK_AHEAD": str(self.days * 86400), **(more or {})})

    def begin(self, arguments, environment):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(arguments, env=environment, text=True, errors="replace", **pipes)

    def end_of(self, process, within=ENDS_WITHIN):
        try:
            out, errors = process.communicate(timeout=within)
        except subprocess.TimeoutExpired as hanging:
            process.kill()
            out, errors = process.communicate()
            what = " ".join(process.args[:3])
            raise Trouble("%s hangs for more than %d s: %s" % (what, within, errors[-400:])) from hanging
        return Ended(process.returncode, out, errors)

    def begin_client(self, *arguments, more=None):
        return self.begin([self.program("cyberbackup"), "--quiet", *arguments], self.environment(more))

    def client(self, *arguments, more=None):
        return self.end_of(self.begin_client(*arguments, more=more))

    def begin_operator(self, *arguments, more=None):
        line = [self.program("cyberbackupd"), *arguments, "--config", self.config]
        return self.begin(line, self.server_environment(more))

    def operator(self, *arguments, more=None):
        return self.end_of(self.begin_operator(*arguments, more=more))

    def must(self, ended, *codes):
        if ended.code not in (codes or (0,)):
            raise Trouble("a command that must succeed did not: " + ended.text())
        return ended

    # --- the daemon ----------------------------------------------------------------------------------

    def make(self):
        self.v3 = "%s:%d" % (self.address, free_port())
        self.v4 = "%s:%d" % (self.address, free_port())
        with open(os.path.join(self.home, "passphrase"), "w", encoding="utf-8") as file:
            file.write("correct horse battery staple\n")
        init = [self.program("cyberbackupd"), "init", self.server, "--store", self.store]
        init += ["--listen-v3", self.v3, "--listen-v4", self.v4]
        self.must(self.end_of(self.begin(init, self.server_environment())))
        if self.front:
            self.advertise()
        self.start()
        self.must(self.operator("account", "add", "alice"))
        self.enrol()

    def advertise(self):
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text.replace("[server]\n", "[server]\nadvertise = [\"%s\"]\n" % self.front))

    def enrol(self, profile="default"):
        token = self.must(self.operator("token", "create", "--account", "alice")).out.split()[-1]
        self.must(self.client("--profile", profile, "enroll", token))

    def start(self, more=None):
        """False when the daemon died before it was ready, which only one that is to die may."""
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                [*self.inside, self.program("cyberbackupd"), "serve", "--config", self.config],
                env=self.server_environment(more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )
        os.set_blocking(self.daemon.stdout.fileno(), False)
        told = b""
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            told += self.daemon.stdout.read() or b""
            if b"ready" in told:
                return True
            if self.daemon.poll() is not None:
                return self.ended_early(more)
            time.sleep(0.003)
        raise Trouble("the daemon is not ready after %d s" % READY_WITHIN)

    def ended_early(self, more):
        code = self.daemon.returncode
        self.daemon = None
        if more and code == -signal.SIGKILL:
            return False
        raise Trouble("the daemon does not start (%d): %s" % (code, self.log_tail()))

    def log_tail(self):
        with open(self.log, "rb") as log:
            return log.read()[-1500:].decode("utf-8", "replace")

    def kill(self):
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None

    def stop(self, may_die=False):
        """Ends the daemon as an operator does. True when it died meanwhile, which only one that is to die may."""
        if self.daemon is None:
            return False
        self.daemon.terminate()
        try:
            code = self.daemon.wait(timeout=ENDS_WITHIN)
        except subprocess.TimeoutExpired as hanging:
            self.kill()
            raise Trouble("the daemon does not end: " + self.log_tail()) from hanging
        self.daemon = None
        if may_die and code == -signal.SIGKILL:
            return True
        if code != 0:
            raise Trouble("the daemon ended with %d: %s" % (code, self.log_tail()))
        return False

    def second_daemon(self):
        """How another daemon on the same folder, with addresses of its own, ends; it is killed if it does not."""
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        other = os.path.join(self.server, "second.toml")
        with open(other, "w", encoding="utf-8") as file:
            file.write(text.replace(self.v3, "127.0.0.1:0").replace(self.v4, "127.0.0.1:0"))
        line = [self.program("cyberbackupd"), "serve", "--config", other]
        process = self.begin(line, self.server_environment())
        try:
            process.wait(timeout=READY_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
        return self.end_of(process)

    def died(self):
        """Is the daemon gone by itself? A crash is trouble, a death that was ordered is not."""
        if self.daemon is None or self.daemon.poll() is None:
            return False
        code = self.daemon.returncode
        self.daemon = None
        if code != -signal.SIGKILL:
            raise Trouble("the daemon crashed (%d): %s" % (code, self.log_tail()))
        return True

    # --- what commands print -------------------------------------------------------------------------

    @property
    def tree(self):
        return os.path.join(self.home, "tree")

    def snapshot_of(self, ended):
        found = re.findall(r"\b[0-9a-f]{64}\b", ended.out)
        return found[-1] if found else None

    def snapshots(self):
        ended = self.must(self.client("snapshots", "--json"))
        listed = json.loads(ended.out.splitlines()[-1])
        return [one["id"] for one in listed["snapshots"]]
