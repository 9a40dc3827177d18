// SPDX-License-Identifier: Apache-2.0
//
// The database that another server of protocol v3 kept, whichever it was: who its clients are and
// what they sent, as plain rows. Nothing is ever written to it or beside it. For one thread;
// functions block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/id.h"
#include "core/os/file_system.h"

namespace cb::catalog {

struct SourceClient {
  ClientId id;
  std::string name;       // bytes as stored, without zero padding
  Bytes public_key;       // as it stands there, perhaps with garbage behind it; empty: none
  std::string last_seen;  // as written
};

// What is said of a file by one row. Some servers add a row at every event.
struct SourceRow {
  ClientId client;
  std::string file_name;  // as sent, without zero padding
  std::string path;       // as written, with slashes of either kind
  bool verified = false;  // the client confirmed the checksum
  std::optional<uint64_t> size;
  std::string date;             // as written; empty: none
  std::optional<uint32_t> crc;  // POSIX cksum
};

struct LegacySource {
  std::vector<SourceClient> clients;  // in the order of their rows
  std::vector<SourceRow> rows;        // the same: the newest last
  std::vector<std::string> doubts;    // a sentence for each row that makes no sense
};

// Reads the database `file` from a private copy in a folder below `scratch`, which is made if need
// be. Nothing stays there, and what a killed reading left is removed. Tables and columns are found
// by their names. Code::invalid for a database of something else, Code::corrupt for a
// damaged one, Code::busy when somebody writes to it meanwhile.
Result<LegacySource> read_legacy_source(const os::Path& file, const os::Path& scratch,
                                        os::FileSystem& files);

// An id as 16 raw bytes, 32 hex digits or a dashed UUID.
std::optional<ClientId> parse_source_id(std::string_view bytes);

}  // namespace cb::catalog
