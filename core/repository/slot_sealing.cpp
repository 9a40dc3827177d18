// SPDX-License-Identifier: Apache-2.0
#include "core/repository/slot_sealing.h"

#include <algorithm>

#include "core/repository/record_writer.h"
#include "core/repository/sealed_stream.h"

namespace cb::repository {
namespace {

// A keyring of a thousand epochs is far shorter.
constexpr size_t kMostSealed = 64 * 1024;

Bytes place_bytes(std::string_view what, const RepositoryId& repository, const SlotId& slot) {
  RecordWriter out;
  out.fixed(as_bytes(what));
  out.fixed(repository.view());
  out.fixed(slot.view());
  return out.take();
}

Bytes lock_data(const SlotPlace& place) {
  return place_bytes("cyberbackup/slot-lock/2", place.repository, place.slot);
}
Bytes seal_data(const RepositoryId& repository, const KeySlot& slot) {
  return place_bytes("cyberbackup/slot/2", repository, slot.id);
}

Bytes first_format_data(const RepositoryId& repository, const KeySlot& slot) {
  KeySlot open = slot;
  open.sealed.clear();
  Bytes before = encode(open);
  before.pop_back();  // the length of nothing
  RecordWriter out;
  out.reserve(64 + before.size());
  out.fixed(as_bytes("cyberbackup/slot/1"));
  out.fixed(repository.view());
  out.fixed(before);
  return out.take();
}

Result<plugin::Key> slot_key(const plugin::Crypto& crypto, const RepositoryId& repository,
                             ByteView stretched) {
  CB_ASSIGN(const plugin::Key key, crypto.import_key(stretched));
  return key.derive("slot", repository.view());
}

Result<Secret> open_bytes(const plugin::Crypto& crypto, const plugin::Key& key, ByteView data,
                          ByteView sealed) {
  if (sealed.size() > kMostSealed)
    return failed(Code::limit, "key slot", "is too long for a keyring");
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(crypto));
  Secret plain(sealed.size());
  CB_ASSIGN(const size_t size, open_stream(key, sizes, data, sealed, plain.span()));
  plain.truncate(size);
  return plain;
}

}  // namespace

Result<Bytes> lock_pair(const SlotPlace& place, const plugin::KeyPair& pair,
                        const SigningPublic& root, ByteView stretched) {
  CB_ASSIGN(const plugin::Key key, slot_key(place.crypto, place.repository, stretched));
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(place.crypto));
  CB_ASSIGN(const Secret half, pair.private_form());
  Secret plain(root.size() + half.size());
  std::copy(root.begin(), root.end(), plain.span().begin());
  std::copy(half.view().begin(), half.view().end(),
            plain.span().begin() + static_cast<ptrdiff_t>(root.size()));
  return seal_stream(key, sizes, lock_data(place), {{}, plain.view()});
}

Result<Unlocked> unlock_pair(const SlotPlace& place, ByteView locked, ByteView stretched) {
  CB_ASSIGN(const plugin::Key key, slot_key(place.crypto, place.repository, stretched));
  CB_ASSIGN(const Secret plain, open_bytes(place.crypto, key, lock_data(place), locked));
  if (plain.size() < kPublicSize)
    return failed(Code::corrupt, "key slot " + place.slot.hex(), "locks no pair of keys");
  SigningPublic root{};
  std::copy_n(plain.view().begin(), root.size(), root.begin());
  CB_ASSIGN(plugin::KeyPair pair, place.crypto.import_private(plain.view().subspan(root.size())));
  return Unlocked{std::move(pair), root};
}

Status seal_keyring(const plugin::Crypto& crypto, const RepositoryId& repository, KeySlot& slot,
                    const plugin::KeyPair& to, const Keyring& keyring) {
  const Bytes data = seal_data(repository, slot);
  CB_ASSIGN(plugin::Encapsulated fresh, to.encapsulate(data));
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(crypto));
  const Secret plain = encode(keyring);
  CB_ASSIGN(slot.sealed, seal_stream(fresh.key, sizes, data, {{}, plain.view()}));
  slot.cipher = std::move(fresh.cipher);
  return {};
}

Result<Keyring> unseal_keyring(const plugin::Crypto& crypto, const RepositoryId& repository,
                               const KeySlot& slot, const plugin::KeyPair& pair) {
  const Bytes data = seal_data(repository, slot);
  const auto key = pair.decapsulate(data, slot.cipher);
  if (!key) return failed(Code::auth, "key slot " + slot.id.hex(), key.error().cause);
  CB_ASSIGN(const Secret plain, open_bytes(crypto, *key, data, slot.sealed));
  return decode_keyring(plain.view());
}

Result<Keyring> open_first_format(const plugin::Crypto& crypto, const RepositoryId& repository,
                                  const KeySlot& slot, ByteView stretched) {
  CB_ASSIGN(const plugin::Key key, slot_key(crypto, repository, stretched));
  CB_ASSIGN(const Secret plain,
            open_bytes(crypto, key, first_format_data(repository, slot), slot.sealed));
  return decode_keyring(plain.view());
}

Result<Bytes> seal_first_format(const plugin::Crypto& crypto, const RepositoryId& repository,
                                const KeySlot& slot_without_sealed, const Keyring& keyring,
                                ByteView stretched) {
  CB_ASSIGN(const plugin::Key key, slot_key(crypto, repository, stretched));
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(crypto));
  const Secret plain = encode(keyring);
  return seal_stream(key, sizes, first_format_data(repository, slot_without_sealed),
                     {{}, plain.view()});
}

}  // namespace cb::repository
