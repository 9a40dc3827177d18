// SPDX-License-Identifier: Apache-2.0
//
// Records: the way there and back, the frozen encodings, and what decoders refuse.
#include "core/repository/records.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"

namespace cb::repository {
namespace {

template <size_t Size>
std::array<std::byte, Size> filled(uint8_t value) {
  std::array<std::byte, Size> bytes;
  bytes.fill(static_cast<std::byte>(value));
  return bytes;
}

template <typename Id>
Id id_of(uint8_t value) {
  return Id{filled<Id::kSize>(value)};
}

Bytes bytes_of(std::string_view text) { return to_bytes(as_bytes(text)); }

RepositoryRecord repository() {
  RepositoryRecord record;
  record.revision = 3;
  record.id = id_of<RepositoryId>(0x11);
  record.root = filled<kPublicSize>(0x22);
  record.epochs = {{1, bytes_of("first")}, {2, bytes_of("second")}};
  record.created_ns = 1'700'000'000'000'000'000;
  record.signature = filled<kSignatureSize>(0x33);
  return record;
}

SessionRecord session() {
  SessionRecord record;
  record.epoch = 2;
  record.kem_cipher = bytes_of("cipher");
  record.device = id_of<DeviceId>(0x44);
  record.signature = filled<kSignatureSize>(0x55);
  return record;
}

SnapshotRecord snapshot() {
  SnapshotRecord record;
  record.device = id_of<DeviceId>(0x44);
  record.time_ns = -1;
  record.host = "host";
  record.user = "user";
  record.paths = {"/etc", "/home"};
  record.tags = {"daily"};
  record.excludes = {"*.o", "!keep.o"};
  record.program = "cyberbackup 1";
  record.flags = kSnapshotCheckpoint;
  record.files = 300;
  record.bytes = 1ULL << 40;
  record.errors = 1;
  record.previous = id_of<BlobId>(0x66);
  return record;
}

CommitRecord commit() {
  CommitRecord record;
  record.sequence = 128;
  record.previous = id_of<CommitHash>(0x77);
  record.time_ns = 1'700'000'000'000'000'000;
  record.snapshot = id_of<BlobId>(0x88);
  record.root = id_of<BlobId>(0x99);
  record.device = id_of<DeviceId>(0x44);
  record.device_signature = filled<kSignatureSize>(0xaa);
  record.source = id_of<KeyedHash>(0xbb);
  record.tags = {id_of<KeyedHash>(0xcc)};
  record.files = 300;
  record.bytes = 1ULL << 40;
  record.commit_id = id_of<CommitId>(0xdd);
  record.signature = filled<kSignatureSize>(0xee);
  return record;
}

KeySlot slot() {
  KeySlot record;
  record.id = id_of<SlotId>(0x12);
  record.salt = bytes_of("0123456789abcdef");
  record.operations = 3;
  record.memory = 256 << 20;
  record.sealed = bytes_of("sealed");
  return record;
}

Certificate certificate() {
  Certificate record;
  record.device = filled<kPublicSize>(0x34);
  record.role = Role::writer;
  record.flags = kDeviceSharesDedup;
  record.created_ns = 5;
  record.signature = filled<kSignatureSize>(0x56);
  return record;
}

AccountRecord account() {
  AccountRecord record;
  record.name = "alice";
  record.created_ns = 5;
  record.password_hash = "$argon2id$";
  record.devices = {{id_of<DeviceId>(0x44), 2}};
  return record;
}

RetentionRecord retention() {
  RetentionRecord record;
  record.rules = {{{}, "keep-daily 7", 5, "uid 0 (root)"},
                  {Bytes(48, std::byte{1}), "keep-all", -6, "device 11"}};
  record.pins = {{id_of<BlobId>(0x44), 0, "why", 7, "uid 0"},
                 {id_of<BlobId>(0x45), 9, "", 8, "uid 1"}};
  return record;
}

RetentionRecord retention_with_freezes() {
  RetentionRecord record = retention();
  record.freezes = {{Bytes(48, std::byte{1}), 9, 5, Bytes(32, std::byte{7}), "most is new"},
                    {Bytes(48, std::byte{2}), 8, 5, {}, ""}};
  return record;
}

ReplicaRecord replica() {
  return {"home", filled<32>(0x21), true, {id_of<BlobId>(0x44), id_of<BlobId>(0x45)}};
}

RecordChange change() { return {repository(), {slot(), slot()}}; }

Keyring keyring() {
  Keyring record;
  record.write_key = Secret(filled<32>(0x78));
  record.root_seed = Secret(filled<32>(0x9a));
  record.epochs.push_back({1, Secret(as_bytes("private one"))});
  record.epochs.push_back({2, Secret(as_bytes("private two"))});
  return record;
}

using Decode = std::function<Status(ByteView)>;
template <typename Decoder>
Decode status_of(Decoder decode) {
  return [decode](ByteView bytes) -> Status {
    CB_TRY(decode(bytes));
    return {};
  };
}

struct Kind {
  const char* name;
  Bytes encoded;
  Decode decode;
};

std::vector<Kind> kinds() {
  return {
      {"repository", encode(repository()), status_of(decode_repository)},
      {"session", encode(session()), status_of(decode_session)},
      {"snapshot", encode(snapshot()), status_of(decode_snapshot)},
      {"commit", encode(commit()), status_of(decode_commit)},
      {"slot", encode(slot()), status_of(decode_slot)},
      {"certificate", encode(certificate()), status_of(decode_certificate)},
      {"account", encode(account()), status_of(decode_account)},
      {"retention", encode(retention()), status_of(decode_retention)},
      {"freezes", encode(retention_with_freezes()), status_of(decode_retention)},
      {"replica", encode(replica()), status_of(decode_replica)},
      {"change", encode(change()), status_of(decode_change)},
      {"keyring", to_bytes(encode(keyring()).view()), status_of(decode_keyring)},
  };
}

TEST(Records, a_note_of_retention_has_each_source_and_pin_once_and_in_order) {
  RetentionRecord record = retention();
  std::swap(record.rules[0], record.rules[1]);
  EXPECT_FALSE(decode_retention(encode(record)));
  record = retention();
  record.rules[1].source.pop_back();
  EXPECT_FALSE(decode_retention(encode(record)));
  record = retention();
  record.pins[1].snapshot = record.pins[0].snapshot;
  EXPECT_FALSE(decode_retention(encode(record)));
}

TEST(Records, a_note_of_retention_has_each_freeze_once_in_order_and_with_an_end) {
  RetentionRecord record = retention_with_freezes();
  std::swap(record.freezes[0], record.freezes[1]);
  EXPECT_FALSE(decode_retention(encode(record)));
  record = retention_with_freezes();
  record.freezes[1].until_ns = 0;
  EXPECT_FALSE(decode_retention(encode(record)));
  record = retention_with_freezes();
  record.freezes[0].normal.pop_back();
  EXPECT_FALSE(decode_retention(encode(record)));
  record = retention_with_freezes();
  record.freezes[0].source.pop_back();
  EXPECT_FALSE(decode_retention(encode(record)));
  Bytes none = encode(retention());
  none[0] = std::byte{2};
  none.push_back(std::byte{0});
  EXPECT_FALSE(decode_retention(none)) << "an empty list is written as version 1";
}

TEST(Records, a_note_of_a_copy_has_each_dropped_snapshot_once_and_in_order) {
  ReplicaRecord record = replica();
  std::swap(record.dropped[0], record.dropped[1]);
  EXPECT_FALSE(decode_replica(encode(record)));
  record = replica();
  record.dropped[1] = record.dropped[0];
  EXPECT_FALSE(decode_replica(encode(record)));
}

TEST(Records, come_back_as_they_were) {
  EXPECT_EQ(decode_repository(encode(repository())), repository());
  EXPECT_EQ(decode_session(encode(session())), session());
  EXPECT_EQ(decode_snapshot(encode(snapshot())), snapshot());
  EXPECT_EQ(decode_commit(encode(commit())), commit());
  EXPECT_EQ(decode_slot(encode(slot())), slot());
  EXPECT_EQ(decode_certificate(encode(certificate())), certificate());
  EXPECT_EQ(decode_account(encode(account())), account());
  EXPECT_EQ(decode_retention(encode(retention())), retention());
  EXPECT_EQ(decode_retention(encode(RetentionRecord{})), RetentionRecord{});
  EXPECT_EQ(decode_retention(encode(retention_with_freezes())), retention_with_freezes());
  EXPECT_EQ(encode(retention())[0], std::byte{1}) << "as it was before there were freezes";
  EXPECT_EQ(decode_replica(encode(replica())), replica());
  EXPECT_EQ(decode_replica(encode(ReplicaRecord{})), ReplicaRecord{});
  EXPECT_EQ(decode_change(encode(change())), change());
  EXPECT_EQ(decode_change(encode(RecordChange{repository(), {}})),
            (RecordChange{repository(), {}}));
}

TEST(Records, keyring_comes_back_as_it_was) {
  const auto back = decode_keyring(encode(keyring()).view());
  ASSERT_TRUE(back);
  EXPECT_EQ(to_hex(back->write_key.view()), to_hex(filled<32>(0x78)));
  EXPECT_EQ(to_hex(back->root_seed.view()), to_hex(filled<32>(0x9a)));
  ASSERT_EQ(back->epochs.size(), 2U);
  EXPECT_EQ(back->epochs[1].epoch, 2U);
  EXPECT_EQ(as_text(back->epochs[1].half.view()), "private two");
}

// A change of these bytes makes every repository that there is unreadable.
TEST(Records, have_the_bytes_of_the_format) {
  EXPECT_EQ(to_hex(encode(certificate())), "01" + to_hex(filled<32>(0x34)) +
                                               "02"
                                               "01"
                                               "0a" +
                                               to_hex(filled<64>(0x56)));
  EXPECT_EQ(to_hex(encode(slot())), "01" + to_hex(filled<16>(0x12)) +
                                        "01"
                                        "10" +
                                        to_hex(as_bytes("0123456789abcdef")) +
                                        "03"
                                        "80808080"
                                        "01"
                                        "06" +
                                        to_hex(as_bytes("sealed")));
  EXPECT_EQ(to_hex(encode(session())),
            "01"
            "0d" +
                to_hex(as_bytes("crypto-modern")) +
                "02"
                "06" +
                to_hex(as_bytes("cipher")) + to_hex(filled<16>(0x44)) + to_hex(filled<64>(0x55)));
  EXPECT_EQ(to_hex(encode(snapshot())), "01" + to_hex(filled<16>(0x44)) +
                                            "01"
                                            "04686f7374"
                                            "0475736572"
                                            "02"
                                            "042f657463"
                                            "052f686f6d65"
                                            "01"
                                            "056461696c79"
                                            "02"
                                            "032a2e6f"
                                            "07216b6565702e6f"
                                            "0d" +
                                            to_hex(as_bytes("cyberbackup 1")) +
                                            "01"
                                            "ac02"
                                            "808080808020"
                                            "01" +
                                            to_hex(filled<32>(0x66)));
  EXPECT_EQ(to_hex(encode(commit())),
            "01"
            "01"
            "8001" +
                to_hex(filled<32>(0x77)) + "8080d0e2c6bfce972f" + to_hex(filled<32>(0x88)) +
                to_hex(filled<32>(0x99)) + to_hex(filled<16>(0x44)) + to_hex(filled<64>(0xaa)) +
                to_hex(filled<32>(0xbb)) + "01" + to_hex(filled<32>(0xcc)) +
                "00"
                "ac02"
                "808080808020" +
                to_hex(filled<16>(0xdd)) + to_hex(filled<64>(0xee)));
  EXPECT_EQ(to_hex(encode(repository())),
            "01"
            "03" +
                to_hex(filled<16>(0x11)) + "0d" + to_hex(as_bytes("crypto-modern")) +
                "047a737464"
                "808020"
                "808040"
                "80808004"
                "808020"
                "00" +
                to_hex(filled<32>(0x22)) +
                "02"
                "01056669727374"
                "02067365636f6e64"
                "8080d0e2c6bfce972f" +
                to_hex(filled<64>(0x33)));
}

TEST(Records, are_signed_with_what_they_belong_to) {
  const auto repository_id = id_of<RepositoryId>(0x11);
  const auto unsigned_hex = [](const Bytes& record) {
    return to_hex(ByteView(record).first(record.size() - kSignatureSize));
  };
  EXPECT_EQ(to_hex(signed_part(repository())),
            to_hex(as_bytes("cyberbackup/repository/1")) + unsigned_hex(encode(repository())));
  EXPECT_EQ(to_hex(signed_part(session(), repository_id, id_of<SessionId>(0x01))),
            to_hex(as_bytes("cyberbackup/session-record/1")) + repository_id.hex() +
                id_of<SessionId>(0x01).hex() + unsigned_hex(encode(session())));
  EXPECT_EQ(to_hex(signed_part(commit(), repository_id)), to_hex(as_bytes("cyberbackup/commit/1")) +
                                                              repository_id.hex() +
                                                              unsigned_hex(encode(commit())));
  EXPECT_EQ(to_hex(signed_part(certificate(), repository_id)),
            to_hex(as_bytes("cyberbackup/device/1")) + repository_id.hex() +
                unsigned_hex(encode(certificate())));
  EXPECT_EQ(
      to_hex(snapshot_signed_part(repository_id, id_of<BlobId>(0x02))),
      to_hex(as_bytes("cyberbackup/snapshot/1")) + repository_id.hex() + id_of<BlobId>(0x02).hex());
}

TEST(Records, cut_off_anywhere_are_corrupt) {
  for (const Kind& kind : kinds())
    for (size_t size = 0; size < kind.encoded.size(); ++size) {
      const Status status = kind.decode(ByteView(kind.encoded).first(size));
      ASSERT_FALSE(status) << kind.name << " of " << size << " bytes";
      EXPECT_EQ(status.error().code, Code::corrupt) << kind.name;
    }
}

TEST(Records, with_bytes_left_over_are_corrupt) {
  for (Kind& kind : kinds()) {
    kind.encoded.push_back(std::byte{0});
    const Status status = kind.decode(kind.encoded);
    ASSERT_FALSE(status) << kind.name;
    EXPECT_EQ(status.error().code, Code::corrupt) << kind.name;
  }
}

TEST(Records, of_another_version_are_unsupported) {
  for (Kind& kind : kinds()) {
    kind.encoded[0] = std::byte{3};
    const Status status = kind.decode(kind.encoded);
    ASSERT_FALSE(status) << kind.name;
    EXPECT_EQ(status.error().code, Code::unsupported) << kind.name;
  }
}

TEST(Records, name_the_feature_that_this_program_does_not_know) {
  RepositoryRecord record = repository();
  record.features = {"erasure-coding"};
  const auto decoded = decode_repository(encode(record));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Code::unsupported);
  EXPECT_NE(decoded.error().cause.find("erasure-coding"), std::string::npos);
}

TEST(Records, refuse_values_that_there_are_not) {
  const auto refused = [](RepositoryRecord record, const auto& change) {
    change(record);
    return !decode_repository(encode(record));
  };
  EXPECT_TRUE(refused(repository(), [](auto& record) { record.epochs.clear(); }));
  EXPECT_TRUE(refused(repository(), [](auto& record) { record.epochs[1].number = 1; }));
  EXPECT_TRUE(refused(repository(), [](auto& record) { record.cutting.min = 63; }));
  EXPECT_TRUE(refused(repository(), [](auto& record) { record.cutting.average = 3 << 18; }));
  EXPECT_TRUE(refused(repository(), [](auto& record) { record.cutting.max = kMaxData + 1; }));
  CommitRecord no_sequence = commit();
  no_sequence.sequence = 0;
  EXPECT_FALSE(decode_commit(encode(no_sequence)));
  CommitRecord no_type = commit();
  no_type.type = static_cast<CommitType>(5);
  EXPECT_FALSE(decode_commit(encode(no_type)));
  Certificate no_role = certificate();
  no_role.role = static_cast<Role>(4);
  EXPECT_FALSE(decode_certificate(encode(no_role)));
  KeySlot no_kind = slot();
  no_kind.kind = static_cast<SlotKind>(5);
  EXPECT_FALSE(decode_slot(encode(no_kind)));
}

// One byte of a record changed: refused, or another record, never the same one.
TEST(Records, have_one_encoding) {
  const Bytes right = encode(snapshot());
  for (size_t i = 0; i < right.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = right;
      flipped[i] ^= static_cast<std::byte>(1 << bit);
      const auto decoded = decode_snapshot(flipped);
      if (!decoded) continue;
      EXPECT_EQ(to_hex(encode(*decoded)), to_hex(flipped)) << i;
    }
}

TEST(RecordReader, takes_every_number_in_its_shortest_form_only) {
  const std::vector<uint64_t> numbers = {0, 1, 127, 128, 16383, 16384, 1ULL << 35, ~0ULL};
  for (const uint64_t number : numbers) {
    RecordWriter to;
    to.uint(number);
    to.sint(static_cast<int64_t>(number));
    RecordReader from(to.written(), "numbers");
    EXPECT_EQ(from.uint(), number);
    EXPECT_EQ(from.sint(), static_cast<int64_t>(number));
    EXPECT_TRUE(from.done());
  }
  for (const char* hex : {"8000", "ff00", "808000", "ffffffffffffffffff02", "80808080808080808000",
                          "ffffffffffffffffffff01", "80"}) {
    const auto bytes = from_hex(hex);
    RecordReader from(*bytes, "number");
    EXPECT_EQ(from.uint(), 0U);
    EXPECT_FALSE(from.done()) << hex;
  }
}

TEST(RecordReader, refuses_counts_that_cannot_be) {
  const auto bytes = from_hex(
      "ffffffffffffffffff01"
      "00");
  RecordReader list(*bytes, "list");
  EXPECT_EQ(list.count(1), 0U);
  EXPECT_FALSE(list.done());
  RecordReader field(*bytes, "field");
  EXPECT_TRUE(field.bytes().empty());
  EXPECT_FALSE(field.done());
}

}  // namespace
}  // namespace cb::repository
