// SPDX-License-Identifier: Apache-2.0
//
// Reads everything a snapshot keeps about a name but its content. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "core/os/account_names.h"
#include "core/os/tree.h"
#include "core/repository/entry.h"

namespace cb::client {

// Of a st_mode.
repository::EntryKind entry_kind(uint32_t mode);

class MetadataReader {
 public:
  // The names outlive it.
  explicit MetadataReader(os::AccountNames& names) : names_(names) {}

  // What cannot be read but is not the whole of an entry goes to `problem`. Fails with
  // Code::not_found when the name is gone.
  using Problem = std::function<void(Error)>;
  Result<repository::Entry> read(os::Folder& folder, const std::string& name, std::string path,
                                 const os::NodeStat& stat, const Problem& problem);
  // The same of a folder that is open already, and of its stat.
  repository::Entry read_folder(os::Folder& folder, std::string path, const os::NodeStat& stat,
                                const Problem& problem);
  // What stat tells by itself.
  repository::Entry from_stat(std::string path, const os::NodeStat& stat);

 private:
  void read_node(os::Node& node, bool attributes, repository::Entry& entry, uint64_t device,
                 const Problem& problem);
  void read_xattrs(os::Node& node, repository::Entry& entry, const Problem& problem);

  os::AccountNames& names_;
  // The file system that was last seen to have no attributes: it is not asked again.
  std::atomic<uint64_t> without_attributes_{0};
};

}  // namespace cb::client
