// SPDX-License-Identifier: Apache-2.0
//
// Key slots: the keyring sealed to a pair of keys whose private half lies under a passphrase, under
// a recovery code, or on a reader's device (docs/repository-format.md). Functions are thread-safe;
// stretching takes a moment on purpose.
#pragma once

#include "core/repository/keys.h"

namespace cb::repository {

// What stretching a passphrase costs everybody who tries one.
struct SlotCost {
  uint64_t operations = 3;             // passes
  uint64_t memory = 64 * 1024 * 1024;  // bytes
};
// The most that a slot may ask for: it comes from the server, which is not to wear clients out.
constexpr SlotCost kMostSlotCost{16, uint64_t{1024} * 1024 * 1024};

constexpr size_t kRecoveryCodeSize = 32;  // bytes

// The 32 bytes under which the slot's key lies. Code::invalid for a slot of another kind,
// Code::limit when it costs more than kMostSlotCost.
Result<Secret> stretch(const KeySlot& slot, std::string_view passphrase);

// What new slots are made with; all outlive the calls. The keyring is an owner's: its root key
// signs.
struct SlotMaker {
  const plugin::Crypto& crypto;
  os::Random& random;
  const RepositoryId& repository;
  const Keyring& keyring;
};
Result<KeySlot> make_passphrase_slot(const SlotMaker& maker, std::string_view passphrase,
                                     const SlotCost& cost);
// `code` has kRecoveryCodeSize bytes.
Result<KeySlot> make_recovery_slot(const SlotMaker& maker, ByteView code);

// Tries the slots that a passphrase may open, then gives the keyring. Code::denied when none opens;
// Code::not_found when there is no such slot; Code::auth when one holds the keys of another owner
// than it was made for.
Result<Keyring> open_with_passphrase(const plugin::Crypto& crypto, const RepositoryId& repository,
                                     std::span<const KeySlot> slots, std::string_view passphrase);
// The same with the bytes of a recovery code.
Result<Keyring> open_with_recovery_code(const plugin::Crypto& crypto,
                                        const RepositoryId& repository,
                                        std::span<const KeySlot> slots, ByteView code);

// Seals another keyring to the pair of a slot that is there, which needs neither its passphrase nor
// its code. Code::unsupported for one of format 1, which has no pair; Code::auth when the root key
// of `maker.keyring` did not sign the slot.
Result<KeySlot> reseal_slot(const SlotMaker& maker, const KeySlot& slot);
// Makes a slot of format 1 anew in format 2, with the passphrase or the code (its bytes) that opens
// it. Code::denied when it does not.
Result<KeySlot> renew_slot(const SlotMaker& maker, const KeySlot& slot, std::string_view secret);

// A reader's own pair: the public half goes into its certificate, the private half lies in its
// profile under a passphrase. As a record:
//   version=1 uint ‖ salt bytes ‖ operations uint ‖ memory uint ‖ locked bytes
// `locked` is as a slot's, with the device's id in the place of the slot's.
struct DeviceLock {
  Bytes salt;
  uint64_t operations = 0;
  uint64_t memory = 0;
  Bytes locked;

  bool operator==(const DeviceLock&) const = default;
};
Bytes encode(const DeviceLock& lock);
// Code::corrupt for anything that encode does not write.
Result<DeviceLock> decode_device_lock(ByteView bytes);

// Whose slot it is.
struct DeviceSlotPlace {
  const plugin::Crypto& crypto;
  const RepositoryId& repository;
  const SigningPublic& root;
  const DeviceId& device;
};
struct MadeDeviceLock {
  DeviceLock lock;
  Bytes kem_public;
};
// Draws the pair.
Result<MadeDeviceLock> make_device_lock(const DeviceSlotPlace& place, os::Random& random,
                                        std::string_view passphrase, const SlotCost& cost);
// Seals a reader's keyring to the key of its certificate.
Result<KeySlot> make_device_slot(const DeviceSlotPlace& place, ByteView kem_public,
                                 const Keyring& keyring);
// Code::not_found when the device has no slot, Code::denied for a wrong passphrase, Code::auth when
// the slot does not open with the right one.
Result<Keyring> open_device_slot(const DeviceSlotPlace& place, std::span<const KeySlot> slots,
                                 const DeviceLock& lock, std::string_view passphrase);

// What a role is given of an owner's keyring.
Keyring keyring_of(const Keyring& owner, Role role);

// Drops the epochs that the record does not know (any more). Code::auth when a private half does
// not belong to the public one that the owner signed: the server made this keyring up. An owner's
// is compared with the record's root key, too.
Status check_keyring(const plugin::Crypto& crypto, Keyring& keyring,
                     const RepositoryRecord& record);

}  // namespace cb::repository
