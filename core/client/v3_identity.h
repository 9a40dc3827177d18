// SPDX-License-Identifier: Apache-2.0
//
// Who a v3 client is: its id and private key, kept as me.info and priv.key in a folder, as the old
// clients did. Used by one thread at a time; functions block.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/os/file_system.h"
#include "core/protocol/v3/identity_files.h"

namespace cb::client {

struct V3Identity {
  std::string user_name;
  std::optional<ClientId> id;  // none: not registered
  // PKCS#8 DER, the likeliest first: priv.key, then line 3 of me.info. Empty: none yet.
  std::vector<Secret> private_keys;
  bool complete = false;  // both files are there and hold the same key
};

class V3IdentityFolder {
 public:
  // `files` outlives this. The folder need not exist.
  V3IdentityFolder(os::FileSystem& files, os::Path folder);

  // Reads what is there. A me.info of another name, or a damaged one, counts as not registered; the
  // key of priv.key is used all the same. A file that exists and cannot be read is an error.
  Result<V3Identity> load(const std::string& user_name);

  // Writes priv.key, then me.info, each atomically and for the owner alone.
  Status save(const std::string& user_name, const ClientId& id, const Secret& private_key);

  [[nodiscard]] const os::Path& folder() const { return folder_; }

 private:
  Result<std::optional<Secret>> read(const char* name);

  os::FileSystem* files_;
  os::Path folder_;
};

// The folder of a name inside the configuration folder: legacy/NAME when the name is fit for a file
// name, else legacy/hex.DIGITS (in parts of 200).
os::Path v3_identity_folder(const os::Path& config_folder, const std::string& user_name);

}  // namespace cb::client
