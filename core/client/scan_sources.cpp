// SPDX-License-Identifier: Apache-2.0
#include "core/client/scan_sources.h"

#include <algorithm>
#include <array>

namespace cb::client {
namespace {

constexpr std::string_view kCacheSignature = "Signature: 8a477f597d28d172789f06886806bc55";

// Where a source really is; what it is itself is not followed, unless it says so with a slash.
Result<std::string> resolved(os::Tree& tree, const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return std::string("/");
  const size_t slash = path.rfind('/', end);
  const std::string name = path.substr(slash + 1, end - slash);
  if (name == "." || name == ".." || end + 1 < path.size()) return tree.resolve(path);
  CB_ASSIGN(const std::string parent, tree.resolve(path.substr(0, slash + 1)));
  CB_ASSIGN(const std::shared_ptr<os::Folder> folder, tree.open(parent));
  CB_TRY(folder->stat_name(name));
  return parent == "/" ? parent + name : parent + "/" + name;
}

}  // namespace

Result<std::vector<std::string>> snapshot_sources(
    os::Tree& tree, const std::vector<std::string>& paths,
    const std::function<void(const std::string& path, Error)>& problem) {
  std::vector<std::string> sources;
  for (const std::string& path : paths) {
    if (!path.starts_with('/') || path.find('\0') != std::string::npos)
      return failed(Code::invalid, path, "is not an absolute path");
    auto real = resolved(tree, path);
    if (real) {
      sources.push_back(real->substr(1));
    } else if (problem) {
      problem(path.substr(1), std::move(real).error());
    }
  }
  if (sources.empty())
    return failed(Code::io, paths.empty() ? "the sources" : paths.front(),
                  "none of the sources can be reached", "look whether the paths are right");
  std::sort(sources.begin(), sources.end(), [](const std::string& a, const std::string& b) {
    return repository::compare_paths(a, b) < 0;
  });
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  return sources;
}

const SourceNode* SourceNode::find(std::string_view name) const {
  const auto found = below.find(name);
  return found == below.end() ? nullptr : found->second.get();
}

std::unique_ptr<SourceNode> source_tree(const std::vector<std::string>& sources) {
  auto root = std::make_unique<SourceNode>();
  for (const std::string& path : sources) {
    SourceNode* node = root.get();
    for (size_t start = 0, end = 0; start < path.size(); start = end + 1) {
      end = std::min(path.find('/', start), path.size());
      auto& child = node->below[path.substr(start, end - start)];
      if (child == nullptr) child = std::make_unique<SourceNode>();
      node = child.get();
    }
    node->source = true;
  }
  return root;
}

ScanRules::ScanRules(const ScanRequest& request)
    : excludes_(request.excludes),
      exclude_caches_(request.exclude_caches),
      one_file_system_(request.one_file_system) {}

bool ScanRules::excludes(const SourceNode* named, std::string_view path, bool is_folder) const {
  if (excludes_ == nullptr || excludes_->empty() || named != nullptr) return false;
  return excludes_->match(path, is_folder);
}

FolderPlan ScanRules::below(const FolderPlan& parent, const SourceNode* named,
                            std::string_view path, uint64_t device) const {
  FolderPlan plan;
  plan.named = named;
  const bool chosen = named != nullptr && named->source;
  plan.device = chosen ? device : parent.device;
  const bool elsewhere = one_file_system_ && device != parent.device;
  const bool passed_over = named != nullptr && excludes_ != nullptr && excludes_->match(path, true);
  plan.all = chosen || (parent.all && !elsewhere && !passed_over);
  return plan;
}

bool is_cache_folder(os::Folder& folder) {
  const auto stat = folder.stat_name(kCacheTag);
  if (!stat || !stat->is_regular()) return false;
  const auto tag = folder.open_file(kCacheTag);
  if (!tag) return false;
  std::array<std::byte, kCacheSignature.size()> start{};
  const auto n = (*tag)->read_at(start, 0);
  return n && as_text(ByteView(start).first(*n)) == kCacheSignature;
}

}  // namespace cb::client
