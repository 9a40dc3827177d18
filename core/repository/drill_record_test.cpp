// SPDX-License-Identifier: Apache-2.0
#include "core/repository/drill_record.h"

#include <gtest/gtest.h>

#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

BlobId blob(uint8_t number) {
  BlobId id;
  id.bytes.fill(std::byte{number});
  return id;
}

class Drilled : public ::testing::Test {
 protected:
  Drilled() {
    repository_.bytes.fill(std::byte{7});
    record_ = {
        device_of(key_.public_key()), 100, 200, {blob(1), blob(2)}, 900, 50, 1 << 20, 3, 1, {}};
    const Status done =
        sign_drill(record_, repository_, [this](ByteView bytes) { return key_.sign(bytes); });
    EXPECT_TRUE(done);
  }

  // The code that a changed record is refused with; nothing when it is taken.
  [[nodiscard]] std::optional<Code> refusal(const std::function<void(DrillRecord&)>& change) const {
    DrillRecord changed = record_;
    change(changed);
    const auto read = decode_drill(encode(changed));
    if (!read) return read.error().code;
    const Status good = verify_drill(*read, repository_, key_.public_key());
    return good ? std::nullopt : std::optional(good.error().code);
  }

  identity::SigningKey key_ = *identity::SigningKey::make(os::system_random());
  RepositoryId repository_;
  DrillRecord record_;
};

TEST_F(Drilled, comes_back_as_it_was_written) {
  const auto read = decode_drill(encode(record_));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, record_);
  EXPECT_TRUE(verify_drill(*read, repository_, key_.public_key()));
}

TEST_F(Drilled, has_a_signature_over_every_field) {
  EXPECT_EQ(refusal([](DrillRecord& r) { r.begun_ns = 99; }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.ended_ns = 201; }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.snapshots.pop_back(); }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { ++r.files_listed; }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { ++r.files; }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { ++r.bytes; }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { --r.live; }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.problems = 0; }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.device.bytes[0] ^= std::byte{1}; }), Code::auth);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.signature[5] ^= std::byte{1}; }), Code::auth);
}

TEST_F(Drilled, counts_in_its_own_repository_alone) {
  RepositoryId other = repository_;
  other.bytes[0] = std::byte{8};
  EXPECT_EQ(verify_drill(record_, other, key_.public_key()).error().code, Code::auth);
}

TEST_F(Drilled, is_refused_when_it_contradicts_itself) {
  EXPECT_EQ(refusal([](DrillRecord& r) { r.ended_ns = 99; }), Code::corrupt);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.snapshots.clear(); }), Code::corrupt);
  EXPECT_EQ(refusal([](DrillRecord& r) { std::swap(r.snapshots[0], r.snapshots[1]); }),
            Code::corrupt);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.snapshots[1] = r.snapshots[0]; }), Code::corrupt);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.files = r.files_listed + 1; }), Code::corrupt);
  EXPECT_EQ(refusal([](DrillRecord& r) { r.live = r.files + 1; }), Code::corrupt);
  EXPECT_EQ(refusal([](DrillRecord& r) {
              for (uint8_t i = 3; i < 80; ++i) r.snapshots.push_back(blob(i));
            }),
            Code::corrupt);
}

TEST_F(Drilled, has_one_encoding) {
  Bytes longer = encode(record_);
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_drill(longer));
  const Bytes whole = encode(record_);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_drill(ByteView(whole).first(size))) << size;
}

}  // namespace
}  // namespace cb::repository
