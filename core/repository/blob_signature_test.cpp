// SPDX-License-Identifier: Apache-2.0
#include "core/repository/blob_signature.h"

#include <gtest/gtest.h>

#include "core/repository/signatures.h"
#include "core/repository/suite_fixture.h"

namespace cb::repository {
namespace {

class BlobSignatureTest : public SuiteFixture {
 protected:
  BlobSignatureTest()
      : fresh_(fresh_repository()),
        keys_(must(WriteKeys::make(*crypto_, fresh_.record.id, fresh_.keyring.write_key.view()))),
        device_(must(identity::SigningKey::make(os::system_random()))) {
    blob_.bytes.fill(std::byte{7});
  }

  SessionSealer::Sign sign() {
    return [this](ByteView message) { return device_.sign(message); };
  }

  BlobSignature signed_of(ByteView plain, uint64_t offset = 0) {
    auto signature = must(describe_blob(keys_, plain, offset));
    signature.anchors = find_anchors(keys_.gear(), plain);
    signature.device = device_of(device_.public_key());
    must(sign_blob_signature(signature, keys_.repository(), blob_, sign()));
    return signature;
  }

  NewRepository fresh_;
  WriteKeys keys_;
  identity::SigningKey device_;
  BlobId blob_;
};

// The plain words of the format: hash every 64 bytes from nothing.
std::vector<Anchor> anchors_the_slow_way(const std::array<uint64_t, 256>& gear, ByteView content) {
  std::vector<Anchor> anchors;
  for (size_t end = 64; end <= content.size(); ++end) {
    uint64_t hash = 0;
    for (size_t i = end - 64; i < end; ++i)
      hash = (hash << 1) + gear.at(std::to_integer<size_t>(content[i]));
    const bool is_far = anchors.empty() || end - anchors.back().end >= 4096;
    if (hash >> 48 == 0 && is_far) anchors.push_back({static_cast<uint32_t>(end), hash});
  }
  return anchors;
}

TEST_F(BlobSignatureTest, anchors_are_what_the_format_says) {
  for (const size_t size : {size_t{0}, size_t{63}, size_t{64}, size_t{127}, size_t{128},
                            size_t{129}, size_t{300'001}, size_t{1} << 20}) {
    const Bytes content = random_bytes(size, 1);
    if (size < 128) {
      EXPECT_TRUE(find_anchors(keys_.gear(), content).empty()) << size;
      continue;
    }
    EXPECT_EQ(find_anchors(keys_.gear(), content), anchors_the_slow_way(keys_.gear(), content))
        << size;
  }
}

TEST_F(BlobSignatureTest, anchors_move_with_their_content) {
  const Bytes content = random_bytes(1 << 20, 2);
  Bytes moved = random_bytes(777, 3);
  moved.insert(moved.end(), content.begin(), content.end());
  const auto before = find_anchors(keys_.gear(), content);
  const auto after = find_anchors(keys_.gear(), moved);
  ASSERT_GT(before.size(), 8u);
  size_t common = 0;
  for (const Anchor& anchor : before)
    common += static_cast<size_t>(
        std::count(after.begin(), after.end(), Anchor{anchor.end + 777, anchor.mark}));
  EXPECT_GE(common + 1, before.size());
}

TEST_F(BlobSignatureTest, borders_of_pieces_are_at_multiples_of_4_KiB_in_the_file) {
  const auto signature = must(describe_blob(keys_, random_bytes(10'000, 4), 4096 * 5 + 1000));
  const std::vector<BlobSignature::Run> runs{{1, 3096}, {1, 4096}, {1, 2808}};
  EXPECT_EQ(signature.runs, runs);
  EXPECT_EQ(signature.pieces.size(), 3u);
  EXPECT_EQ(signature.size(), 10'000u);
}

TEST_F(BlobSignatureTest, equal_pieces_have_equal_hashes_and_no_others) {
  Bytes content = random_bytes(4096 * 3, 5);
  std::copy_n(content.begin(), 4096, content.begin() + 8192);
  const auto signature = must(describe_blob(keys_, content, 0));
  EXPECT_EQ(signature.pieces.at(0), signature.pieces.at(2));
  EXPECT_NE(signature.pieces.at(0), signature.pieces.at(1));
}

TEST_F(BlobSignatureTest, a_record_comes_back_as_it_was) {
  for (const size_t size : {size_t{1}, size_t{4096}, size_t{1} << 20}) {
    const auto signature = signed_of(random_bytes(size, 6), 99);
    EXPECT_EQ(must(decode_blob_signature(encode(signature))), signature);
  }
}

TEST_F(BlobSignatureTest, no_beginning_of_a_record_is_one) {
  const Bytes record = encode(signed_of(random_bytes(70'000, 7)));
  for (size_t size = 0; size < record.size(); ++size)
    ASSERT_FALSE(decode_blob_signature(ByteView(record).first(size))) << size;
}

TEST_F(BlobSignatureTest, what_no_blob_can_hold_is_refused) {
  BlobSignature signature;
  signature.runs = {{3, kMaxData / 2}};
  signature.pieces.resize(3);
  EXPECT_EQ(decode_blob_signature(encode(signature)).error().code, Code::corrupt);
  signature.runs = {{0, 1}};
  signature.pieces.clear();
  EXPECT_EQ(decode_blob_signature(encode(signature)).error().code, Code::corrupt);
  signature = must(describe_blob(keys_, random_bytes(5000, 8), 0));
  signature.anchors = {{5001, 1}};
  EXPECT_EQ(decode_blob_signature(encode(signature)).error().code, Code::corrupt);
}

TEST_F(BlobSignatureTest, only_the_device_s_own_of_this_blob_is_believed) {
  auto signature = signed_of(random_bytes(70'000, 9));
  const auto verify = [&] {
    return verify_blob_signature(signature, keys_.repository(), blob_, device_.public_key());
  };
  EXPECT_TRUE(verify());
  const auto other = must(identity::SigningKey::make(os::system_random()));
  EXPECT_FALSE(verify_blob_signature(signature, keys_.repository(), blob_, other.public_key()));
  BlobId another = blob_;
  another.bytes[0] = std::byte{1};
  EXPECT_FALSE(verify_blob_signature(signature, keys_.repository(), another, device_.public_key()));
  signature.pieces.front().bytes[0] ^= std::byte{1};
  EXPECT_FALSE(verify());
}

TEST_F(BlobSignatureTest, every_writer_opens_a_shared_blob_and_nobody_alters_one) {
  const Bytes plain = encode(signed_of(random_bytes(70'000, 10)));
  StoredBlob blob = must(seal_shared(suite(), keys_, BlobKind::signature, {blob_}, plain));
  EXPECT_EQ(must(open_shared(suite(), keys_, blob)), plain);
  StoredBlob moved = blob;
  moved.head.children.front().bytes[0] ^= std::byte{1};
  EXPECT_EQ(open_shared(suite(), keys_, moved).error().code, Code::auth);
  blob.stored.back() ^= std::byte{1};
  EXPECT_EQ(open_shared(suite(), keys_, blob).error().code, Code::auth);
}

TEST_F(BlobSignatureTest, what_a_session_seals_is_not_shared) {
  EXPECT_EQ(seal_shared(suite(), keys_, BlobKind::data, {}, {}).error().code, Code::invalid);
  StoredBlob blob;
  blob.head.kind = BlobKind::node;
  EXPECT_EQ(open_shared(suite(), keys_, blob).error().code, Code::corrupt);
}

}  // namespace
}  // namespace cb::repository
