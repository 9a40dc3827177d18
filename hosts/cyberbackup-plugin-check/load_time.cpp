// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/load_time.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "core/plugin/plugin_file.h"
#include "hosts/cyberbackup-plugin-check/check.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

// The child's side: 0 when it cannot be loaded.
int64_t load_once(const os::Path& file) {
  Settings settings;
  settings.file = file;
  // Never destroyed: deinit is not what is measured.
  auto* const subject = new Subject(settings, {}, "load", 0);
  const auto begun = std::chrono::steady_clock::now();
  const auto read = subject->descriptors();
  const auto took = std::chrono::steady_clock::now() - begun;
  return read ? std::chrono::nanoseconds(took).count() : 0;
}

}  // namespace

Result<std::chrono::nanoseconds> time_to_load(const os::Path& file) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return failed(fail_errno(errno, "load time", "making a pipe"));
  const plugin::Descriptor from(ends[0]);
  plugin::Descriptor into(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return failed(fail_errno(errno, "load time", "starting a process"));
  if (child == 0) {
    const int64_t took = load_once(file);
    ::_exit(::write(into.get(), &took, sizeof took) == sizeof took ? 0 : 1);
  }
  into = plugin::Descriptor();
  int64_t took = 0;
  const ssize_t got = ::read(from.get(), &took, sizeof took);
  ::waitpid(child, nullptr, 0);
  if (got != sizeof took || took == 0) return found_wrong("could not be loaded in a fresh process");
  return std::chrono::nanoseconds(took);
}

}  // namespace cb::check
