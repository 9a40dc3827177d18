// SPDX-License-Identifier: Apache-2.0
//
// Folders below one root, opened by relative paths component by component, never through a symbolic
// link; the last used ones stay open, so that thousands of paths need few descriptors. Thread-safe.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/os/tree.h"

namespace cb::os {

class FolderCache {
 public:
  // Keeps at most `capacity` folders open by itself, at least 1; who holds one keeps it open
  // longer.
  explicit FolderCache(std::shared_ptr<Folder> root, size_t capacity = 64);

  // `path` is "" for the root, or "a/b/c".
  Result<std::shared_ptr<Folder>> open(std::string_view path);
  // Forgets a folder and everything below it, because something else stands there now.
  void forget(std::string_view path);

 private:
  struct Kept {
    std::string path;
    std::shared_ptr<Folder> folder;
  };
  std::shared_ptr<Folder> find(std::string_view path);
  void keep(std::string_view path, std::shared_ptr<Folder> folder);

  std::shared_ptr<Folder> root_;
  size_t capacity_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // the last used first; keys of `index_` view its paths
  std::unordered_map<std::string_view, std::list<Kept>::iterator> index_;
};

}  // namespace cb::os
