// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/interruption.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "core/report/exit_code.h"

namespace cb {
namespace {

sigset_t watched() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Interruption::Interruption() {
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  ending_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { watch(); });
}

Interruption::~Interruption() {
  const uint64_t one = 1;
  static_cast<void>(!::write(ending_, &one, sizeof one));
  thread_.join();
  ::close(ending_);
  ::close(signals_);
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Interruption::react(std::function<void()> reaction) {
  const std::lock_guard lock(mutex_);
  reaction_ = std::move(reaction);
  if (came_ && reaction_) reaction_();
}

void Interruption::ignore() {
  const std::lock_guard lock(mutex_);
  reaction_ = nullptr;
}

bool Interruption::came() const {
  const std::lock_guard lock(mutex_);
  return came_;
}

void Interruption::watch() {
  while (true) {
    pollfd wanted[] = {{ending_, POLLIN, 0}, {signals_, POLLIN, 0}};
    if (::poll(wanted, 2, -1) < 0) continue;
    if (wanted[0].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info) continue;
    const std::lock_guard lock(mutex_);
    if (came_) ::_exit(static_cast<int>(report::ExitCode::interrupted));
    came_ = true;
    if (reaction_) reaction_();
  }
}

}  // namespace cb
