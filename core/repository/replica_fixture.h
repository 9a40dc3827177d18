// SPDX-License-Identifier: Apache-2.0
//
// Two servers' engines for tests: a source with an owner and a writer, signed as real ones are, and
// a copy of its repository, brought over by hand. One thread.
#pragma once

#include <gtest/gtest.h>

#include "core/catalog/replace_file.h"
#include "core/os/random.h"
#include "core/repository/catalog_rebuild.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/replicas.h"
#include "core/repository/signatures.h"

namespace cb::repository {

class ReplicaFixture : public testing::Test {
 protected:
  struct Device {
    identity::SigningKey key;
    Viewer viewer;
  };

  ReplicaFixture() : root_(must(identity::SigningKey::make(os::system_random()))) {
    record_.id.bytes.fill(std::byte{0x11});
    record_.epochs.push_back({1, Bytes(32, std::byte{1})});
    must(sign_record(record_, root_));
    for (EngineHouse* house : {&source_, &copy_}) {
      catalog::Account account;
      account.name = "alice";
      must(house->catalog().accounts().add_account(account));
    }
    must(source_.engine().create(record_, "alice"));
    origin_ = {"home", source_.server_key(), true};
    must(copies().begin(record_, "alice", origin_));
    slot_ = make_slot(5);
    must(copies().take_record(record_, {slot_}));
    owner_.emplace(add_device(Role::owner));
    writer_.emplace(add_device(Role::writer));
  }

  // A slot of a person's whose pair the root key signed.
  KeySlot make_slot(uint8_t number) {
    KeySlot slot;
    slot.id.bytes.fill(std::byte{number});
    slot.salt = Bytes(16);
    slot.public_half = Bytes(32, std::byte{number});
    slot.locked = Bytes(48, std::byte{number});
    slot.cipher = Bytes(32, std::byte{7});
    slot.sealed = Bytes(40, std::byte{7});
    slot.signature = must(root_.sign(signed_part(slot, record_.id)));
    return slot;
  }
  // The record of the next revision, as an owner makes it; it counts from now on.
  const RepositoryRecord& next_record(std::vector<Revocation> revoked = {}) {
    ++record_.revision;
    record_.revoked.insert(record_.revoked.end(), revoked.begin(), revoked.end());
    must(sign_record(record_, root_));
    return record_;
  }

  Replicas& copies() { return copy_.engine().replicas(); }

  // A device that the root key certified, known to both.
  Device add_device(Role role, bool to_copy = true) {
    Device device{must(identity::SigningKey::make(os::system_random())), {}};
    Certificate certificate;
    certificate.device = device.key.public_key();
    certificate.role = role;
    must(sign_certificate(certificate, record_.id, root_));
    device.viewer = {repository::device_of(certificate.device), role, false};
    add_to(source_, certificate);
    if (to_copy) add_to(copy_, certificate);
    return device;
  }
  void add_to(EngineHouse& house, const Certificate& certificate) {
    catalog::Device row;
    row.id = repository::device_of(certificate.device).bytes;
    row.account = must(house.catalog().accounts().account_by_name("alice"))->number;
    row.public_key = certificate.device;
    row.certificate = encode(certificate);
    row.role = static_cast<uint64_t>(certificate.role);
    must(house.catalog().accounts().add_device(row));
    must(house.engine().add_certificate(record_.id, certificate));
  }

  // A snapshot that its device signed, with a session record that a rebuild believes.
  TestSnapshot make(uint64_t number, const Device& device, size_t count = 6) {
    TestSnapshot made = make_snapshot(number, count, 900);
    StoredBlob& session = made.blobs.front();
    SessionRecord record = must(decode_session(session.stored));
    record.signature = must(root_.sign(signed_part(record, record_.id, session_of(number))));
    session.stored = encode(record);
    session.head.stored_size = static_cast<uint32_t>(session.stored.size());
    made.request.device_signature =
        must(sign_snapshot(record_.id, made.request.snapshot, device.key));
    return made;
  }
  // Into the source.
  TestSnapshot back_up(uint64_t number, const Device& device) {
    const TestSnapshot made = make(number, device);
    const auto intake = must(source_.engine().begin(record_.id, device.viewer, false));
    for (const StoredBlob& blob : made.blobs) must(put_blob(*intake, blob));
    EXPECT_TRUE(must(intake->commit(made.request)).missing.empty());
    return made;
  }
  // Blobs from the source to the copy, as a replication takes them.
  void bring(const TestSnapshot& snapshot, const Viewer& viewer) {
    const auto found = must(read_all(source_.engine(), record_.id, ids_of(snapshot.blobs), viewer));
    const auto intake = must(copies().intake(record_.id, viewer));
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, found.at(blob.head.id)));
    must(intake->flush());
  }
  Bytes record_of(uint64_t sequence) {
    return must(source_.engine().commits(record_.id, sequence, 1)).at(0);
  }
  Result<std::vector<BlobId>> take(uint64_t sequence, Presence presence = Presence::here) {
    return copies().take_commit(record_.id, record_of(sequence), presence);
  }
  // Everything that the source has.
  void follow() {
    const uint64_t end = must(source_.engine().head(record_.id)).sequence;
    for (uint64_t next = must(copy_.engine().head(record_.id)).sequence + 1; next <= end; ++next)
      EXPECT_TRUE(must(take(next)).empty());
  }

  // "2 here, 5 kept": sequences of what the copy lists.
  std::string listed(bool with_trash = true, bool with_kept = true) {
    std::string text;
    for (const SnapshotInfo& one : must(copies().snapshots(record_.id, with_trash, with_kept))) {
      const std::array<const char*, 3> names = {"here", "kept", "absent"};
      text += (text.empty() ? "" : ", ") + std::to_string(one.commit.sequence) + " " +
              names.at(static_cast<size_t>(one.presence)) + (one.in_trash ? " in trash" : "");
    }
    return text;
  }
  void expect_readable(const TestSnapshot& snapshot, const Viewer& viewer) {
    const auto found = must(read_all(copy_.engine(), record_.id, ids_of(snapshot.blobs), viewer));
    for (const StoredBlob& blob : snapshot.blobs) {
      ASSERT_TRUE(found.contains(blob.head.id));
      EXPECT_EQ(found.at(blob.head.id).stored, blob.stored);
    }
  }
  // The copy's catalog, made anew from its store.
  RebuiltRepository rebuild() {
    const std::string fresh = (copy_.folder() / "fresh.db").string();
    Rebuilt rebuilt;
    {
      const auto made = must(catalog::open_sqlite_catalog(fresh, true));
      const RebuildParts parts{&copy_.store(), made.get(), copy_.server_key(), {}, false, true};
      rebuilt = must(rebuild_catalog(parts, {}));
    }
    copy_.close();
    must(catalog::replace_catalog_file(fresh, copy_.catalog_file()));
    must(copy_.open());
    return rebuilt.repositories.at(0);
  }

  EngineHouse source_, copy_;
  identity::SigningKey root_;
  RepositoryRecord record_;
  KeySlot slot_;
  Origin origin_;
  std::optional<Device> owner_, writer_;
};

}  // namespace cb::repository
