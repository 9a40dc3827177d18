// SPDX-License-Identifier: Apache-2.0
#include "core/os/process.h"

#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "core/base/trial.h"

namespace cb::os {
namespace {

// The number after "name:" in /proc/self/status; 0 when there is none.
uint64_t status_number(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":"))
      return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
  return 0;
}

}  // namespace

uint64_t resident_bytes() { return status_number("VmRSS") * 1024; }

uint64_t thread_count() { return status_number("Threads"); }

uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void forbid_core_files() {
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
}

void forbid_core_dumps() {
  // First, so that whoever sees the limit gone finds the memory closed. The limit says nothing
  // about dumps that the system hands to a program.
  (void)::prctl(PR_SET_DUMPABLE, 0);
  forbid_core_files();
}

Path program_folder() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

Result<FileLock> FileLock::take(FileSystem& files, const Path& path) {
  CB_ASSIGN(std::unique_ptr<File> file, files.open(path, Open::replace));
  if (trial::is_broken("lock") || ::flock(file->fd(), LOCK_EX | LOCK_NB) == 0)
    return FileLock(std::move(file));
  if (errno == EWOULDBLOCK) return failed(Code::busy, path.string(), "is held by another process");
  return failed(fail_errno(errno, path.string(), "lock"));
}

}  // namespace cb::os
