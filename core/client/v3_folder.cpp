// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_folder.h"

#include "core/client/v3_identity.h"

namespace cb::client {
namespace {

constexpr uint64_t kLongest = 64 * 1024;
constexpr const char* kAdvice = "name the folder of the old client with --folder";

// Nothing when there is no such file.
Result<std::optional<v3::TransferInfo>> read_transfer_info(os::FileSystem& files,
                                                           const os::Path& path) {
  const auto content = os::read_file(files, path, kLongest);
  if (!content && content.error().code == Code::not_found) return std::optional<v3::TransferInfo>();
  if (!content) return failed(content.error());
  auto info = v3::parse_transfer_info(as_text(*content));
  if (info) return std::optional<v3::TransferInfo>(std::move(*info));
  info.error().object = path.string();
  return failed(std::move(info).error());
}

// The name in me.info; empty when there is none.
Result<std::string> name_in_me_info(os::FileSystem& files, const os::Path& path) {
  const auto content = os::read_secret_file(files, path, kLongest);
  if (!content && content.error().code == Code::not_found) return std::string();
  if (!content) return failed(content.error());
  auto me = v3::parse_me_info(content->view());
  if (me) return std::move(me->user_name);
  me.error().object = path.string();
  return failed(std::move(me).error());
}

Result<std::string> name_of(os::FileSystem& files, const os::Path& folder, const V3Folder& found,
                            std::string name) {
  if (!name.empty()) return name;
  if (found.info) return found.info->user_name;
  CB_ASSIGN(name, name_in_me_info(files, folder / "me.info"));
  if (!name.empty()) return name;
  return failed(Code::not_found, folder.string(), "has neither transfer.info nor me.info", kAdvice);
}

Status check_identity(os::FileSystem& files, const os::Path& folder, const V3Identity& identity) {
  const os::Path me = folder / "me.info";
  if (!identity.id && !files.info(me))
    return failed(Code::not_found, me.string(), "is missing: this client never registered here",
                  kAdvice);
  if (!identity.id)
    return failed(Code::not_found, me.string(),
                  "is damaged, or is not of client " + identity.user_name, kAdvice);
  if (!identity.private_keys.empty()) return {};
  const os::Path key = folder / "priv.key";
  if (files.info(key))
    return failed(Code::corrupt, key.string(), "holds no private key, and me.info has none either",
                  "bring the file back from a copy");
  return failed(Code::not_found, key.string(), "is missing, and me.info has no key either",
                "bring the file back from a copy; without it only the server's operator has the "
                "files: cyberbackupd legacy export");
}

}  // namespace

Result<V3Folder> read_v3_folder(os::FileSystem& files, const os::Path& folder, std::string name) {
  const auto info = files.info(folder);
  if (!info && info.error().code == Code::not_found)
    return failed(Code::not_found, folder.string(), "is not there", kAdvice);
  if (!info) return failed(info.error());
  V3Folder found;
  CB_ASSIGN(found.info, read_transfer_info(files, folder / "transfer.info"));
  CB_ASSIGN(found.name, name_of(files, folder, found, std::move(name)));
  CB_ASSIGN(V3Identity identity, V3IdentityFolder(files, folder).load(found.name));
  CB_TRY(check_identity(files, folder, identity));
  found.id = *identity.id;
  found.private_keys = std::move(identity.private_keys);
  return found;
}

}  // namespace cb::client
