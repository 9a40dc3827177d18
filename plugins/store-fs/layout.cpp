// SPDX-License-Identifier: Apache-2.0
//
// See layout.h.
#include "layout.h"

#include <algorithm>

namespace store_fs {

namespace {

bool is_name_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';
}

// Checks that `key` is bytes of names with a '/' at most at its end.
bool is_key(std::string_view key) {
  if (key.empty()) return true;
  const std::string_view body = key.substr(0, key.size() - (key.back() == '/' ? 1 : 0));
  return !body.empty() && std::all_of(body.begin(), body.end(), is_name_byte);
}

}  // namespace

std::string_view bucket_key(std::string_view key, size_t fan_out) { return key.substr(0, fan_out); }

std::string entry_of(std::string_view key, Kind folder) {
  std::string entry(key);
  if (entry.ends_with('/')) entry.back() = ',';
  if (folder == Kind::level) entry += '=';
  return entry;
}

std::string key_of(std::string_view file_name, Kind folder) {
  std::string key(file_name);
  if (folder == Kind::level) {
    if (!key.ends_with('=')) return {};
    key.pop_back();
  }
  if (key.ends_with(',')) key.back() = '/';
  return is_key(key) ? key : std::string();
}

Place place_of(std::string_view name, size_t fan_out) {
  Place place;
  for (;;) {
    const size_t slash = name.find('/');
    const bool last = slash == std::string_view::npos;
    const std::string_view key = last ? name : name.substr(0, slash + 1);
    place.folders.push_back(entry_of(bucket_key(key, fan_out), Kind::level));
    if (last) {
      place.file = entry_of(key, Kind::bucket);
      return place;
    }
    place.folders.push_back(entry_of(key, Kind::bucket));
    name.remove_prefix(slash + 1);
  }
}

}  // namespace store_fs
