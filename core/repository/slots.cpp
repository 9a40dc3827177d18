// SPDX-License-Identifier: Apache-2.0
#include "core/repository/slots.h"

#include <algorithm>
#include <functional>

#include "core/identity/signing.h"
#include "core/repository/signatures.h"
#include "core/repository/slot_sealing.h"

namespace cb::repository {
namespace {

constexpr size_t kSaltSize = 16;
constexpr const char* kDistrust = "do not trust the server with it before you know why";

Error does_not_open(SlotKind kind) {
  if (kind == SlotKind::recovery_code)
    return fail(Code::denied, "recovery code", "does not open the repository's keys",
                "compare every group");
  return fail(Code::denied, "passphrase", "does not open the repository's keys",
              "try again; the recovery code opens them too");
}

Status check_root(const Keyring& keyring, const SigningPublic& root) {
  CB_ASSIGN(const auto key, identity::SigningKey::from_seed(keyring.root_seed.view()));
  if (key.public_key() == root) return {};
  return failed(Code::auth, "key slot", "holds the keys of another owner than it was made for",
                kDistrust);
}

// With the 32 bytes of Argon2id or of the recovery code.
Result<Keyring> open_slot(const plugin::Crypto& crypto, const RepositoryId& repository,
                          const KeySlot& slot, ByteView stretched) {
  const auto as_denied = [&](const Error& error) {
    return failed(error.code == Code::auth ? does_not_open(slot.kind) : error);
  };
  if (slot.cipher.empty()) {
    auto keyring = open_first_format(crypto, repository, slot, stretched);
    if (!keyring) return as_denied(keyring.error());
    return keyring;
  }
  const auto unlocked = unlock_pair({crypto, repository, slot.id}, slot.locked, stretched);
  if (!unlocked) return as_denied(unlocked.error());
  // From here on whoever asks is the right one, and the server's word is in doubt.
  CB_ASSIGN(Keyring keyring, unseal_keyring(crypto, repository, slot, unlocked->pair));
  if (keyring.role != Role::owner)
    return failed(Code::auth, "key slot " + slot.id.hex(), "holds no owner's keys", kDistrust);
  CB_TRY(check_root(keyring, unlocked->root));
  return keyring;
}

Result<Keyring> open_any(const plugin::Crypto& crypto, const RepositoryId& repository,
                         std::span<const KeySlot> slots, SlotKind kind,
                         const std::function<Result<Secret>(const KeySlot&)>& key_of) {
  Error last =
      fail(Code::not_found, "key slots",
           kind == SlotKind::passphrase ? "none has a passphrase" : "none has a recovery code");
  for (const KeySlot& slot : slots) {
    if (slot.kind != kind) continue;
    const auto stretched = key_of(slot);
    if (!stretched) {
      last = stretched.error();
      continue;
    }
    auto keyring = open_slot(crypto, repository, slot, stretched->view());
    if (keyring) return keyring;
    last = std::move(keyring).error();
  }
  return failed(std::move(last));
}

// Gives a slot its pair, and seals the keyring to it.
Status add_pair(const SlotMaker& maker, KeySlot& slot, ByteView stretched) {
  CB_ASSIGN(const auto root, identity::SigningKey::from_seed(maker.keyring.root_seed.view()));
  CB_ASSIGN(const plugin::KeyPair pair, maker.crypto.pair_new());
  CB_ASSIGN(slot.public_half, pair.public_half());
  CB_ASSIGN(slot.locked, lock_pair({maker.crypto, maker.repository, slot.id}, pair,
                                   root.public_key(), stretched));
  CB_TRY(seal_keyring(maker.crypto, maker.repository, slot, pair, maker.keyring));
  // After the cipher: what is signed of a slot depends on its being there.
  CB_ASSIGN(slot.signature, root.sign(signed_part(slot, maker.repository)));
  return {};
}

}  // namespace

Result<Secret> stretch(const KeySlot& slot, std::string_view passphrase) {
  const std::string object = "key slot " + slot.id.hex();
  if (slot.kind != SlotKind::passphrase) return failed(Code::invalid, object, "has no passphrase");
  if (slot.operations > kMostSlotCost.operations || slot.memory > kMostSlotCost.memory)
    return failed(Code::limit, object,
                  "asks for " + std::to_string(slot.operations) + " passes over " +
                      std::to_string(slot.memory) + " bytes, more than this program would spend",
                  "the server may have changed it; use another slot or the recovery code");
  return identity::argon2id(passphrase, slot.salt, slot.operations, slot.memory);
}

Result<KeySlot> make_passphrase_slot(const SlotMaker& maker, std::string_view passphrase,
                                     const SlotCost& cost) {
  KeySlot slot;
  slot.kind = SlotKind::passphrase;
  CB_ASSIGN(slot.id, draw_id<SlotId>(maker.random));
  slot.salt.resize(kSaltSize);
  CB_TRY(maker.random.fill(slot.salt));
  slot.operations = cost.operations;
  slot.memory = cost.memory;
  CB_ASSIGN(const Secret stretched, stretch(slot, passphrase));
  CB_TRY(add_pair(maker, slot, stretched.view()));
  return slot;
}

Result<KeySlot> make_recovery_slot(const SlotMaker& maker, ByteView code) {
  if (code.size() != kRecoveryCodeSize)
    return failed(Code::invalid, "recovery code", "has not 32 bytes");
  KeySlot slot;
  slot.kind = SlotKind::recovery_code;
  CB_ASSIGN(slot.id, draw_id<SlotId>(maker.random));
  CB_TRY(add_pair(maker, slot, code));
  return slot;
}

Result<Keyring> open_with_passphrase(const plugin::Crypto& crypto, const RepositoryId& repository,
                                     std::span<const KeySlot> slots, std::string_view passphrase) {
  return open_any(crypto, repository, slots, SlotKind::passphrase,
                  [&](const KeySlot& slot) { return stretch(slot, passphrase); });
}

Result<Keyring> open_with_recovery_code(const plugin::Crypto& crypto,
                                        const RepositoryId& repository,
                                        std::span<const KeySlot> slots, ByteView code) {
  if (code.size() != kRecoveryCodeSize)
    return failed(Code::invalid, "recovery code", "has not 32 bytes");
  return open_any(crypto, repository, slots, SlotKind::recovery_code,
                  [&](const KeySlot&) -> Result<Secret> { return Secret(code); });
}

Result<KeySlot> reseal_slot(const SlotMaker& maker, const KeySlot& slot) {
  const std::string object = "key slot " + slot.id.hex();
  if (slot.public_half.empty())
    return failed(Code::unsupported, object, "has no pair of keys to seal to");
  CB_ASSIGN(const auto root, identity::SigningKey::from_seed(maker.keyring.root_seed.view()));
  const auto held =
      identity::verify(root.public_key(), signed_part(slot, maker.repository), slot.signature);
  if (!held) return failed(Code::auth, object, "is not one that the owner made", kDistrust);
  CB_ASSIGN(const plugin::KeyPair pair, maker.crypto.import_public(slot.public_half));
  KeySlot fresh = slot;
  CB_TRY(seal_keyring(maker.crypto, maker.repository, fresh, pair, maker.keyring));
  return fresh;
}

Result<KeySlot> renew_slot(const SlotMaker& maker, const KeySlot& slot, std::string_view secret) {
  Secret stretched(as_bytes(secret));
  if (slot.kind == SlotKind::passphrase) {
    CB_ASSIGN(stretched, stretch(slot, secret));
  } else if (secret.size() != kRecoveryCodeSize) {
    return failed(does_not_open(slot.kind));
  }
  CB_TRY(open_slot(maker.crypto, maker.repository, slot, stretched.view()));
  KeySlot fresh = slot;
  fresh.sealed.clear();
  CB_TRY(add_pair(maker, fresh, stretched.view()));
  return fresh;
}

Keyring keyring_of(const Keyring& owner, Role role) {
  Keyring keyring = owner.clone();
  keyring.role = role;
  if (role != Role::owner) keyring.root_seed = Secret();
  if (role == Role::writer) keyring.epochs.clear();
  return keyring;
}

Status check_keyring(const plugin::Crypto& crypto, Keyring& keyring,
                     const RepositoryRecord& record) {
  if (keyring.role == Role::owner) CB_TRY(check_root(keyring, record.root));
  std::vector<Keyring::Private> kept;
  for (Keyring::Private& epoch : keyring.epochs) {
    const auto known = std::find_if(record.epochs.begin(), record.epochs.end(),
                                    [&](const Epoch& one) { return one.number == epoch.epoch; });
    if (known == record.epochs.end()) continue;
    CB_ASSIGN(const plugin::KeyPair pair, crypto.import_private(epoch.half.view()));
    CB_ASSIGN(const Bytes half, pair.public_half());
    if (half != known->public_half)
      return failed(Code::auth, "key epoch " + std::to_string(epoch.epoch),
                    "in the key slot is not the one that the owner signed", kDistrust);
    kept.push_back(std::move(epoch));
  }
  keyring.epochs = std::move(kept);
  return {};
}

}  // namespace cb::repository
