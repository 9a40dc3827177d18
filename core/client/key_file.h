// SPDX-License-Identifier: Apache-2.0
//
// A file with one secret of 32 bytes: 64 hex digits, a dash, 8 digits of their SHA-256 and a line
// end, so that damage is told from another key. Functions block and are thread-safe.
#pragma once

#include "core/os/file_system.h"

namespace cb::client {

// The file's bytes.
Secret key_file_text(ByteView secret);

// Code::not_found; Code::corrupt with the file's name when it holds something else.
Result<Secret> read_key_file(os::FileSystem& files, const os::Path& path);

// Replaces the file when its content is another one. 0600, atomically.
Status keep_file(os::FileSystem& files, const os::Path& path, ByteView content);

// Makes a profile's folder so that it is there after a power loss, too: the server is to hear of
// its keys next.
Status make_lasting_folder(os::FileSystem& files, const os::Path& folder);

}  // namespace cb::client
