# SPDX-License-Identifier: Apache-2.0
"""This repository's own programs, as users run them: a daemon over TLS, default settings, store-fs."""
import os
import re
import subprocess
import time

from measure import Command, Process
from peers import Tool, end, free_port, quietly


class CyberBackup(Tool):
    name = "cyberbackup"
    encrypted = networked = True
    build = ""

    @classmethod
    def missing(cls):
        client = os.path.join(cls.build, "bin", "cyberbackup")
        return None if os.path.exists(client) else client

    def program_files(self):
        return [self._program("cyberbackup"), self._program("cyberbackupd"), os.path.join(self.build, "plugins")]

    def _program(self, name):
        return os.path.join(self.build, "bin", name)

    def store(self):
        return os.path.join(self.place.repository, "daemon", "store")

    def catalog_bytes(self):
        folder = os.path.dirname(self.store())
        names = (name for name in os.listdir(folder) if name.startswith("catalog"))
        return sum(os.path.getsize(os.path.join(folder, name)) for name in names)

    def set_up(self):
        folder = os.path.join(self.place.repository, "daemon")
        self.config = os.path.join(folder, "cyberbackupd.toml")
        self.environment = self.place.environment(
            CYBERBACKUP_CONFIG_DIR=os.path.join(self.place.cache, "config"),
            CYBERBACKUP_CACHE_DIR=os.path.join(self.place.cache, "cache"),
            CYBERBACKUP_PASSPHRASE_FILE=self.place.passphrase,
        )
        init = [self._program("cyberbackupd"), "init", folder, "--listen-v4", "127.0.0.1:%d" % free_port()]
        quietly(init, self.log("init"))
        self._serve(folder)
        quietly(self._server("account", "add", "alice"), self.log("init"))
        made = subprocess.run(
            self._server("token", "create", "--account", "alice"), stdout=subprocess.PIPE, text=True, check=True
        )
        token = re.findall(r"\S+", made.stdout)[-1]
        quietly([self._program("cyberbackup"), "--quiet", "enroll", token], self.log("init"), env=self.environment)

    def _server(self, *arguments):
        return [self._program("cyberbackupd"), *arguments, "--config", self.config]

    def _serve(self, folder):
        out = os.path.join(folder, "daemon.out")
        with open(out, "wb") as told, open(self.log("server"), "wb") as log:
            self.daemon = subprocess.Popen(self._server("serve"), stdout=told, stderr=log)
        self.server = Process(self.daemon)
        until = time.monotonic() + 30
        while time.monotonic() < until and self.daemon.poll() is None:
            with open(out, encoding="utf-8") as file:
                if file.read().startswith("ready"):
                    return
            time.sleep(0.02)
        raise RuntimeError("the daemon did not become ready, see %s" % self.log("server"))

    def finish(self):
        end(self.daemon)

    def _client(self, *arguments):
        return Command([self._program("cyberbackup"), "--quiet", *arguments])

    def backup(self, number):
        return self._client("backup", self.source())

    def restore(self):
        command = self._client("restore", "latest:" + self.source(), "--target", self.place.restored)
        return command, self.place.restored

    def check_quick(self):
        return self._client("check")

    def check_data(self):
        return self._client("check", "--read-data")
