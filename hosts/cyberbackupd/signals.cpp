// SPDX-License-Identifier: Apache-2.0
#include "signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace cb::host {

Result<Signals> Signals::take_over() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const int signal_fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd < 0) return failed(fail_errno(errno, "signals", "take over"));
  const int bell_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (bell_fd >= 0) return Signals(signal_fd, bell_fd);
  const int problem = errno;
  ::close(signal_fd);
  return failed(fail_errno(problem, "signals", "make an event"));
}

Signals::Signals(Signals&& other) noexcept
    : signal_fd_(std::exchange(other.signal_fd_, -1)),
      bell_fd_(std::exchange(other.bell_fd_, -1)) {}

Signals::~Signals() {
  if (signal_fd_ >= 0) ::close(signal_fd_);
  if (bell_fd_ >= 0) ::close(bell_fd_);
}

Signals::What Signals::wait() {
  while (true) {
    signalfd_siginfo info{};
    if (::read(signal_fd_, &info, sizeof(info)) == sizeof(info))
      return info.ssi_signo == SIGHUP ? What::reload : What::end;
    uint64_t rung = 0;
    if (::read(bell_fd_, &rung, sizeof(rung)) == sizeof(rung)) return What::bell;
    std::array<pollfd, 2> both = {{{signal_fd_, POLLIN, 0}, {bell_fd_, POLLIN, 0}}};
    ::poll(both.data(), both.size(), -1);
  }
}

void Signals::ring() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(bell_fd_, &one, sizeof(one));
}

}  // namespace cb::host
