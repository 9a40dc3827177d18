// SPDX-License-Identifier: Apache-2.0
//
// Takes the place of four functions of the C and C++ libraries. A program's own definition comes
// before that of a shared library, so this file is a source of the program and in no library.
#include "tests/conversation/virtual_time.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/epoll.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <utility>

namespace {

constexpr int64_t kSecond = 1'000'000'000;

std::atomic<int64_t>& ahead() {
  static std::atomic<int64_t> nanoseconds{0};
  return nanoseconds;
}

int64_t machine_time() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

}  // namespace

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
  return time_point(duration(machine_time() + ahead()));
}

extern "C" {

// Without it Asio looks at its clock, and not at the kernel's, to see which timers are due.
int timerfd_create(int /*clock*/, int /*flags*/) noexcept {
  errno = ENOSYS;
  return -1;
}

// No wait is long, so that a time that was put forward meanwhile is noticed.
int epoll_wait(int fd, epoll_event* events, int most, int timeout) {
  using Wait = int (*)(int, epoll_event*, int, int);
  static const Wait wait = reinterpret_cast<Wait>(::dlsym(RTLD_NEXT, "epoll_wait"));
  return wait(fd, events, most, timeout < 0 || timeout > 1 ? 1 : timeout);
}

// The end of a wait was computed with the clock above; the kernel waits by its own.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  using Wait = int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
  static const Wait wait = reinterpret_cast<Wait>(::dlsym(RTLD_NEXT, "pthread_cond_clockwait"));
  if (clock != CLOCK_MONOTONIC) return wait(condition, mutex, clock, until);
  const int64_t meant = until->tv_sec * kSecond + until->tv_nsec - ahead();
  const int64_t due = meant < 0 ? 0 : meant;
  const timespec real{due / kSecond, due % kSecond};
  return wait(condition, mutex, clock, &real);
}
}

namespace cb::conversation {

void forward(std::chrono::nanoseconds by) { ahead() += by.count(); }
void forward_no_more() { ahead() = 0; }

Impatience::Impatience(const std::atomic<uint64_t>& progress, std::chrono::nanoseconds step)
    : thread_([this, &progress, step] {
        uint64_t seen = progress;
        while (!ends_) {
          // By the machine's clock: sleep_for would ask the other one.
          const timespec moment{0, 3'000'000};
          ::nanosleep(&moment, nullptr);
          const uint64_t now = progress;
          if (std::exchange(seen, now) == now) forward(step);
        }
      }) {}

Impatience::~Impatience() {
  ends_ = true;
  thread_.join();
}

std::chrono::nanoseconds VirtualClock::wall() const {
  return std::chrono::system_clock::now().time_since_epoch() + std::chrono::nanoseconds(ahead());
}

std::chrono::nanoseconds VirtualClock::monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace cb::conversation
