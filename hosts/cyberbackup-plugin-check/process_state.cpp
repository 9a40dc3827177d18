// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/process_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <filesystem>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace cb::check {
namespace {

unsigned floating_point_now() {
  auto state = static_cast<unsigned>(std::fegetround());
#if defined(__x86_64__)
  constexpr unsigned kSettings = 0xffc0;  // all but the flags of what has happened
  state |= (_mm_getcsr() & kSettings) << 16;
#endif
  return state;
}

void add(std::string& text, const std::string& what) { text += (text.empty() ? "" : ", ") + what; }

}  // namespace

SignalState SignalState::now() {
  SignalState state;
  for (size_t i = 1; i < state.actions.size(); ++i)
    if (::sigaction(static_cast<int>(i), nullptr, &state.actions[i]) != 0) state.actions[i] = {};
  ::sigprocmask(SIG_SETMASK, nullptr, &state.mask);
  return state;
}

std::string SignalState::changes(const SignalState& later) const {
  std::string text;
  for (size_t i = 1; i < actions.size(); ++i) {
    const auto signal = static_cast<int>(i);
    const char* const name = ::sigabbrev_np(signal);
    const std::string shown = name != nullptr ? std::string("SIG") + name : std::to_string(i);
    if (actions[i].sa_handler != later.actions[i].sa_handler ||
        actions[i].sa_flags != later.actions[i].sa_flags)
      add(text, "the action of " + shown);
    if (::sigismember(&mask, signal) != ::sigismember(&later.mask, signal))
      add(text, "whether " + shown + " is blocked");
  }
  return text;
}

ProcessState ProcessState::now() {
  ProcessState state;
  state.locale = std::setlocale(LC_ALL, nullptr);
  state.umask = ::umask(0);
  ::umask(static_cast<mode_t>(state.umask));
  std::error_code ignored;
  state.folder = std::filesystem::current_path(ignored).string();
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    state.environment.emplace_back(*variable);
  state.floating_point = floating_point_now();
  return state;
}

std::string ProcessState::changes(const ProcessState& later) const {
  std::string text;
  if (locale != later.locale) add(text, "the locale (to " + later.locale + ")");
  if (umask != later.umask) add(text, "the umask");
  if (folder != later.folder) add(text, "the working folder (to " + later.folder + ")");
  if (environment != later.environment) add(text, "the environment");
  if (floating_point != later.floating_point) add(text, "how floating-point numbers are rounded");
  return text;
}

size_t descriptor_count() {
  std::error_code ignored;
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd", ignored))
    ++count;
  return count;
}

Output::Output(const std::string& file) {
  std::fflush(nullptr);
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    kept_[static_cast<size_t>(standard - STDOUT_FILENO)] = ::fcntl(standard, F_DUPFD_CLOEXEC, 10);
    ::dup2(file_, standard);
  }
}

void Output::give_back() {
  if (file_ < 0) return;
  std::fflush(nullptr);
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    int& kept = kept_[static_cast<size_t>(standard - STDOUT_FILENO)];
    if (kept >= 0) ::dup2(kept, standard);
    if (kept >= 0) ::close(kept);
    kept = -1;
  }
  ::close(file_);
  file_ = -1;
}

std::string Output::take() {
  std::fflush(nullptr);
  std::string text(4096, '\0');
  const ssize_t size = ::pread(file_, text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<size_t>(size));
  give_back();
  return text;
}

}  // namespace cb::check
