// SPDX-License-Identifier: Apache-2.0
//
// What an import of an old server's database and files would do: whose each file is, when it is
// from, and what is doubtful about it. Planning reads the files and changes nothing. For one
// thread; functions block.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/catalog/legacy_source.h"
#include "core/server/legacy_files.h"

namespace cb::server {

enum class ImportFate {
  take,    // is to come, or came
  there,   // is here already
  skip,    // is not imported: why says the reason
  failed,  // could not be read
  left     // was not reached: the import stopped before
};

struct PlannedClient {
  ImportFate fate = ImportFate::take;
  ClientId id;
  std::string name;      // here
  std::string old_name;  // there
  Bytes public_key;      // canonical; empty: none, or none that can be used
  int64_t created_ns = 0;
  int64_t last_seen_ns = 0;      // 0: not known
  bool adds_key = false;         // it is here without its key
  std::vector<std::string> why;  // doubts, or the reason for not taking it
};

struct PlannedFile {
  ImportFate fate = ImportFate::take;
  ClientId owner;          // here
  std::string file_name;   // here
  std::string source;      // path below the folder; empty: there is none
  LegacyContent content;   // of those that were read
  int64_t date_ns = 0;     // the version's
  bool confirmed = false;  // its client confirmed the checksum
  std::vector<std::string> why;
};

struct ImportPlan {
  std::vector<PlannedClient> clients;  // by name
  std::vector<PlannedFile> files;      // by owner, then by date: the order of their versions
  std::vector<std::string> doubts;     // about the database as a whole
};

struct ImportInput {
  catalog::LegacySource source;
  // What this server has.
  std::vector<catalog::LegacyClient> clients;
  std::map<ClientId, std::vector<catalog::LegacyVersion>> versions;
  std::set<ClientId> migrated;  // clients whose repository is their own
  // The canonical form of a public key; an error for one that cannot be used.
  std::function<Result<Bytes>(ByteView)> canonical_key;
  std::set<std::string> not_files;  // names right in the folder that are the old server's own
  int64_t now_ns = 0;
};

// An error of the whole is one of the folder's; what cannot be read below is in the plan.
Result<ImportPlan> plan_import(const ImportInput& input, LegacyFiles& files);

// The client that files without an owner come to. It can never log in: v3::check_user_name refuses
// its name.
const ClientId& ownerless_id();

}  // namespace cb::server
