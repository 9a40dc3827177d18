// SPDX-License-Identifier: Apache-2.0
//
// What waits to be sent, in a folder, so that it outlives the process: a file of mode 0600 for each
// notice and target. Used by one thread at a time; blocks.
#pragma once

#include "core/log/log.h"
#include "core/notify/notice.h"
#include "core/os/file_system.h"

namespace cb::notify {

struct KeptParcel {
  std::string target;  // its name
  Parcel parcel;
  int64_t since_ns = 0;  // when it began to wait, since 1970 UTC
};

class Outbox {
 public:
  // `files` and `log` outlive it. An empty folder: nothing is kept.
  Outbox(os::FileSystem* files, os::Path folder, log::Log& log)
      : files_(files), folder_(std::move(folder)), log_(log) {}

  [[nodiscard]] bool is_there() const { return files_ != nullptr && !folder_.empty(); }
  // In the order in which they came. What cannot be read is removed, with an error line
  // "notify.not-read".
  std::vector<KeptParcel> load();
  // Durable when it returns true; else there is an error line "notify.not-kept". The parcel's id is
  // its name.
  bool put(const KeptParcel& kept);
  // One that cannot be removed may be sent again after the next start.
  void remove(const std::string& id);

 private:
  [[nodiscard]] os::Path file_of(const std::string& id) const;
  Result<KeptParcel> read(const std::string& name);

  os::FileSystem* files_;
  os::Path folder_;
  log::Log& log_;
  bool is_failing_ = false;  // said so once already
};

}  // namespace cb::notify
