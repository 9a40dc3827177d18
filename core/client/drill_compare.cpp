// SPDX-License-Identifier: Apache-2.0
#include "core/client/drill_compare.h"

#include <algorithm>

#include "core/base/units.h"

namespace cb::client {
namespace {

using repository::Entry;

// Some file systems keep times in steps of two seconds.
constexpr int64_t kStepOfTimes = 2'000'000'000;
constexpr uint32_t kComparedMode = 0777;
constexpr size_t kComparedAtOnce = 256 * 1024;

struct OpenedFile {
  std::unique_ptr<os::TreeFile> file;
  os::NodeStat stat;
};

Result<OpenedFile> open_compared(const os::Path& folder, const std::string& name) {
  CB_ASSIGN(const auto place, os::real_tree().open(folder));
  CB_ASSIGN(const os::NodeStat there, place->stat_name(name));
  if (!there.is_regular()) return failed(Code::corrupt, name, "is not a file any more");
  OpenedFile opened;
  CB_ASSIGN(opened.file, place->open_file(name));
  CB_ASSIGN(opened.stat, opened.file->stat());
  return opened;
}

bool is_as_recorded(const os::NodeStat& stat, const Entry& entry) {
  return stat.size == entry.size && stat.mtime_ns == entry.mtime_ns;
}

// Fills as much of `into` as the file has from there on.
Result<size_t> read_fully(os::TreeFile& file, ByteSpan into, uint64_t offset) {
  size_t done = 0;
  while (done < into.size()) {
    CB_ASSIGN(const size_t more, file.read_at(into.subspan(done), offset + done));
    if (more == 0) break;
    done += more;
  }
  return done;
}

Result<bool> is_same_content(os::TreeFile& one, os::TreeFile& other) {
  Bytes left(kComparedAtOnce), right(kComparedAtOnce);
  for (uint64_t offset = 0;; offset += kComparedAtOnce) {
    CB_ASSIGN(const size_t a, read_fully(one, left, offset));
    CB_ASSIGN(const size_t b, read_fully(other, right, offset));
    if (a != b ||
        !std::equal(left.begin(), left.begin() + static_cast<ptrdiff_t>(a), right.begin()))
      return false;
    if (a < kComparedAtOnce) return true;
  }
}

}  // namespace

Status compare_restored(const os::Path& folder, const std::string& name, const Entry& entry) {
  CB_ASSIGN(const OpenedFile restored, open_compared(folder, name));
  const auto differs = [&](const std::string& cause) {
    return failed(Code::corrupt, entry.path, "came back " + cause);
  };
  if (restored.stat.size != entry.size)
    return differs("with " + std::to_string(restored.stat.size) + " bytes, not " +
                   std::to_string(entry.size));
  if (std::abs(restored.stat.mtime_ns - entry.mtime_ns) > kStepOfTimes)
    return differs("with another time");
  if ((restored.stat.mode & kComparedMode) != (entry.mode & kComparedMode))
    return differs("with other permissions");
  return {};
}

Result<LiveState> compare_live(const os::Path& folder, const std::string& name,
                               const os::Path& live, const Entry& entry) {
  const auto source = open_compared(live.parent_path(), live.filename().string());
  if (!source || !is_as_recorded(source->stat, entry)) return LiveState::unknown;
  CB_ASSIGN(const OpenedFile restored, open_compared(folder, name));
  const auto same = is_same_content(*restored.file, *source->file);
  // What cannot be read says nothing about the backup; what changed meanwhile neither.
  if (!same) return LiveState::unknown;
  const auto after = source->file->stat();
  if (!after || !is_as_recorded(*after, entry) || after->ctime_ns != source->stat.ctime_ns)
    return LiveState::unknown;
  return *same ? LiveState::same : LiveState::different;
}

}  // namespace cb::client
