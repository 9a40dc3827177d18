// SPDX-License-Identifier: Apache-2.0
//
// What the folder of an old client says: transfer.info, me.info and priv.key, in all forms that the
// known clients write. Only reads. Functions block and are thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/os/file_system.h"
#include "core/protocol/v3/identity_files.h"

namespace cb::client {

struct V3Folder {
  std::string name;  // of the client
  ClientId id;
  std::vector<Secret> private_keys;      // PKCS#8 DER, the likeliest first; at least one
  std::optional<v3::TransferInfo> info;  // of transfer.info, where there is one
};

// `name` is the client's, or empty: as transfer.info says, or me.info where that is missing.
// Code::not_found when there is no such folder, or what identifies the client is missing from it;
// Code::corrupt for a key that cannot be read. All say what to do.
Result<V3Folder> read_v3_folder(os::FileSystem& files, const os::Path& folder, std::string name);

}  // namespace cb::client
