// SPDX-License-Identifier: Apache-2.0
#include "core/client/restore_journal.h"

#include "core/identity/signing.h"

namespace cb::client {

namespace {

constexpr uint64_t kLongest = 128 * 1024;  // bytes of a path and more

}  // namespace

RestoreJournal::RestoreJournal(os::FileSystem& files, const os::Path& folder,
                               const RestoreRequest& request)
    : files_(files) {
  if (folder.empty()) return;
  std::error_code ignored;
  const os::Path target = std::filesystem::absolute(request.target, ignored).lexically_normal();
  std::string what = request.root.hex() + '\0' + request.path + '\0' + target.string();
  const identity::Hash hash = identity::sha256(as_bytes(what));
  file_ = folder / ("restore-" + to_hex(ByteView(hash).first(16)));
}

std::string RestoreJournal::done_through() const {
  if (file_.empty()) return {};
  const auto path = os::read_file(files_, file_, kLongest);
  if (!path) return {};
  std::string text(as_text(*path));
  return repository::is_snapshot_path(text) ? text : std::string();
}

void RestoreJournal::note(const std::string& path) {
  if (!file_.empty()) (void)os::write_file_atomically(files_, file_, as_bytes(path));
}

void RestoreJournal::forget() {
  if (!file_.empty()) (void)files_.remove(file_);
}

}  // namespace cb::client
