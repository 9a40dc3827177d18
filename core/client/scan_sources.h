// SPDX-License-Identifier: Apache-2.0
//
// The sources of a scan as a tree of names, and what follows from them and from the request for
// each folder that is walked. Plain values, thread-safe to read.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/client/scanner.h"

namespace cb::client {

// A folder on the way to a source, or a source.
struct SourceNode {
  std::map<std::string, std::unique_ptr<SourceNode>, std::less<>> below;
  bool source = false;

  // The child of that name, or nullptr.
  [[nodiscard]] const SourceNode* find(std::string_view name) const;
};

// Of paths as snapshot_sources gives them.
std::unique_ptr<SourceNode> source_tree(const std::vector<std::string>& sources);

// How a folder is walked.
struct FolderPlan {
  const SourceNode* named = nullptr;  // sources below, or nullptr
  bool all = false;                   // everything in it; otherwise only what is named
  uint64_t device = 0;                // of the file system of its source
};

// The decisions that depend on the request.
class ScanRules {
 public:
  explicit ScanRules(const ScanRequest& request);

  // May this name of a folder that is walked wholly be passed over? Not what is, or leads to, a
  // source.
  [[nodiscard]] bool excludes(const SourceNode* named, std::string_view path, bool is_folder) const;
  // How a folder below `parent` is to be walked: not at all when nothing in it is wanted.
  [[nodiscard]] FolderPlan below(const FolderPlan& parent, const SourceNode* named,
                                 std::string_view path, uint64_t device) const;
  [[nodiscard]] bool exclude_caches() const { return exclude_caches_; }

 private:
  const Excludes* excludes_;
  bool exclude_caches_;
  bool one_file_system_;
};

// Has the folder a CACHEDIR.TAG that says so (https://bford.info/cachedir/)?
bool is_cache_folder(os::Folder& folder);

constexpr const char* kCacheTag = "CACHEDIR.TAG";

}  // namespace cb::client
