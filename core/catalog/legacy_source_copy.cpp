// SPDX-License-Identifier: Apache-2.0
#include "core/catalog/legacy_source_copy.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <tuple>

#include "core/base/units.h"

namespace cb::catalog {
namespace {

constexpr std::string_view kFolder = "legacy-source-";
constexpr std::array<const char*, 3> kParts = {"", "-wal", "-journal"};

// What tells that a file was written to; nothing when there is none.
using State = std::optional<std::tuple<uint64_t, int64_t, uint64_t>>;

Result<std::array<State, kParts.size()>> states_of(const os::Path& file, os::FileSystem& files) {
  std::array<State, kParts.size()> states;
  for (size_t i = 0; i < kParts.size(); ++i) {
    const auto info = files.info(file.string() + kParts[i]);
    if (info)
      states[i] = State::value_type(info->size, info->modified_ns, info->inode);
    else if (i == 0 || info.error().code != Code::not_found)
      return failed(info.error());
  }
  return states;
}

Status copy(const os::Path& from, const os::Path& to, os::FileSystem& files) {
  CB_ASSIGN(const std::unique_ptr<os::File> in, files.open(from, os::Open::read));
  CB_ASSIGN(const std::unique_ptr<os::File> out, files.open(to, os::Open::create_new, 0600));
  Bytes piece(64 * kKiB);
  for (;;) {
    CB_ASSIGN(const size_t count, in->read(piece));
    if (count == 0) return {};
    CB_TRY(out->write(ByteView(piece).first(count)));
  }
}

void remove_folder(const os::Path& folder, os::FileSystem& files) {
  if (const auto names = files.list(folder))
    for (const std::string& name : *names) (void)files.remove(folder / name);
  (void)files.remove(folder);
}

// Copies of processes that live no more.
void remove_leftovers(const os::Path& scratch, os::FileSystem& files) {
  const auto names = files.list(scratch);
  if (!names) return;
  for (const std::string& name : *names) {
    if (name.compare(0, kFolder.size(), kFolder) != 0) continue;
    pid_t process = 0;
    const char* end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + kFolder.size(), end, process);
    if (read.ec != std::errc() || process <= 0) continue;
    const bool is_over = ::kill(process, 0) != 0 && errno == ESRCH;
    if (is_over || process == ::getpid()) remove_folder(scratch / name, files);
  }
}

}  // namespace

Result<LegacySourceCopy> LegacySourceCopy::make(const os::Path& file, const os::Path& scratch,
                                                os::FileSystem& files) {
  CB_ASSIGN(const auto before, states_of(file, files));
  CB_TRY(files.make_folders(scratch));
  remove_leftovers(scratch, files);
  LegacySourceCopy made(files, scratch / (std::string(kFolder) + std::to_string(::getpid())));
  CB_TRY(files.make_folders(made.folder_));
  for (size_t i = 0; i < kParts.size(); ++i)
    if (before[i]) CB_TRY(copy(file.string() + kParts[i], made.file().string() + kParts[i], files));
  CB_ASSIGN(const auto after, states_of(file, files));
  if (before == after) return made;
  return failed(Code::busy, file.string(), "changed while it was copied",
                "end the old server, then try again");
}

LegacySourceCopy::~LegacySourceCopy() {
  if (!folder_.empty()) remove_folder(folder_, *files_);
}

}  // namespace cb::catalog
