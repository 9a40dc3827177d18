// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_identity.h"

#include <algorithm>

namespace cb::client {
namespace {

constexpr uint64_t kMaxFile = 64 * 1024;
constexpr size_t kMaxPart = 200;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

os::Path v3_identity_folder(const os::Path& config_folder, const std::string& user_name) {
  const os::Path legacy = config_folder / "legacy";
  if (user_name.size() <= kMaxPart && std::all_of(user_name.begin(), user_name.end(), is_plain))
    return legacy / user_name;
  const std::string digits = to_hex(as_bytes(user_name));
  os::Path folder = legacy / ("hex." + digits.substr(0, kMaxPart));
  for (size_t at = kMaxPart; at < digits.size(); at += kMaxPart)
    folder /= digits.substr(at, kMaxPart);
  return folder;
}

V3IdentityFolder::V3IdentityFolder(os::FileSystem& files, os::Path folder)
    : files_(&files), folder_(std::move(folder)) {}

Result<std::optional<Secret>> V3IdentityFolder::read(const char* name) {
  auto content = os::read_secret_file(*files_, folder_ / name, kMaxFile);
  if (content) return std::optional<Secret>(std::move(*content));
  if (content.error().code == Code::not_found) return std::optional<Secret>();
  return failed(std::move(content).error());
}

Result<V3Identity> V3IdentityFolder::load(const std::string& user_name) {
  V3Identity identity;
  identity.user_name = user_name;
  CB_ASSIGN(auto key_file, read("priv.key"));
  CB_ASSIGN(auto me_file, read("me.info"));
  if (key_file)
    if (auto key = v3::parse_private_key(key_file->view()))
      identity.private_keys.push_back(std::move(*key));
  if (!me_file) return identity;
  auto me = v3::parse_me_info(me_file->view());
  if (!me || me->user_name != user_name) return identity;
  identity.id = me->id;
  identity.complete =
      !me->private_key.empty() && !identity.private_keys.empty() &&
      equal_in_constant_time(identity.private_keys[0].view(), me->private_key.view());
  if (!me->private_key.empty() && !identity.complete)
    identity.private_keys.push_back(std::move(me->private_key));
  return identity;
}

Status V3IdentityFolder::save(const std::string& user_name, const ClientId& id,
                              const Secret& private_key) {
  CB_TRY(files_->make_folders(folder_));
  CB_TRY(os::write_file_atomically(*files_, folder_ / "priv.key", private_key.view()));
  const v3::MeInfo me{user_name, id, private_key.clone()};
  return os::write_file_atomically(*files_, folder_ / "me.info", v3::format_me_info(me).view());
}

}  // namespace cb::client
