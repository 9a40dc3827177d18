// SPDX-License-Identifier: Apache-2.0
#include "core/client/drill_scratch.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace cb::client {
namespace {

namespace fs = std::filesystem;

// Files come back with attributes that forbid changes, and folders perhaps without a right to
// enter.
void unlock_below(const fs::path& path) {
  std::error_code ignored;
  for (fs::recursive_directory_iterator at(path, ignored), end; !ignored && at != end;
       at.increment(ignored)) {
    if (at->is_symlink(ignored)) continue;
    const auto folder = os::real_tree().open(at->path().parent_path());
    if (!folder) continue;
    const auto file = (*folder)->open_file(at->path().filename().string());
    const auto attributes = file ? (*file)->attributes() : Result<uint32_t>(0);
    if (attributes && (*attributes & os::kLockingAttributes) != 0)
      (void)(*file)->set_attributes(*attributes & ~os::kLockingAttributes);
  }
}

bool is_removed(const fs::path& path) {
  std::error_code problem;
  fs::remove_all(path, problem);
  if (!problem) return true;
  unlock_below(path);
  fs::remove_all(path, problem);
  return !problem;
}

}  // namespace

Result<DrillScratch> DrillScratch::make(const os::Path& parent, bool keep) {
  std::string name = (parent / "cyberbackup-drill-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return failed(fail_errno(errno, parent.string(), "making a folder in it")
                      .with_advice("name another place with --scratch"));
  return DrillScratch(name, keep);
}

DrillScratch::DrillScratch(DrillScratch&& other) noexcept
    : path_(std::exchange(other.path_, {})), keep_(other.keep_) {}

DrillScratch::~DrillScratch() {
  if (!path_.empty() && !keep_) (void)is_removed(path_);
}

void DrillScratch::drop(const os::Path& folder) const {
  if (!keep_) (void)is_removed(folder);
}

Status DrillScratch::remove() {
  if (keep_ || path_.empty()) return {};
  const os::Path path = std::exchange(path_, {});
  if (is_removed(path)) return {};
  return failed(Code::io, path.string(), "could not be removed",
                "remove it: what was restored lies in it");
}

}  // namespace cb::client
