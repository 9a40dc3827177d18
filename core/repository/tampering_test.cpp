// SPDX-License-Identifier: Apache-2.0
//
// No change to what is stored goes unnoticed, and who lacks the keys opens nothing.
#include <algorithm>

#include "core/repository/sealing_fixture.h"

namespace cb::repository {
namespace {

class Tampering : public SealingFixture {};

TEST_F(Tampering, a_flipped_bit_anywhere_in_stored_bytes_is_noticed) {
  for (const Bytes& plain : {to_bytes(as_bytes("hello, world")), text(300)}) {
    const StoredBlob good = stored(BlobKind::data, {}, plain);
    for (size_t at = 0; at < good.stored.size(); ++at) {
      StoredBlob bad = good;
      bad.stored[at] ^= static_cast<std::byte>(1u << (at % 8));
      ASSERT_EQ(code_of(opener_->open(bad)), Code::auth) << at;
    }
    EXPECT_TRUE(opener_->open(good));
  }
}

TEST_F(Tampering, cut_and_lengthened_bytes_are_noticed) {
  StoredBlob bad = stored(BlobKind::data, {}, random_bytes(200'000, 1));
  const Bytes good = bad.stored;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{32}, size_t{33}, size_t{48}, size_t{100},
                            size_t{33 + 65552}, good.size() - 1}) {
    bad.stored.assign(good.begin(), good.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(code_of(opener_->open(bad)), Code::corrupt);  // the head tells another size
    bad.head.stored_size = static_cast<uint32_t>(size);
    ASSERT_EQ(code_of(opener_->open(bad)), Code::auth) << size;
    bad.head.stored_size = static_cast<uint32_t>(good.size());
  }
  bad.stored = good;
  bad.stored.push_back(std::byte{0});
  ++bad.head.stored_size;
  EXPECT_EQ(code_of(opener_->open(bad)), Code::auth);
}

TEST_F(Tampering, a_flipped_bit_anywhere_in_the_head_is_noticed) {
  const std::vector<BlobId> children = {child(1), child(2)};
  const StoredBlob good = stored(BlobKind::node, children, as_bytes("hello"));
  for (size_t bit = 0; bit < 256; ++bit) {
    const std::byte flip = static_cast<std::byte>(1u << (bit % 8));
    StoredBlob id = good;
    id.head.id.bytes[bit / 8] ^= flip;
    ASSERT_EQ(code_of(opener_->open(id)), Code::auth) << bit;
    for (size_t which : {0u, 1u}) {
      StoredBlob of_child = good;
      of_child.head.children[which].bytes[bit / 8] ^= flip;
      ASSERT_EQ(code_of(opener_->open(of_child)), Code::auth) << bit;
    }
    StoredBlob session = good;
    session.head.session.bytes[bit / 16] ^= flip;
    ASSERT_EQ(code_of(opener_->open(session)), Code::not_found) << bit;
  }
  StoredBlob fewer = good;
  fewer.head.children.pop_back();
  EXPECT_EQ(code_of(opener_->open(fewer)), Code::auth);
  StoredBlob swapped = good;
  std::swap(swapped.head.children[0], swapped.head.children[1]);
  EXPECT_EQ(code_of(opener_->open(swapped)), Code::auth);
  for (int kind = 0; kind < 256; ++kind) {
    if (kind == static_cast<int>(BlobKind::node)) continue;
    StoredBlob other = good;
    other.head.kind = static_cast<BlobKind>(kind);
    const auto code = code_of(opener_->open(other));
    ASSERT_TRUE(code == Code::auth || code == Code::corrupt) << kind;
  }
  EXPECT_TRUE(opener_->open(good));
}

TEST_F(Tampering, an_authentic_blob_in_the_place_of_another_is_noticed) {
  const StoredBlob a = stored(BlobKind::data, {}, as_bytes("one content"));
  const StoredBlob b = stored(BlobKind::data, {}, as_bytes("two content"));
  StoredBlob swapped = a;
  swapped.stored = b.stored;
  EXPECT_EQ(code_of(opener_->open(swapped)), Code::auth);
  // A writer that lies about the id of what it seals: the seal is good, the id is not.
  const StoredBlob lie =
      must(sealer_->seal(BlobKind::data, a.head.id, {}, as_bytes("another content"), true));
  EXPECT_EQ(code_of(opener_->open(lie)), Code::auth);
  // The same blob of another session, under this session's name.
  const auto second = new_sealer();
  learn(*opener_, *second);
  StoredBlob moved =
      must(second->seal(BlobKind::data, a.head.id, {}, as_bytes("one content"), true));
  EXPECT_TRUE(opener_->open(moved));
  moved.head.session = sealer_->session();
  EXPECT_EQ(code_of(opener_->open(moved)), Code::auth);
}

TEST_F(Tampering, a_blob_opens_only_in_its_own_repository) {
  const StoredBlob blob = stored(BlobKind::data, {}, as_bytes("hello"));
  RepositoryId other = repository_->record.id;
  other.bytes[0] ^= std::byte{1};
  const auto opener = must(Opener::make(suite(), other, repository_->keyring));
  ASSERT_TRUE(opener->learn(sealer_->session(), sealer_->record().stored));
  EXPECT_EQ(code_of(opener->open(blob)), Code::auth);
}

TEST_F(Tampering, who_lacks_the_private_half_opens_nothing) {
  const StoredBlob blob = stored(BlobKind::data, {}, as_bytes("hello"));
  Keyring writer;
  writer.write_key = repository_->keyring.write_key.clone();
  const auto blind = must(Opener::make(suite(), repository_->record.id, writer));
  EXPECT_EQ(code_of(blind->learn(sealer_->session(), sealer_->record().stored)), Code::not_found);
  EXPECT_FALSE(blind->knows(sealer_->session()));
  EXPECT_EQ(code_of(blind->open(blob)), Code::not_found);
  // Nor does somebody with a pair of his own.
  writer.epochs.push_back({1, must(must(crypto_->pair_new()).private_form())});
  const auto stranger = must(Opener::make(suite(), repository_->record.id, writer));
  ASSERT_TRUE(stranger->learn(sealer_->session(), sealer_->record().stored));
  EXPECT_EQ(code_of(stranger->open(blob)), Code::auth);
}

TEST_F(Tampering, a_session_record_that_was_changed_opens_nothing) {
  const StoredBlob blob = stored(BlobKind::data, {}, as_bytes("hello"));
  const Bytes good = sealer_->record().stored;
  const SessionSigners signers{device_->public_key(), repository_->record.root};
  for (size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    const auto opener = must(Opener::make(suite(), repository_->record.id, repository_->keyring));
    const auto record = decode_session(bad);
    const bool signed_well = record && verify_session_record(*record, repository_->record.id,
                                                             sealer_->session(), signers);
    ASSERT_FALSE(signed_well) << at;
    // Device and signature are not part of the key: only the signature tells of them.
    if (at + 64 + 16 >= good.size()) continue;
    const bool opens = opener->learn(sealer_->session(), bad) && opener->open(blob);
    ASSERT_FALSE(opens) << at;
  }
  const auto record = must(decode_session(good));
  EXPECT_TRUE(verify_session_record(record, repository_->record.id, sealer_->session(), signers));
  // Nor as the record of another session.
  const auto opener = must(Opener::make(suite(), repository_->record.id, repository_->keyring));
  ASSERT_TRUE(opener->learn(SessionId{}, good));
  StoredBlob moved = blob;
  moved.head.session = {};
  EXPECT_EQ(code_of(opener->open(moved)), Code::auth);
}

}  // namespace
}  // namespace cb::repository
