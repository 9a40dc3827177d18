// SPDX-License-Identifier: Apache-2.0
//
// How a SafeTarget finds places and puts things there: the part that both the target and the files
// that grow in it use. Thread-safe as SafeTarget says.
#pragma once

#include <mutex>
#include <set>

#include "core/client/metadata_writer.h"
#include "core/client/safe_target.h"
#include "core/os/folder_cache.h"

namespace cb::client {

// A name in an open folder of the target.
struct Place {
  std::shared_ptr<os::Folder> folder;
  std::string path;  // below the target
  std::string name;  // the last component
};

// The temporary name of an entry: the same in each run, so that a resumed restore finds it.
std::string temporary_name(const repository::Entry& entry);
bool is_temporary_name(std::string_view name);

class TargetFolder {
 public:
  TargetFolder(SafeTarget::Parts parts, SafeTarget::Options options,
               std::shared_ptr<os::Folder> root);

  // Where a path belongs. Folders above that are missing are made when `make` says so; otherwise
  // Code::not_found.
  Result<Place> place(const std::string& path, bool make);
  Result<std::shared_ptr<os::Folder>> folder(const std::string& path);
  void forget(const std::string& path) { folders_.forget(path); }

  // Gives what is at `temporary` in the place's folder its name; what stands there goes, when
  // the policy allows it.
  Status put(const Place& place, const std::string& temporary);
  // Makes something under a temporary name; a leftover of that name is removed.
  Status make_temporary(const Place& place, const std::string& temporary,
                        const std::function<Status()>& make);
  // Removes one name that is not a folder, also when it is locked.
  Status remove(os::Folder& folder, const std::string& name);
  // Removes what an interrupted restore left in a folder.
  void sweep(os::Folder& folder, const std::string& path);
  // A path that `sweep` lets stand, until as many calls of `unspare`.
  void spare(const std::string& path);
  void unspare(const std::string& path);

  // Sets attributes now, or at the end, when they would forbid further names of the file.
  void set_attributes(os::Node& node, const repository::Entry& entry);
  void set_late_attributes();

  [[nodiscard]] MetadataWriter::Problem problem(const std::string& path) const;
  [[nodiscard]] const MetadataWriter& writer() const { return writer_; }
  [[nodiscard]] const SafeTarget::Options& options() const { return options_; }
  [[nodiscard]] const std::shared_ptr<os::Folder>& root() const { return root_; }

 private:
  Status make_missing(const std::string& path);

  SafeTarget::Parts parts_;
  SafeTarget::Options options_;
  std::shared_ptr<os::Folder> root_;
  os::FolderCache folders_;
  MetadataWriter writer_;
  std::mutex mutex_;
  std::vector<repository::Entry> late_;  // their attributes wait
  std::multiset<std::string> spared_;
};

// The temporary name of an entry while something is being made under it.
class TemporaryName {
 public:
  TemporaryName(TargetFolder& target, const repository::Entry& entry, const Place& place)
      : target_(target),
        name_(temporary_name(entry)),
        path_(place.path.substr(0, place.path.size() - place.name.size()) + name_) {
    target_.spare(path_);
  }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  ~TemporaryName() { target_.unspare(path_); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  TargetFolder& target_;
  std::string name_;
  std::string path_;  // below the target
};

// Opens the file that an entry is written to.
Result<std::unique_ptr<TargetFile>> begin_target_file(TargetFolder& target,
                                                      const repository::Entry& entry);

}  // namespace cb::client
