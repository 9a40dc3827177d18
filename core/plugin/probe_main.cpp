// SPDX-License-Identifier: Apache-2.0
//
// cyberbackup-plugin-probe: loads one plugin and says what came of it, so that a plugin that aborts
// or hangs does so here and not in a host. Started by hosts, with the plugin's file and the pipe
// for the verdict as open descriptors.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

#include "core/plugin/probe.h"

int main(int argc, char** argv) {
  using namespace cb::plugin;
  if (argc != 2 || ::fcntl(kProbeFileFd, F_SETFD, FD_CLOEXEC) != 0 ||
      ::fcntl(kProbeVerdictFd, F_SETFD, FD_CLOEXEC) != 0) {
    std::fputs("cyberbackup-plugin-probe is started by cyberbackupd, not by hand\n", stderr);
    return 2;
  }
  // Dies with its host, and a crash here is expected: no core file.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);

  auto file = PluginFile::adopt(Descriptor(kProbeFileFd), argv[1]);
  const cb::Status tried =
      file ? try_out(std::move(*file)) : cb::Status(cb::failed(std::move(file.error())));
  const std::string verdict = write_verdict(tried);
  const ssize_t written = ::write(kProbeVerdictFd, verdict.data(), verdict.size());
  // Without destructors: they are the plugin's, and the verdict is out.
  ::_exit(written == static_cast<ssize_t>(verdict.size()) ? 0 : 1);
}
