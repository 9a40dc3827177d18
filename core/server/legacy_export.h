// SPDX-License-Identifier: Apache-2.0
//
// Gives the plain files of v3 clients back. Blocks; for one thread.
#pragma once

#include <optional>
#include <string>

#include "core/server/backend.h"

namespace cb::server {

struct ExportRequest {
  std::string client;
  std::string file;                 // empty = all files
  std::optional<uint64_t> version;  // nothing = the newest; needs `file`
  os::Path to;                      // folder; made if need be
};

struct ExportedFile {
  std::string name;  // as stored
  os::Path path;     // where it was written
  uint64_t version = 0;
  uint64_t size = 0;
};

// Writes each file under its name inside `to`, by temporary name and rename; a file of that name is
// replaced. Code::not_found names the client, file or version. A name that cannot be one in a
// folder (".", "..", with a slash) is escaped, so nothing is ever written outside `to`.
Result<std::vector<ExportedFile>> export_legacy(const ExportRequest& request, Backend& backend,
                                                os::FileSystem& files);

// `name` as the name of a file in a folder: control characters, slashes, per cent signs, and the
// dots of "." and "..", become %XX.
std::string safe_file_name(const std::string& name);

}  // namespace cb::server
