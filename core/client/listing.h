// SPDX-License-Identifier: Apache-2.0
//
// Looking into snapshots: what lies in a folder, which paths match a pattern, all versions of a
// file, what a change consists of. Used by one thread at a time.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/repository/tree.h"

namespace cb::client {

// Calls `visit` for the entry itself when `path` is no folder, else for what is in it: directly, or
// with `recursive` all that is below. An empty path is the top. Folders that no entry describes,
// only paths below them, are visited as folders with mode 0. Code::not_found names the path.
Status list_folder(const repository::NodeSource& source, const repository::BlobId& root,
                   const std::string& path, bool recursive,
                   const std::function<Status(const repository::Entry&)>& visit);

// Finds entries in many snapshots; nodes that they share are searched once.
class TreeSearch {
 public:
  using Matches = std::function<bool(const repository::Entry&)>;
  TreeSearch(repository::NodeSource source, Matches matches)
      : source_(std::move(source)), matches_(std::move(matches)) {}

  // In path order. Extents are left out.
  Status search(const repository::BlobId& root,
                const std::function<Status(const repository::Entry&)>& visit);

 private:
  struct Seen {
    std::vector<repository::BlobId> children;
    std::vector<repository::Entry> found;
  };
  Result<const Seen*> look(const repository::BlobId& id);
  Status search_below(const repository::BlobId& id, unsigned depth,
                      const std::function<Status(const repository::Entry&)>& visit);

  repository::NodeSource source_;
  Matches matches_;
  std::unordered_map<repository::BlobId, Seen, repository::IdHash> seen_;
};

// Does a shell pattern (* ? [...]) fit? One with a slash is compared with the whole path, where *
// also crosses slashes; others with the last component.
bool fits_pattern(const std::string& pattern, const std::string& path);

// What differs: "content", "size", "mtime", "mode", "owner", "xattrs", "target", "kind" ...
std::vector<std::string> changes_between(const repository::Entry& before,
                                         const repository::Entry& after);

}  // namespace cb::client
