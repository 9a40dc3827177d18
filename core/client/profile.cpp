// SPDX-License-Identifier: Apache-2.0
//
// <profile>/profile.json, device.key, write.key (not for readers) and reader.key (for readers).
#include "core/client/profile.h"

#include <sys/file.h>

#include <algorithm>

#include "core/client/key_file.h"
#include "core/identity/signing.h"
#include "core/report/json.h"
#include "core/repository/signatures.h"
#include "core/repository/slots.h"

namespace cb::client {
namespace {

using report::Json;

constexpr const char* kDescription = "profile.json";
constexpr const char* kLock = "lock";  // for whoever replaces the others
constexpr const char* kDeviceKey = "device.key";
constexpr const char* kWriteKey = "write.key";
constexpr const char* kReaderKey = "reader.key";
constexpr int kVersion = 1;
constexpr uint64_t kLongestProfile = 1 << 20;
constexpr size_t kLongestName = 100;

constexpr const char* kBringBack = "bring the file back from a copy, or enrol this device anew";

Error damaged(const std::string& object, const std::string& cause) {
  return fail(Code::corrupt, object, cause, kBringBack);
}

Status read_servers(const Json& json, std::vector<std::string>& servers) {
  const auto found = json.find("servers");
  if (found == json.end() || !found->is_array() || found->empty())
    return failed(Code::corrupt, {}, "names no server");
  for (const Json& server : *found) {
    if (!server.is_string()) return failed(Code::corrupt, {}, "has a server that is no text");
    servers.push_back(server.get<std::string>());
  }
  return {};
}

Status check_version(const Json& json) {
  const auto version = json.is_object() ? json.find("version") : json.end();
  if (!json.is_object() || version == json.end() || !version->is_number_integer())
    return failed(Code::corrupt, {}, "is not the description of a profile");
  if (*version == kVersion) return {};
  return failed(Code::unsupported, {},
                "is of version " + version->dump() + ", this program knows 1");
}

Status read_description(std::string_view text, Profile& profile) {
  CB_ASSIGN(const Json json, report::parse_json(text));
  CB_TRY(check_version(json));
  CB_TRY(read_servers(json, profile.servers));
  profile.pin = report::text_of(json, "pin");
  const auto pin = from_hex(profile.pin);
  if (!pin || pin->size() != 32) return failed(Code::corrupt, {}, "has no pin of 64 hex digits");
  profile.account = report::text_of(json, "account");
  const auto role = role_of(report::text_of(json, "role"));
  if (!role) return failed(Code::corrupt, {}, "names no known role");
  profile.role = *role;
  profile.limit_upload = report::text_of(json, "limit_upload");
  profile.limit_download = report::text_of(json, "limit_download");
  CB_ASSIGN(profile.repository,
            repository::RepositoryId::from_hex_text(report::text_of(json, "repository")));
  using RootId = Id<struct RootTag, repository::kPublicSize>;
  CB_ASSIGN(const RootId root, RootId::from_hex_text(report::text_of(json, "owner_key")));
  profile.root = root.bytes;
  CB_ASSIGN(const Bytes record, from_base64(report::text_of(json, "repository_record")));
  CB_ASSIGN(profile.record, repository::decode_repository(record));
  if (profile.record.id != profile.repository)
    return failed(Code::corrupt, {}, "has the record of another repository");
  return repository::verify_record(profile.record, profile.root);
}

// A key file that must be there because the description is.
Result<Secret> needed_key(os::FileSystem& files, const os::Path& path) {
  auto key = read_key_file(files, path);
  if (!key && key.error().code == Code::not_found)
    return failed(damaged(path.string(), "is missing, though the profile is there"));
  return key;
}

// The record and its SHA-256, so that damage is told from a wrong passphrase.
Result<Bytes> read_reader_lock(os::FileSystem& files, const os::Path& path) {
  auto content = os::read_file(files, path, kLongestProfile);
  if (!content && content.error().code == Code::not_found)
    return failed(damaged(path.string(), "is missing, though the profile is there"));
  if (!content) return content;
  const size_t size = content->size() - std::min(content->size(), sizeof(identity::Hash));
  const ByteView lock = ByteView(*content).first(size);
  const identity::Hash hash = identity::sha256(lock);
  const bool whole = std::equal(content->begin() + static_cast<ptrdiff_t>(size), content->end(),
                                hash.begin(), hash.end());
  if (!whole || !repository::decode_device_lock(lock))
    return failed(damaged(path.string(), "does not hold the key that was written there"));
  content->resize(size);
  return content;
}

Bytes reader_lock_file(const Bytes& lock) {
  const identity::Hash hash = identity::sha256(lock);
  Bytes content = lock;
  content.insert(content.end(), hash.begin(), hash.end());
  return content;
}

}  // namespace

std::string name_of(repository::Role role) {
  switch (role) {
    case repository::Role::owner:
      return "owner";
    case repository::Role::writer:
      return "writer";
    case repository::Role::reader:
      return "reader";
  }
  return {};
}

Result<repository::Role> role_of(const std::string& name) {
  for (const auto role :
       {repository::Role::owner, repository::Role::writer, repository::Role::reader})
    if (name_of(role) == name) return role;
  return failed(Code::invalid, "role '" + name + "'", "is none of owner, writer and reader");
}

Profile Profile::clone() const {
  Profile copy;
  copy.servers = servers;
  copy.pin = pin;
  copy.account = account;
  copy.repository = repository;
  copy.root = root;
  copy.record = record;
  copy.role = role;
  copy.device_seed = device_seed.clone();
  copy.write_key = write_key.clone();
  copy.reader_lock = reader_lock;
  copy.limit_upload = limit_upload;
  copy.limit_download = limit_download;
  return copy;
}

std::string profile_text(const Profile& profile) {
  Json json = {{"version", kVersion},
               {"servers", profile.servers},
               {"pin", profile.pin},
               {"account", profile.account},
               {"role", name_of(profile.role)},
               {"repository", profile.repository.hex()},
               {"owner_key", to_hex(profile.root)},
               {"repository_record", to_base64(repository::encode(profile.record))}};
  if (!profile.limit_upload.empty()) json["limit_upload"] = profile.limit_upload;
  if (!profile.limit_download.empty()) json["limit_download"] = profile.limit_download;
  return report::json_text(json) + "\n";
}

Result<Profile> parse_profile_text(std::string_view text, const std::string& object) {
  Profile profile;
  const Status read = read_description(text, profile);
  if (read) return profile;
  if (read.error().code == Code::unsupported)
    return failed(Code::unsupported, object, read.error().cause, "use a newer program");
  return failed(damaged(object, read.error().cause));
}

bool has_profile(os::FileSystem& files, const os::Path& folder) {
  return files.info(folder / kDescription).has_value();
}

Result<Profile> load_profile(os::FileSystem& files, const os::Path& folder) {
  const os::Path description = folder / kDescription;
  const auto text = os::read_file(files, description, kLongestProfile);
  if (!text && text.error().code == Code::not_found)
    return failed(Code::not_found, "profile " + folder.filename().string(),
                  "is not there: " + description.string() + " is missing",
                  "enrol this device with `cyberbackup enroll TOKEN`, or choose with --profile");
  if (!text) return failed(text.error());
  CB_ASSIGN(Profile profile, parse_profile_text(as_text(*text), description.string()));
  CB_ASSIGN(profile.device_seed, needed_key(files, folder / kDeviceKey));
  if (profile.role != repository::Role::reader) {
    CB_ASSIGN(profile.write_key, needed_key(files, folder / kWriteKey));
  } else {
    CB_ASSIGN(profile.reader_lock, read_reader_lock(files, folder / kReaderKey));
  }
  return profile;
}

Status save_profile(os::FileSystem& files, const os::Path& folder, const Profile& profile) {
  CB_TRY(files.make_folders(folder));
  CB_TRY(keep_file(files, folder / kDeviceKey, key_file_text(profile.device_seed.view()).view()));
  if (!profile.write_key.empty())
    CB_TRY(keep_file(files, folder / kWriteKey, key_file_text(profile.write_key.view()).view()));
  if (!profile.reader_lock.empty())
    CB_TRY(keep_file(files, folder / kReaderKey, reader_lock_file(profile.reader_lock)));
  return keep_file(files, folder / kDescription, as_bytes(profile_text(profile)));
}

Status check_revision(const repository::RepositoryRecord& shown, const RecordRule& rule) {
  if (rule.any_revision || shown.revision >= rule.known) return {};
  return failed(Code::denied, "repository " + shown.id.hex(),
                "has revision " + std::to_string(shown.revision) +
                    " of its record, but this device knows " + std::to_string(rule.known) +
                    ": the server was set back, or hides a revocation",
                "ask the operator what happened; if the server was restored from a backup, run "
                "the command once with --accept-rollback");
}

Result<bool> keep_record(os::FileSystem& files, const os::Path& folder,
                         const repository::RepositoryRecord& shown, const RecordRule& rule) {
  CB_TRY(check_revision(shown, rule));
  if (shown.revision == rule.known) return false;
  CB_ASSIGN(const auto lock, files.open(folder / kLock, os::Open::update));
  if (::flock(lock->fd(), LOCK_EX) != 0)
    return failed(fail_errno(errno, (folder / kLock).string(), "locking"));
  CB_ASSIGN(Profile profile, load_profile(files, folder));
  const uint64_t there = profile.record.revision;
  if (there == shown.revision || (there > shown.revision && !rule.any_revision)) return false;
  profile.record = shown;
  CB_TRY(save_profile(files, folder, profile));
  return there > shown.revision;
}

Result<os::Path> profile_folder(const os::Path& config_folder, const std::string& name) {
  const bool plain = !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
                     std::none_of(name.begin(), name.end(), [](char c) {
                       return c == '/' || c == '\x7f' || static_cast<unsigned char>(c) < ' ';
                     });
  if (plain) return config_folder / "profiles" / name;
  return failed(Code::invalid, "profile '" + name + "'", "is no name for a profile",
                "use letters, digits, '-' and '_'");
}

}  // namespace cb::client
