// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/crash_report.h"

#include <unistd.h>

#include <csignal>
#include <cstring>

#include "core/plugin/gate.h"

namespace cb::plugin {
namespace {

volatile int report_fd = -1;

// Only what a signal handler may do: write(2).
void say(const char* text) {
  [[maybe_unused]] const ssize_t n = ::write(report_fd, text, std::strlen(text));
}

const char* name_of_signal(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    default:
      return "SIGABRT";
  }
}

// The action was reset on entry, so raising it again ends the process in the usual way.
void on_fatal(int signal) {
  const Crumb crumb = current_crumb;
  say("fatal: ");
  say(name_of_signal(signal));
  if (crumb.plugin != nullptr) {
    say(" in plugin ");
    say(crumb.plugin);
    say(", function ");
    say(crumb.function);
  } else {
    say(" outside of any plugin");
  }
  say("\n");
  ::raise(signal);
}

}  // namespace

void report_crashes_to(int fd) {
  report_fd = fd;
  struct sigaction action {};
  action.sa_handler = on_fatal;
  action.sa_flags = SA_RESETHAND | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    ::sigaction(signal, &action, nullptr);
}

}  // namespace cb::plugin
