// SPDX-License-Identifier: Apache-2.0
//
// What a device keeps about its account: where the server is, what to pin, and its keys. Lies in
// <config>/profiles/<name>/, files 0600. Functions block; use a profile by one process at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/os/file_system.h"
#include "core/repository/records.h"

namespace cb::client {

struct Profile {
  std::vector<std::string> servers;  // "host:port", tried in turn
  std::string pin;                   // SHA-256 of the server's SubjectPublicKeyInfo, 64 hex digits
  std::string account;
  repository::RepositoryId repository;
  repository::SigningPublic root{};  // of the owner: certifies record and devices
  repository::RepositoryRecord record;
  repository::Role role = repository::Role::owner;
  Secret device_seed;  // Ed25519
  Secret write_key;    // empty for readers
  Bytes reader_lock;   // a reader's DeviceLock as a record; else empty
  // As --limit-upload and --limit-download when those are not given; not checked here.
  std::string limit_upload, limit_download;

  [[nodiscard]] Profile clone() const;
};

// "owner", "writer", "reader"; the way back is Code::invalid for another.
std::string name_of(repository::Role role);
Result<repository::Role> role_of(const std::string& name);

// Code::not_found when there is none (advice: enroll), Code::corrupt with the file's name,
// Code::unsupported when a newer program wrote it.
Result<Profile> load_profile(os::FileSystem& files, const os::Path& folder);
// Each file is replaced atomically; the last one written makes a new profile valid.
Status save_profile(os::FileSystem& files, const os::Path& folder, const Profile& profile);

struct RecordRule {
  uint64_t known = 0;         // the revision that was known before the server was asked
  bool any_revision = false;  // after a documented restore of the server
};
// A record that is older than the known one is a revocation undone: Code::denied.
Status check_revision(const repository::RepositoryRecord& shown, const RecordRule& rule);
// Keeps the verified record that a server showed, unless another process kept a newer one
// meanwhile; several processes may do this at a time. An older one than was known is refused as
// above, or with any_revision it is kept, and the answer is true.
Result<bool> keep_record(os::FileSystem& files, const os::Path& folder,
                         const repository::RepositoryRecord& shown, const RecordRule& rule);

// Is there a profile, damaged or not?
bool has_profile(os::FileSystem& files, const os::Path& folder);

// What profile.json holds: everything but the keys, which lie in files beside it. What is known of
// the account's history lies there, too (receipts.h).
std::string profile_text(const Profile& profile);
// `object` names the text in errors.
Result<Profile> parse_profile_text(std::string_view text, const std::string& object);

// <config>/profiles/<name>; Code::invalid for a name that is no plain file name.
Result<os::Path> profile_folder(const os::Path& config_folder, const std::string& name);

}  // namespace cb::client
