// SPDX-License-Identifier: Apache-2.0
//
// Write keys and new repositories (docs/repository-format.md, "Keys").
#include "core/repository/keys.h"

#include <algorithm>

#include "core/plugin/instance.h"
#include "core/repository/record_writer.h"
#include "core/repository/sealed_blob.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

constexpr size_t kWriteKeySize = 32;

Result<std::array<uint64_t, 256>> gear_table(const plugin::Key& key) {
  std::array<uint64_t, 256> table{};
  constexpr size_t kWords = sizeof(plugin::KeyedId::bytes) / sizeof(uint64_t);
  for (size_t i = 0; i < table.size() / kWords; ++i) {
    std::array<std::byte, 4> number{};
    store_le(number.data(), static_cast<uint32_t>(i));
    CB_ASSIGN(const plugin::KeyedId words, key.id_of(number));
    for (size_t word = 0; word < kWords; ++word)
      table.at(kWords * i + word) = load_le<uint64_t>(words.bytes.data() + 8 * word);
  }
  return table;
}

}  // namespace

Result<WriteKeys> WriteKeys::make(const plugin::Crypto& crypto, const RepositoryId& repository,
                                  ByteView write_key) {
  if (write_key.size() != kWriteKeySize)
    return failed(Code::corrupt, "write key",
                  "has " + std::to_string(write_key.size()) + " bytes, not 32");
  CB_ASSIGN(const plugin::Key root, crypto.import_key(write_key));
  CB_ASSIGN(plugin::Key id, root.derive("id", repository.view()));
  CB_ASSIGN(plugin::Key name, root.derive("name", repository.view()));
  CB_ASSIGN(plugin::Key dedup, root.derive("dedup", repository.view()));
  CB_ASSIGN(const plugin::Key gear, root.derive("gear", repository.view()));
  CB_ASSIGN(plugin::Key piece, root.derive("piece", repository.view()));
  WriteKeys keys(repository, std::move(id), std::move(name), std::move(dedup), std::move(piece));
  CB_ASSIGN(keys.gear_, gear_table(gear));
  return keys;
}

Result<BlobId> WriteKeys::id_in_place(BlobKind kind, std::span<const BlobId> children,
                                      ByteSpan headroom) const {
  if (children.size() > kMaxChildren)
    return failed(Code::limit, "blob",
                  "has " + std::to_string(children.size()) + " children of at most 8192");
  const size_t before = kIdHeadroom + BlobId::kSize * children.size();
  if (kind == BlobKind::session || headroom.size() < before)
    return failed(Code::invalid, "blob", "is none that a keyed hash names");
  std::byte* to = headroom.data();
  *to++ = static_cast<std::byte>(kind);
  store_le(to, static_cast<uint32_t>(children.size()));
  to += sizeof(uint32_t);
  for (const BlobId& child : children) to = std::copy(child.bytes.begin(), child.bytes.end(), to);
  CB_ASSIGN(const plugin::KeyedId id, id_.id_of(headroom));
  return BlobId{id.bytes};
}

Result<BlobId> WriteKeys::id_of(BlobKind kind, std::span<const BlobId> children,
                                ByteView plain) const {
  const size_t before = kIdHeadroom + BlobId::kSize * std::min(children.size(), kMaxChildren);
  thread_local Bytes memory;
  if (memory.size() < before + plain.size()) memory.resize(before + plain.size());
  const ByteSpan whole = ByteSpan(memory).first(before + plain.size());
  std::copy(plain.begin(), plain.end(), whole.begin() + static_cast<ptrdiff_t>(before));
  return id_in_place(kind, children, whole);
}

Result<KeyedHash> WriteKeys::source_hash(const DeviceId& device,
                                         std::vector<std::string> paths) const {
  std::sort(paths.begin(), paths.end());
  RecordWriter writer;
  writer.fixed(as_bytes("source"));
  writer.fixed(device.view());
  writer.list(paths, [&](const std::string& path) { writer.text(path); });
  CB_ASSIGN(const plugin::KeyedId hash, name_.id_of(writer.written()));
  return KeyedHash{hash.bytes};
}

Result<KeyedHash> WriteKeys::tag_hash(std::string_view tag) const {
  RecordWriter writer;
  writer.fixed(as_bytes("tag"));
  writer.fixed(as_bytes(tag));
  CB_ASSIGN(const plugin::KeyedId hash, name_.id_of(writer.written()));
  return KeyedHash{hash.bytes};
}

Result<PieceHash> WriteKeys::piece_hash(ByteView piece) const {
  CB_ASSIGN(const plugin::KeyedId hash, piece_.id_of(piece));
  PieceHash half;
  std::copy_n(hash.bytes.begin(), PieceHash::kSize, half.bytes.begin());
  return half;
}

Result<NewRepository> make_repository(const plugin::Crypto& crypto, os::Random& random,
                                      const RepositoryWish& wish) {
  CB_ASSIGN(identity::SigningKey root, identity::SigningKey::make(random));
  NewRepository made{{}, {}, std::move(root)};
  CB_ASSIGN(made.record.id, draw_id<RepositoryId>(random));
  made.keyring.write_key = Secret(kWriteKeySize);
  CB_TRY(random.fill(made.keyring.write_key.span()));
  made.keyring.root_seed = made.root.seed().clone();
  CB_ASSIGN(const plugin::KeyPair pair, crypto.pair_new());
  CB_ASSIGN(Secret half, pair.private_form());
  CB_ASSIGN(Bytes public_half, pair.public_half());
  made.keyring.epochs.push_back({1, std::move(half)});
  made.record.epochs.push_back({1, std::move(public_half)});
  made.record.suite = crypto.instance()->id();
  made.record.compression = wish.compression;
  made.record.cutting = wish.cutting;
  made.record.created_ns = wish.created_ns;
  CB_TRY(sign_record(made.record, made.root));
  return made;
}

}  // namespace cb::repository
