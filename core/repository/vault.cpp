// SPDX-License-Identifier: Apache-2.0
//
// The vault: draws names, seals headers and hands out uploads (docs/upload-format.md).
#include <array>
#include <utility>

#include "core/repository/object_format.h"
#include "core/repository/sealed_download.h"
#include "core/repository/sealed_upload.h"
#include "core/repository/upload.h"

namespace cb::repository {
namespace {

constexpr size_t kLongestFileName = 65'535;

// What begins an object: its bytes in wire order, and the seal for its chunks.
struct Beginning {
  Bytes bytes;
  plugin::Seal seal;
};

Result<Beginning> begin_object(const Vault::Parts& parts, const cb_crypto_props& props,
                               const Place& place) {
  CB_ASSIGN(plugin::Encapsulated fresh, parts.server_key->encapsulate(encode_place(place)));
  Header header;
  header.chunk_plain = props.chunk_plain;
  header.seal_header_size = static_cast<uint16_t>(props.header_size);
  header.kem_cipher = std::move(fresh.cipher);
  CB_ASSIGN(Bytes bytes, encode_header(header));
  CB_ASSIGN(plugin::Seal seal, fresh.key.seal(associated_data(place, bytes)));
  const ByteView seal_header = seal.header();
  if (seal_header.size() != props.header_size)
    return failed(Code::internal, "crypto plugin", "wrote a seal header of an unexpected size",
                  "report this to the plugin's author");
  bytes.insert(bytes.end(), seal_header.begin(), seal_header.end());
  return Beginning{std::move(bytes), std::move(seal)};
}

}  // namespace

Vault::Vault(Parts parts) : parts_(parts) {}

Result<std::unique_ptr<Upload>> Vault::begin(const ClientId& client, const std::string& file_name,
                                             uint64_t size_hint) {
  if (file_name.size() > kLongestFileName)
    return failed(Code::invalid, "file name", "is longer than 65,535 bytes");
  std::array<std::byte, kNameRandomSize> random{};
  CB_TRY(parts_.random->fill(random));
  std::string name = object_name(client, random);
  CB_ASSIGN(const cb_crypto_props props, parts_.crypto->props());
  CB_ASSIGN(Beginning beginning, begin_object(parts_, props, Place{client, file_name, name}));
  CB_ASSIGN(plugin::Put put, parts_.store->put_begin(name, size_hint, true));
  CB_TRY(put.write(beginning.bytes));
  const ChunkSizes sizes{props.chunk_plain, props.chunk_overhead};
  return std::make_unique<SealedUpload>(std::move(name), std::move(put), std::move(beginning.seal),
                                        parts_.compress, sizes, beginning.bytes.size());
}

Status Vault::read(const ClientId& client, const std::string& file_name, const std::string& object,
                   const std::function<Status(ByteView)>& sink) {
  return read_sealed(parts_, Place{client, file_name, object}, sink);
}

Status Vault::remove(const std::string& object) { return parts_.store->remove(object); }

}  // namespace cb::repository
