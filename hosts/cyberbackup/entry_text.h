// SPDX-License-Identifier: Apache-2.0
//
// Entries of snapshots as people and scripts read them. Functions are pure, but for the time zone.
#pragma once

#include <string>

#include "core/report/json.h"
#include "core/repository/entry.h"

namespace cb {

// A path that can be shown: control characters, those that turn the direction of text, bytes that
// are no UTF-8, and backslashes become escapes ("\n", "\xff", "\\"), so that each path has one text
// and steers no terminal.
std::string shown_path(const std::string& path);

// Sets "path"; when the path is no UTF-8 that is its shown form, and "path_base64" has its bytes.
void put_path(report::Json& json, const std::string& path);

// "-rw-r--r--", "drwxr-xr-x" ...
std::string mode_text(const repository::Entry& entry);

// "2026-11-23 22:17:39" in local time.
std::string time_text(int64_t ns);

// "file", "folder", "symlink" ...
std::string kind_text(repository::EntryKind kind);

// The line of a long listing.
std::string long_line(const repository::Entry& entry);

// path, kind, mode, owners, size, mtime and what the kind has.
report::Json json_of(const repository::Entry& entry);

}  // namespace cb
