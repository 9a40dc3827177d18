// SPDX-License-Identifier: Apache-2.0
//
// See list.h.
#include "list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cyberbackup/cpp/store.hpp"
#include "folder_reader.h"
#include "modified.h"

namespace store_fs {

namespace sdk = cyberbackup::sdk;

namespace {

// Describes the file `entry`; false when it is gone or no plain file.
bool describe(int folder, const std::string& entry, const std::string& name, cb_object& out) {
  struct stat info {};
  if (::fstatat(folder, entry.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    throw_errno(errno, "cannot describe object " + name);
  }
  if (!S_ISREG(info.st_mode)) return false;
  sdk::set_object(out, name, static_cast<uint64_t>(info.st_size), modified_ns(info));
  return true;
}

}  // namespace

List::List(int objects, size_t fan_out, std::string prefix, std::string after)
    : fan_out_(fan_out), prefix_(std::move(prefix)), after_(std::move(after)) {
  Descriptor top = open_folder(objects, ".");
  if (top) enter(std::move(top), Kind::level, {}, {});
}

bool List::wants_folder(std::string_view start) const {
  const bool prefix_fits = start.starts_with(prefix_) || prefix_.starts_with(start);
  return prefix_fits && (after_.starts_with(start) || start > after_);
}

bool List::wants_name(std::string_view name) const {
  return name > after_ && name.starts_with(prefix_) && sdk::is_store_name(name);
}

void List::enter(Descriptor folder, Kind kind, std::string base, std::string_view bucket) {
  Frame frame{std::move(folder), kind, std::move(base), {}, 0};
  read_folder(frame.folder.get(), [&](const std::string& entry) {
    std::string key = key_of(entry, kind);
    if (key.empty() || (kind == Kind::bucket && bucket_key(key, fan_out_) != bucket)) return;
    const std::string start = frame.base + key;
    const bool is_folder = kind == Kind::level || key.ends_with('/');
    if (is_folder ? wants_folder(start) : wants_name(start)) frame.keys.push_back(std::move(key));
  });
  std::sort(frame.keys.begin(), frame.keys.end());
  frame.keys.erase(std::unique(frame.keys.begin(), frame.keys.end()), frame.keys.end());
  frames_.push_back(std::move(frame));
}

void List::descend(const Frame& from, const std::string& key) {
  Descriptor folder = open_folder(from.folder.get(), entry_of(key, from.kind));
  if (!folder) return;
  if (from.kind == Kind::level)
    enter(std::move(folder), Kind::bucket, from.base, key);
  else
    enter(std::move(folder), Kind::level, from.base + key, {});
}

bool List::next(cb_object& out) {
  while (!frames_.empty()) {
    Frame& top = frames_.back();
    if (top.at == top.keys.size()) {
      frames_.pop_back();
      continue;
    }
    const std::string key = top.keys[top.at++];
    if (top.kind == Kind::level || key.ends_with('/')) {
      descend(top, key);
      continue;
    }
    if (describe(top.folder.get(), entry_of(key, top.kind), top.base + key, out)) return true;
  }
  return false;
}

}  // namespace store_fs
