// SPDX-License-Identifier: Apache-2.0
//
// The seam between protocol v3 and storage: an upload goes in as plain bytes of unknown chunking,
// and one sealed object comes to lie in the store (docs/upload-format.md). Each Upload and Download
// is used by one thread at a time and blocks; a Vault may be used by several.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/os/random.h"
#include "core/plugin/compress.h"
#include "core/plugin/crypto.h"
#include "core/plugin/store.h"

namespace cb::repository {

// The store's names of uploads begin with this.
inline constexpr std::string_view kUploadPrefix = "v3/";

class Upload {
 public:
  virtual ~Upload() = default;  // leaves nothing behind unless committed

  // Compresses, seals and stores; keeps at most one chunk in memory.
  virtual Status write(ByteView plain) = 0;
  // Seals the last chunk and makes the object durable. The Upload is spent.
  virtual Status commit() = 0;

  [[nodiscard]] virtual const std::string& object_name() const = 0;
  // Bytes written to the store so far.
  [[nodiscard]] virtual uint64_t stored_size() const = 0;
};

// The server's sealed storage of v3 uploads.
class Vault {
 public:
  struct Parts {
    plugin::Store* store = nullptr;
    plugin::Crypto* crypto = nullptr;  // authenticated suite
    plugin::Compress* compress = nullptr;
    const plugin::KeyPair* server_key = nullptr;
    os::Random* random = nullptr;  // for object names
  };
  explicit Vault(Parts parts);

  // Begins an upload whose place (account and file) is bound into every chunk.
  Result<std::unique_ptr<Upload>> begin(const ClientId& client, const std::string& file_name,
                                        uint64_t size_hint);

  // Opens an object of the same place and gives its plain bytes, in order, to `sink`.
  Status read(const ClientId& client, const std::string& file_name, const std::string& object,
              const std::function<Status(ByteView)>& sink);

  Status remove(const std::string& object);

 private:
  Parts parts_;
};

}  // namespace cb::repository
