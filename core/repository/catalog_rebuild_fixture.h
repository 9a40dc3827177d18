// SPDX-License-Identifier: Apache-2.0
//
// For tests: a repository of one account with an owner and writers, whose catalog is made anew from
// the store. Used by one thread.
#pragma once

#include <gtest/gtest.h>

#include "core/catalog/replace_file.h"
#include "core/repository/catalog_rebuild.h"
#include "core/repository/engine_chain.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/pack.h"
#include "core/repository/signatures.h"

namespace cb::repository {

class CatalogRebuild : public testing::TestWithParam<const char*> {
 protected:
  CatalogRebuild()
      : house_(GetParam()), root_(must(identity::SigningKey::make(os::system_random()))) {
    repository_.bytes.fill(std::byte{0x5a});
    prefix_ = "v4/" + repository_.hex() + "/";
    record_.id = repository_;
    record_.epochs.push_back({1, Bytes(32, std::byte{1})});
    must(sign_record(record_, root_));
    catalog::Account account;
    account.name = account_.name = "alice";
    account.created_ns = account_.created_ns = 1'700'000'000'000'000'000;
    account.number = must(house_.catalog().accounts().add_account(account));
    account_.password_hash = "$argon2id$of-alice";
    must(house_.catalog().accounts().set_password_hash(account.number, account_.password_hash));
    must(engine().create(record_, "alice"));
    must(engine().put_account(repository_, account_));
    KeySlot slot;
    slot.id.bytes.fill(std::byte{9});
    slot.kind = SlotKind::recovery_code;
    slot.sealed = Bytes(40, std::byte{3});
    must(engine().add_slot(repository_, slot));
    owner_ = add_device(Role::owner);
    writer_ = add_device(Role::writer);
    other_writer_ = add_device(Role::writer);
    sharer_ = add_device(Role::writer, kDeviceSharesDedup);
  }

  Viewer add_device(Role role, uint64_t flags = 0) {
    Certificate certificate;
    certificate.device = must(identity::SigningKey::make(os::system_random())).public_key();
    certificate.role = role;
    certificate.flags = flags;
    certificate.created_ns = 7;
    must(sign_certificate(certificate, repository_, root_));
    catalog::Device device;
    const DeviceId id = device_of(certificate.device);
    device.id = id.bytes;
    device.account = must(house_.catalog().accounts().account_by_name("alice"))->number;
    device.public_key = certificate.device;
    device.certificate = encode(certificate);
    device.role = static_cast<uint64_t>(role);
    device.created_ns = certificate.created_ns;
    must(house_.catalog().accounts().add_device(device));
    must(engine().add_certificate(repository_, certificate));
    return {id, role, flags != 0};
  }

  Engine& engine() { return house_.engine(); }

  // Session records here are signed: a rebuild believes no others.
  StoredBlob session_record(uint64_t number) {
    StoredBlob blob = repository::session_record(number);
    SessionRecord record = must(decode_session(blob.stored));
    record.signature = must(root_.sign(signed_part(record, repository_, session_of(number))));
    blob.stored = encode(record);
    blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
    return blob;
  }
  TestSnapshot make_snapshot(uint64_t number, size_t count, size_t size) {
    TestSnapshot made = repository::make_snapshot(number, count, size);
    made.blobs.front() = session_record(number);
    return made;
  }

  void put(const Viewer& viewer, const TestSnapshot& snapshot) {
    const auto intake = must(engine().begin(repository_, viewer, false));
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
    must(intake->flush());
  }
  CommitRecord commit(const Viewer& viewer, const TestSnapshot& snapshot) {
    put(viewer, snapshot);
    const auto intake = must(engine().begin(repository_, viewer, false));
    const CommitAnswer answer = must(intake->commit(snapshot.request));
    EXPECT_EQ(answer.missing.size(), 0u);
    return must(decode_commit(answer.receipt));
  }

  Result<Rebuilt> try_rebuild(bool scan, bool sets_aside, const SigningPublic& key) {
    const std::string fresh = (house_.folder() / "fresh.db").string();
    CB_TRY(catalog::remove_catalog_file(fresh));
    CB_ASSIGN(auto made, catalog::open_sqlite_catalog(fresh, true));
    const RebuildParts parts{&house_.store(), made.get(), key, {}, scan, sets_aside};
    return rebuild_catalog(parts, {});
  }
  // Makes another catalog and goes on with it.
  RebuiltRepository rebuild(bool scan = false) {
    const Rebuilt rebuilt = must(try_rebuild(scan, true, house_.server_key()));
    house_.close();
    must(catalog::replace_catalog_file((house_.folder() / "fresh.db").string(),
                                       house_.catalog_file()));
    must(house_.open());
    EXPECT_EQ(rebuilt.repositories.size(), 1u);
    return rebuilt.repositories.empty() ? RebuiltRepository() : rebuilt.repositories.front();
  }
  void expect_doubts(const RebuiltRepository& rebuilt, const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& doubt : rebuilt.doubts) all += doubt + "\n";
    EXPECT_EQ(rebuilt.doubts.size(), words.size()) << all;
    for (const std::string& word : words) EXPECT_NE(all.find(word), std::string::npos) << all;
  }

  void expect_whole() {
    const auto checked = must(engine().check(repository_, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    for (const std::string& note : checked.notes) ADD_FAILURE() << note;
    EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  }
  // How many of the blobs a viewer may lean on; the session record is not counted.
  size_t leans_on(const Viewer& viewer, const TestSnapshot& snapshot) {
    const auto ids = ids_of(std::span(snapshot.blobs).subspan(1));
    const auto there = must(engine().have(repository_, viewer, ids));
    return static_cast<size_t>(std::count(there.begin(), there.end(), true));
  }
  static size_t size(const TestSnapshot& snapshot) { return snapshot.blobs.size() - 1; }
  // As who reads asks: for the copies of the snapshot's device.
  void expect_readable(const TestSnapshot& snapshot, const Viewer& whose = {}) {
    const auto found = must(read_all(engine(), repository_, ids_of(snapshot.blobs), whose));
    for (const StoredBlob& blob : snapshot.blobs) {
      ASSERT_TRUE(found.contains(blob.head.id));
      EXPECT_EQ(found.at(blob.head.id).stored, blob.stored);
    }
  }
  std::vector<BlobId> snapshots(bool with_trash) {
    std::vector<BlobId> ids;
    for (const SnapshotInfo& info : must(engine().snapshots(repository_, with_trash)))
      ids.push_back(info.commit.snapshot);
    return ids;
  }

  std::vector<std::string> packs() { return house_.objects(prefix_ + "pack/"); }
  std::string pack_of(char pack_class) {
    for (const std::string& name : packs())
      if (house_.object(name)[8] == static_cast<std::byte>(pack_class)) return name;
    throw std::runtime_error("no such pack");
  }
  std::string commit_name(uint64_t sequence) { return commit_object(repository_, sequence); }

  EngineHouse house_;
  identity::SigningKey root_;
  RepositoryId repository_;
  std::string prefix_;
  RepositoryRecord record_;
  AccountRecord account_;
  Viewer owner_, writer_, other_writer_, sharer_;
};

}  // namespace cb::repository
