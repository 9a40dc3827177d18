// SPDX-License-Identifier: Apache-2.0
//
// Where an old server of protocol v3 kept its files, and how it wrote paths and times down.
// Functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/id.h"

namespace cb::server {

// The folders that old servers kept files in, below their own: one for all clients, or a folder for
// each client's id.
constexpr const char* kFlatFolder = "received_files";
constexpr const char* kClientFolders[] = {"client_folders", "users", "files"};

// Where the file may lie that a row calls `written`: paths below the server's folder, with '/', the
// most telling first. They are the last components of what is written, down to the name alone, then
// where servers put a file `name` of this client. Without "..": a path that has it leads nowhere.
std::vector<std::string> places_of(std::string_view written, const ClientId& client,
                                   std::string_view name);

// The folder and the last component of a path of such a list.
std::string folder_of(std::string_view path);
std::string name_in(std::string_view path);

// The client whose folder this is by its name: 32 hex digits or a dashed UUID.
std::optional<ClientId> client_of_folder(std::string_view folder);

// The id with its dashes.
std::string uuid_text(const ClientId& id);

// "2026-11-23T16:45:17.764391", also with a space in the middle and with "Z", "+01:00", or both,
// behind; nanoseconds since 1970 UTC. A time without a zone is taken for UTC.
std::optional<int64_t> parse_source_time(std::string_view text);

}  // namespace cb::server
