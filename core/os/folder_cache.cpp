// SPDX-License-Identifier: Apache-2.0
#include "core/os/folder_cache.h"

#include <algorithm>

namespace cb::os {
namespace {

std::string_view parent_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

FolderCache::FolderCache(std::shared_ptr<Folder> root, size_t capacity)
    : root_(std::move(root)), capacity_(std::max<size_t>(capacity, 1)) {}

std::shared_ptr<Folder> FolderCache::find(std::string_view path) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(path);
  if (found == index_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->folder;
}

void FolderCache::keep(std::string_view path, std::shared_ptr<Folder> folder) {
  const std::lock_guard lock(mutex_);
  if (index_.contains(path)) return;  // another thread was faster
  kept_.push_front({std::string(path), std::move(folder)});
  index_.emplace(kept_.front().path, kept_.begin());
  if (kept_.size() <= capacity_) return;
  index_.erase(kept_.back().path);
  kept_.pop_back();
}

Result<std::shared_ptr<Folder>> FolderCache::open(std::string_view path) {
  std::string_view have = path;
  std::shared_ptr<Folder> folder;
  while (!have.empty() && (folder = find(have)) == nullptr) have = parent_of(have);
  if (folder == nullptr) folder = root_;
  while (have.size() < path.size()) {
    const size_t start = have.empty() ? 0 : have.size() + 1;
    const size_t end = std::min(path.find('/', start), path.size());
    CB_ASSIGN(folder, folder->open_folder(std::string(path.substr(start, end - start))));
    have = path.substr(0, end);
    keep(have, folder);
  }
  return folder;
}

void FolderCache::forget(std::string_view path) {
  const std::lock_guard lock(mutex_);
  for (auto it = kept_.begin(); it != kept_.end();) {
    const bool below =
        it->path.starts_with(path) &&
        (path.empty() || it->path.size() == path.size() || it->path[path.size()] == '/');
    if (below) index_.erase(it->path);
    it = below ? kept_.erase(it) : std::next(it);
  }
}

}  // namespace cb::os
