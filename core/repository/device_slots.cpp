// SPDX-License-Identifier: Apache-2.0
//
// The slots of readers: sealed to a pair of their own, whose private half no server has.
#include <algorithm>

#include "core/identity/signing.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"
#include "core/repository/slot_sealing.h"

namespace cb::repository {
namespace {

constexpr size_t kSaltSize = 16;

SlotId slot_of(const DeviceId& device) { return SlotId{device.bytes}; }

Result<Secret> stretch_lock(const DeviceLock& lock, std::string_view passphrase) {
  KeySlot like;
  like.salt = lock.salt;
  like.operations = lock.operations;
  like.memory = lock.memory;
  return stretch(like, passphrase);
}

}  // namespace

Bytes encode(const DeviceLock& lock) {
  RecordWriter to;
  to.uint(1);
  to.bytes(lock.salt);
  to.uint(lock.operations);
  to.uint(lock.memory);
  to.bytes(lock.locked);
  return to.take();
}

Result<DeviceLock> decode_device_lock(ByteView bytes) {
  RecordReader from(bytes, "device lock");
  from.version();
  DeviceLock lock;
  lock.salt = to_bytes(from.bytes());
  lock.operations = from.uint();
  lock.memory = from.uint();
  lock.locked = to_bytes(from.bytes());
  CB_TRY(from.done());
  return lock;
}

Result<MadeDeviceLock> make_device_lock(const DeviceSlotPlace& place, os::Random& random,
                                        std::string_view passphrase, const SlotCost& cost) {
  MadeDeviceLock made;
  made.lock.salt.resize(kSaltSize);
  CB_TRY(random.fill(made.lock.salt));
  made.lock.operations = cost.operations;
  made.lock.memory = cost.memory;
  CB_ASSIGN(const Secret stretched, stretch_lock(made.lock, passphrase));
  CB_ASSIGN(const plugin::KeyPair pair, place.crypto.pair_new());
  CB_ASSIGN(made.kem_public, pair.public_half());
  const SlotId slot = slot_of(place.device);
  CB_ASSIGN(made.lock.locked,
            lock_pair({place.crypto, place.repository, slot}, pair, place.root, stretched.view()));
  return made;
}

Result<KeySlot> make_device_slot(const DeviceSlotPlace& place, ByteView kem_public,
                                 const Keyring& keyring) {
  KeySlot slot;
  slot.id = slot_of(place.device);
  slot.kind = SlotKind::device;
  CB_ASSIGN(const plugin::KeyPair pair, place.crypto.import_public(kem_public));
  CB_TRY(seal_keyring(place.crypto, place.repository, slot, pair, keyring));
  return slot;
}

Result<Keyring> open_device_slot(const DeviceSlotPlace& place, std::span<const KeySlot> slots,
                                 const DeviceLock& lock, std::string_view passphrase) {
  const SlotId id = slot_of(place.device);
  const auto found = std::find_if(slots.begin(), slots.end(), [&](const KeySlot& slot) {
    return slot.kind == SlotKind::device && slot.id == id;
  });
  if (found == slots.end())
    return failed(Code::not_found, "keys of device " + place.device.hex(),
                  "are not on the server (any more)",
                  "ask an owner for a new invite, or to run `cyberbackup key rotate`");
  CB_ASSIGN(const Secret stretched, stretch_lock(lock, passphrase));
  const auto unlocked =
      unlock_pair({place.crypto, place.repository, id}, lock.locked, stretched.view());
  if (!unlocked && unlocked.error().code == Code::auth)
    return failed(Code::denied, "passphrase", "does not open this device's keys",
                  "give the passphrase that was chosen when this device joined");
  if (!unlocked) return failed(unlocked.error());
  if (unlocked->root != place.root)
    return failed(Code::auth, "keys of this device", "are of another owner than the profile's",
                  "bring the profile back from a copy, or join with a new invite");
  CB_ASSIGN(Keyring keyring,
            unseal_keyring(place.crypto, place.repository, *found, unlocked->pair));
  if (keyring.role == Role::reader) return keyring;
  return failed(Code::auth, "keys of this device", "are not a reader's",
                "do not trust the server with it before you know why");
}

}  // namespace cb::repository
