// SPDX-License-Identifier: Apache-2.0
//
// One check in a process of its own, so that a plugin that aborts, hangs or spoils memory ends that
// process and nothing else: this program runs itself again with --in-process --only NAME, and the
// verdict comes back through a pipe. Used by one thread at a time.
#pragma once

#include <vector>

#include "hosts/cyberbackup-plugin-check/check.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {

// A new folder for temporary files; removed with all that is in it.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();

  [[nodiscard]] const os::Path& path() const { return path_; }

 private:
  explicit ScratchFolder(os::Path path) : path_(std::move(path)) {}
  os::Path path_;
};

// Tries the check on plugin `index` of the file in a child.
Verdict try_in_child(const Settings& settings, const Check& check, uint32_t index);
// The same in this process, for debuggers.
Verdict try_here(const Settings& settings, const Check& check, uint32_t index);

// The plugins of the file, found in a child or here.
Result<std::vector<Surveyed>> survey_in_child(const Settings& settings);
Result<std::vector<Surveyed>> survey_here(const Settings& settings);

// What a child was told on the command line, besides the settings.
struct ChildWork {
  os::Path scratch;  // empty: this process is no child
  uint32_t index = 0;
  bool survey = false;
  const Check* check = nullptr;  // otherwise
};

// The child's work: gives its verdict back and ends the process.
[[noreturn]] void work_as_child(const Settings& settings, const ChildWork& work);

}  // namespace cb::check
