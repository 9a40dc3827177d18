// SPDX-License-Identifier: Apache-2.0
//
// The folder with the files of an old server, read and never written: paths are below it, with '/',
// and no symbolic link is followed, wherever it stands. For one thread; functions block.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/os/tree.h"

namespace cb::server {

// What a file holds.
struct LegacyContent {
  uint64_t size = 0;  // bytes
  uint32_t cksum = 0;
  int64_t mtime_ns = 0;
};

class LegacyFiles {
 public:
  struct Name {
    std::string name;
    bool is_folder = false;
    bool is_file = false;    // neither: a link, a device, ...
    bool is_unread = false;  // it is not known what it is
  };

  // `tree` outlives it.
  static Result<LegacyFiles> open(os::Tree& tree, const os::Path& folder);

  // The names in a folder, sorted, as long as this lives; "" is the whole. Empty when it is no
  // folder or a link leads to it.
  Result<const std::vector<Name>*> list(const std::string& folder);
  // Is there a regular file of this path? Fails when that cannot be told.
  Result<bool> has(const std::string& path);
  // Reads all of a file. Code::busy when it changed meanwhile. What was read once is not read
  // again.
  Result<LegacyContent> content(const std::string& path);
  // Gives its bytes to `sink` in order and says what they were; the same errors. An error of the
  // sink's is returned as it is.
  Result<LegacyContent> read(const std::string& path, const std::function<Status(ByteView)>& sink);
  // The last component of the folder itself.
  [[nodiscard]] const std::string& own_name() const { return own_name_; }

 private:
  LegacyFiles(std::shared_ptr<os::Folder> folder, std::string own_name)
      : folder_(std::move(folder)), own_name_(std::move(own_name)) {}
  Result<std::shared_ptr<os::Folder>> folder(const std::string& path);

  std::shared_ptr<os::Folder> folder_;
  std::string own_name_;
  std::map<std::string, std::vector<Name>> listed_;
  std::map<std::string, LegacyContent> contents_;
};

}  // namespace cb::server
