// SPDX-License-Identifier: Apache-2.0
//
// See owner.h.
#include "owner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>

namespace store_fs {

namespace {

constexpr std::string_view kPrefix = "put-";

// The first bytes of a small file of the system; empty when it cannot be read.
std::string read_start(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::array<char, 1024> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  ::close(fd);
  return got > 0 ? std::string(buffer.data(), static_cast<size_t>(got)) : std::string();
}

struct ProcessState {
  char state = '?';
  uint64_t started = 0;
};

// Fields 3 and 22 of /proc/PID/stat. The second field, the command in brackets, may hold anything.
std::optional<ProcessState> process_state(int64_t pid) {
  const std::string line = read_start("/proc/" + std::to_string(pid) + "/stat");
  size_t at = line.rfind(')');
  if (at == std::string::npos || at + 2 >= line.size()) return std::nullopt;
  ProcessState found;
  at += 2;
  found.state = line[at];
  for (int field = 3; field < 22; ++field) {
    at = line.find(' ', at);
    if (at == std::string::npos) return std::nullopt;
    ++at;
  }
  std::from_chars(line.data() + at, line.data() + line.size(), found.started);
  return found;
}

uint64_t boot_number() {
  std::string hex;
  for (const char c : read_start("/proc/sys/kernel/random/boot_id"))
    if (c != '-' && hex.size() < 16) hex += c;
  uint64_t number = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), number, 16);
  return number;
}

// Takes a number and the '-' after it from the front of `text`.
template <typename T>
bool take_number(std::string_view& text, T& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  const size_t used = static_cast<size_t>(end - text.data());
  if (error != std::errc{} || used >= text.size() || text[used] != '-') return false;
  text.remove_prefix(used + 1);
  return true;
}

}  // namespace

Owner this_process() {
  Owner self;
  self.pid = ::getpid();
  if (const auto state = process_state(self.pid)) self.started = state->started;
  self.boot = boot_number();
  struct stat info {};
  if (::stat("/proc/self/ns/pid", &info) == 0) self.numbering = info.st_ino;
  return self;
}

std::string temporary_name(const Owner& owner, uint64_t tail) {
  std::array<char, 160> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "put-%lld-%llu-%016llx-%llu-%016llx",
      static_cast<long long>(owner.pid), static_cast<unsigned long long>(owner.started),
      static_cast<unsigned long long>(owner.boot), static_cast<unsigned long long>(owner.numbering),
      static_cast<unsigned long long>(tail));
  return {text.data(), static_cast<size_t>(length)};
}

std::optional<Owner> owner_of(std::string_view temporary_name) {
  if (!temporary_name.starts_with(kPrefix)) return std::nullopt;
  temporary_name.remove_prefix(kPrefix.size());
  Owner owner;
  if (!take_number(temporary_name, owner.pid, 10) ||
      !take_number(temporary_name, owner.started, 10) ||
      !take_number(temporary_name, owner.boot, 16) ||
      !take_number(temporary_name, owner.numbering, 10) || owner.pid <= 0)
    return std::nullopt;
  return owner;
}

Life life_of(const Owner& owner, const Owner& self) {
  if (owner.boot != self.boot || owner.numbering != self.numbering) return Life::unknown;
  if (::kill(static_cast<pid_t>(owner.pid), 0) != 0 && errno == ESRCH) return Life::dead;
  const auto state = process_state(owner.pid);
  if (!state || owner.started == 0) return Life::alive;
  // A zombie still has its number but no open files.
  const bool ended = state->state == 'Z' || state->state == 'X';
  return ended || state->started != owner.started ? Life::dead : Life::alive;
}

}  // namespace store_fs
