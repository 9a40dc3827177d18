// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/entry_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "core/base/utf8.h"

namespace cb {

using report::Json;
using repository::Entry;
using repository::EntryKind;

namespace {

// Is it text, for programs that know no other? The C1 controls are not.
bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    if (next.size == 0 || (next.size > 1 && next.is_control())) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

std::string escaped(char c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  if (c == '\\') return "\\\\";
  const std::array<std::byte, 1> one{static_cast<std::byte>(c)};
  return "\\x" + to_hex(one);
}

}  // namespace

std::string shown_path(const std::string& path) {
  std::string shown;
  for (size_t at = 0; at < path.size();) {
    const Utf8Character next = first_character(std::string_view(path).substr(at));
    if (next.is_harmless() && path[at] != '\\') {
      shown += path.substr(at, next.size);
      at += next.size;
      continue;
    }
    // Of what is one character all bytes, so that none of them is left to mean something else.
    for (size_t left = std::max<size_t>(next.size, 1); left > 0; --left)
      shown += escaped(path[at++]);
  }
  return shown;
}

void put_path(Json& json, const std::string& path) {
  if (is_utf8(path)) {
    json["path"] = path;
    return;
  }
  json["path"] = shown_path(path);
  json["path_base64"] = to_base64(as_bytes(path));
}

std::string mode_text(const Entry& entry) {
  static constexpr char kKinds[] = "?-dlpcbs";
  const auto kind = static_cast<size_t>(entry.kind);
  std::string text(1, kind < sizeof(kKinds) - 1 ? kKinds[kind] : '?');
  static constexpr char kBits[] = "rwxrwxrwx";
  for (unsigned i = 0; i < 9; ++i) text += (entry.mode >> (8 - i) & 1) != 0 ? kBits[i] : '-';
  const auto special = [&](uint32_t bit, size_t place, char with, char without) {
    if ((entry.mode & bit) != 0) text[place] = text[place] == 'x' ? with : without;
  };
  special(04000, 3, 's', 'S');
  special(02000, 6, 's', 'S');
  special(01000, 9, 't', 'T');
  return text;
}

std::string time_text(int64_t ns) {
  int64_t seconds = ns / 1'000'000'000;
  if (ns < 0 && ns % 1'000'000'000 != 0) --seconds;
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  if (localtime_r(&time, &parts) == nullptr) return std::to_string(seconds);
  char text[64];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string kind_text(EntryKind kind) {
  switch (kind) {
    case EntryKind::file:
      return "file";
    case EntryKind::folder:
      return "folder";
    case EntryKind::symlink:
      return "symlink";
    case EntryKind::fifo:
      return "fifo";
    case EntryKind::character_device:
      return "character-device";
    case EntryKind::block_device:
      return "block-device";
    case EntryKind::socket:
      return "socket";
  }
  return "unknown";
}

std::string long_line(const Entry& entry) {
  const auto owner = [](const std::string& name, uint32_t number) {
    return name.empty() ? std::to_string(number) : shown_path(name);
  };
  std::string size = std::to_string(entry.size);
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device)
    size = std::to_string(entry.major) + "," + std::to_string(entry.minor);
  const auto padded = [](std::string text, size_t width, bool right) {
    const size_t room = text.size() < width ? width - text.size() : 0;
    return right ? std::string(room, ' ') + text : text + std::string(room, ' ');
  };
  std::string line = mode_text(entry) + " " + padded(owner(entry.user, entry.uid), 8, false) + " " +
                     padded(owner(entry.group, entry.gid), 8, false) + " " +
                     padded(size, 12, true) + " " + time_text(entry.mtime_ns) + " " +
                     shown_path(entry.path);
  if (entry.kind == EntryKind::symlink) line += " -> " + shown_path(entry.target);
  return line;
}

Json json_of(const Entry& entry) {
  Json json = Json::object();
  put_path(json, entry.path);
  json["kind"] = kind_text(entry.kind);
  json["mode"] = entry.mode;
  json["uid"] = entry.uid;
  json["gid"] = entry.gid;
  json["user"] = entry.user;
  json["group"] = entry.group;
  json["size"] = entry.size;
  json["mtime_ns"] = entry.mtime_ns;
  if (entry.kind == EntryKind::symlink) json["target"] = shown_path(entry.target);
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device) {
    json["major"] = entry.major;
    json["minor"] = entry.minor;
  }
  if (entry.inode != 0) json["inode"] = entry.inode;
  if (entry.flags != 0) json["flags"] = entry.flags;
  return json;
}

}  // namespace cb
