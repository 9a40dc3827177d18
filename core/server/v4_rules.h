// SPDX-License-Identifier: Apache-2.0
//
// What a server without keys can tell of the records that members bring: signatures, roles, sizes,
// and what may follow what (docs/trust.md). Functions are pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/repository/records.h"

namespace cb::server {

constexpr size_t kMostSlots = 128;  // of one repository
constexpr size_t kLongestSlot = 4096;
constexpr size_t kMostSlotBytes = 96 * 1024;  // of all slots, so that they fit a frame
constexpr size_t kMostDevices = 1000;         // of one account, and
constexpr size_t kMostCertificates =
    160 * 1024;  // bytes of their certificates, so that the list fits a frame
constexpr size_t kLongestCertificate = 4096;
constexpr size_t kMostInvites = 256;  // of one account
constexpr size_t kLongestInvite = 512;
constexpr size_t kLongestSealedKeys = 8192;
constexpr size_t kMostRevoked = 4096;
constexpr size_t kLongestRecord = 128 * 1024;  // fits a frame with all slots

// A device that is to be of an account, as it says.
struct V4NewDevice {
  repository::Certificate certificate;
  Bytes record;  // of the certificate
  std::vector<repository::KeySlot> slots;
  repository::DeviceId device;  // of the certificate's key
};

// Is this id of a device, an invite or a slot revoked?
bool is_revoked(const repository::RepositoryRecord& record, ByteView id);

// A slot that somebody can open with a passphrase or a code: signed by the root key if it has a
// pair, not revoked, not too large.
Status check_slot(const repository::RepositoryRecord& record, const repository::KeySlot& slot);

// A slot that is added to those that there are: check_slot's rules, and it has a pair, so the root
// key signed it. (Slots of the first format are signed by nobody; they only come with an
// enrolment.)
Status check_added_slot(const repository::RepositoryRecord& record,
                        const repository::KeySlot& slot);

// Are these few and short enough together? Code::limit.
Status check_room(std::span<const repository::KeySlot> there,
                  std::span<const repository::KeySlot> added);

// May a slot go without a signature of the root key? Only one of the first format, while one stays
// that the root key signed: any other could be garbage that opens nothing.
Status check_removed_slot(std::span<const repository::KeySlot> slots,
                          const repository::SlotId& removed);

// The slots that a new device brings: a reader its own, an owner those of passphrases, a writer
// none.
Status check_slots_of(const repository::RepositoryRecord& record, const V4NewDevice& device);

// All slots from now on: at least one that somebody can open, those of `readers` among them, each
// once.
Status check_all_slots(const repository::RepositoryRecord& record,
                       std::span<const repository::KeySlot> slots,
                       std::span<const repository::DeviceId> readers);

// May `next` replace `current`? Signed by the same root key, the next revision (Code::exists for
// another one) or the same record again; epochs and revocations only grow.
Status check_next_record(const repository::RepositoryRecord& current,
                         const repository::RepositoryRecord& next);

// A record that rotation made of a session: of an epoch that there is, signed by the root key.
Status check_rewrapped(const repository::RepositoryRecord& record,
                       const repository::SessionId& session,
                       const repository::SessionRecord& rewrapped);

}  // namespace cb::server
