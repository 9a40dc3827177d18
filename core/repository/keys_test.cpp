// SPDX-License-Identifier: Apache-2.0
//
// Naming, sealing and opening blobs with the real plugins: what goes in comes out.
#include <algorithm>
#include <thread>

#include "core/repository/rotation_keys.h"
#include "core/repository/sealing_fixture.h"

namespace cb::repository {
namespace {

class KeysTest : public SealingFixture {
 protected:
  using SealingFixture::SealingFixture;
};

TEST_F(KeysTest, every_kind_and_size_comes_back) {
  const size_t chunk = must(crypto_->props()).chunk_plain;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{1000}, chunk - 6,
                            chunk - 5, chunk - 4, chunk, 2 * chunk - 5, 3 * chunk, size_t{1} << 20})
    for (const BlobKind kind : {BlobKind::data, BlobKind::node, BlobKind::snapshot})
      for (const Bytes& plain : {random_bytes(size, 7), text(size)}) {
        if (kind == BlobKind::snapshot && size > kMaxSnapshot) continue;
        std::vector<BlobId> children;
        if (kind == BlobKind::node) children = {child(1), child(2), child(1)};
        if (kind == BlobKind::snapshot) children = {child(9)};
        const StoredBlob blob = stored(kind, children, plain);
        EXPECT_EQ(blob.head.stored_size, blob.stored.size());
        EXPECT_EQ(blob.head.session, sealer_->session());
        const auto back = opener_->open(blob);
        ASSERT_TRUE(back) << size << ": " << back.error().text();
        ASSERT_TRUE(back->plain == plain) << size;
        ASSERT_EQ(back->id, blob.head.id);
        ASSERT_EQ(back->kind, kind);
        ASSERT_EQ(back->children, children);
      }
}

TEST_F(KeysTest, the_largest_blobs_come_back_and_larger_ones_are_refused) {
  const Bytes data = random_bytes(kMaxData, 3);
  const StoredBlob blob = stored(BlobKind::data, {}, data);
  EXPECT_LE(blob.stored.size(), kMaxStored);
  EXPECT_TRUE(must(opener_->open(blob)).plain == data);
  const std::vector<BlobId> many(kMaxChildren, child(3));
  EXPECT_EQ(must(opener_->open(stored(BlobKind::node, many, text(100)))).children, many);
  const auto seal = [&](BlobKind kind, size_t size, size_t children) {
    return code_of(
        sealer_->seal(kind, child(1), std::vector<BlobId>(children), Bytes(size), false));
  };
  EXPECT_EQ(seal(BlobKind::data, kMaxData + 1, 0), Code::limit);
  EXPECT_EQ(seal(BlobKind::node, kMaxNode + 1, 0), Code::limit);
  EXPECT_EQ(seal(BlobKind::snapshot, kMaxSnapshot + 1, 0), Code::limit);
  EXPECT_EQ(seal(BlobKind::node, 1, kMaxChildren + 1), Code::limit);
  EXPECT_EQ(code_of(write_->id_of(BlobKind::node, std::vector<BlobId>(kMaxChildren + 1), {})),
            Code::limit);
  for (const BlobKind kind : {BlobKind::session, BlobKind::signature, BlobKind::recipe})
    EXPECT_EQ(seal(kind, 1, 0), Code::invalid);
}

TEST_F(KeysTest, any_mixture_comes_back) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    Bytes plain;
    for (auto part = random() % 5; part > 0; --part) {
      const size_t size = random() % 200'000;
      const Bytes more = random() % 2 == 0 ? text(size) : random_bytes(size, random());
      plain.insert(plain.end(), more.begin(), more.end());
    }
    std::vector<BlobId> children(random() % 20);
    for (BlobId& one : children) one = child(static_cast<uint8_t>(random()));
    const auto back = opener_->open(stored(BlobKind::node, children, plain));
    ASSERT_TRUE(back) << back.error().text();
    ASSERT_TRUE(back->plain == plain) << round;
    ASSERT_EQ(back->children, children);
  }
}

TEST_F(KeysTest, text_shrinks_and_random_bytes_grow_by_less_than_a_thousandth) {
  const size_t size = 1 << 20;
  EXPECT_LT(stored(BlobKind::data, {}, text(size)).stored.size(), size / 4);
  EXPECT_LT(stored(BlobKind::data, {}, random_bytes(size, 3)).stored.size(), size + size / 1000);
}

TEST_F(KeysTest, an_id_hangs_on_kind_children_content_and_key) {
  const std::vector<BlobId> ab = {child(1), child(2)};
  const std::vector<BlobId> ba = {child(2), child(1)};
  const auto id = [&](const std::vector<BlobId>& children, BlobKind kind = BlobKind::node) {
    return must(write_->id_of(kind, children, as_bytes("content")));
  };
  EXPECT_EQ(id(ab), id(ab));
  EXPECT_NE(id(ab), id(ba));
  EXPECT_NE(id(ab), id({}));
  EXPECT_NE(id(ab), id(ab, BlobKind::recipe));
  EXPECT_NE(id(ab), must(write_->id_of(BlobKind::node, ab, as_bytes("content."))));
  // Children are not mistaken for content.
  Bytes joined = to_bytes(child(1).view());
  EXPECT_NE(must(write_->id_of(BlobKind::node, {}, joined)),
            must(write_->id_of(BlobKind::node, std::vector<BlobId>{child(1)}, {})));
  const NewRepository other = fresh_repository();
  const WriteKeys others =
      must(WriteKeys::make(*crypto_, other.record.id, other.keyring.write_key.view()));
  EXPECT_NE(id(ab), must(others.id_of(BlobKind::node, ab, as_bytes("content"))));
  EXPECT_NE(write_->gear(), others.gear());
}

TEST_F(KeysTest, an_id_in_place_is_that_of_a_copy) {
  const Bytes plain = text(5000);
  for (const size_t count : {0u, 1u, 7u}) {
    std::vector<BlobId> children;
    for (size_t i = 0; i < count; ++i) children.push_back(child(static_cast<uint8_t>(i)));
    Bytes memory(kIdHeadroom + 32 * count);
    memory.insert(memory.end(), plain.begin(), plain.end());
    EXPECT_EQ(must(write_->id_in_place(BlobKind::data, children, memory)),
              must(write_->id_of(BlobKind::data, children, plain)));
    EXPECT_TRUE(std::equal(plain.begin(), plain.end(), memory.end() - 5000));
  }
  Bytes small(kIdHeadroom - 1);
  EXPECT_EQ(code_of(write_->id_in_place(BlobKind::data, {}, small)), Code::invalid);
  EXPECT_EQ(code_of(write_->id_of(BlobKind::session, {}, {})), Code::invalid);
}

TEST_F(KeysTest, sources_and_tags_have_names_of_their_own) {
  const DeviceId device = device_of(device_->public_key());
  const auto source = [&](std::vector<std::string> paths) {
    return must(write_->source_hash(device, std::move(paths)));
  };
  EXPECT_EQ(source({"/a", "/b"}), source({"/b", "/a"}));
  EXPECT_NE(source({"/a", "/b"}), source({"/a/b"}));
  EXPECT_NE(source({"/a"}), must(write_->source_hash(DeviceId{}, {"/a"})));
  EXPECT_EQ(must(write_->tag_hash("x")), must(write_->tag_hash("x")));
  EXPECT_NE(must(write_->tag_hash("x")), must(write_->tag_hash("y")));
}

TEST_F(KeysTest, another_suite_is_named) {
  RepositoryRecord record = repository_->record;
  record.suite = "crypto-future";
  const auto sealer = SessionSealer::begin(suite(), record, SessionId{}, DeviceId{},
                                           [&](ByteView bytes) { return device_->sign(bytes); });
  ASSERT_EQ(code_of(sealer), Code::unsupported);
  EXPECT_NE(sealer.error().text().find("crypto-future"), std::string::npos);
}

TEST_F(KeysTest, a_session_seals_for_the_newest_epoch) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  repository_->record.epochs.push_back({2, must(pair.public_half())});
  const auto sealer = new_sealer();
  const BlobId id = must(write_->id_of(BlobKind::data, {}, as_bytes("new")));
  const StoredBlob blob = must(sealer->seal(BlobKind::data, id, {}, as_bytes("new"), true));
  EXPECT_EQ(code_of(opener_->learn(sealer->session(), sealer->record().stored)), Code::not_found);
  repository_->keyring.epochs.push_back({2, must(pair.private_form())});
  const auto opener = must(Opener::make(suite(), repository_->record.id, repository_->keyring));
  learn(*opener, *sealer);
  EXPECT_TRUE(opener->open(blob));
  learn(*opener, *sealer_);
  EXPECT_TRUE(opener->open(stored(BlobKind::data, {}, as_bytes("old"))));
}

TEST_F(KeysTest, a_session_that_was_wrapped_for_later_epochs_opens_with_the_newest_alone) {
  const StoredBlob blob = stored(BlobKind::data, {}, as_bytes("old"));
  Bytes record = sealer_->record().stored;
  Keyring keyring = repository_->keyring.clone();
  for (uint32_t epoch = 2; epoch <= 3; ++epoch) {
    must(add_epoch(*crypto_, repository_->record, keyring));
    const auto rewrapper = must(Rewrapper::make(*crypto_, repository_->record, keyring));
    record = must(rewrapper.rewrap(sealer_->session(), record));
    keyring.epochs.erase(keyring.epochs.begin());
    ASSERT_EQ(keyring.epochs.front().epoch, epoch);
    const auto opener = must(Opener::make(suite(), repository_->record.id, keyring));
    EXPECT_EQ(code_of(opener->learn(sealer_->session(), sealer_->record().stored)),
              Code::not_found);
    must(opener->learn(sealer_->session(), record));
    EXPECT_EQ(as_text(must(opener->open(blob)).plain), "old");
  }
  const SessionRecord read = must(decode_session(record));
  EXPECT_TRUE(verify_session_record(read, repository_->record.id, sealer_->session(),
                                    {{}, repository_->record.root}));
  EXPECT_EQ(repository_->record.revision, 3u);
}

TEST_F(KeysTest, a_session_is_not_wrapped_anew_without_its_epoch_or_when_it_was_altered) {
  Keyring keyring = repository_->keyring.clone();
  must(add_epoch(*crypto_, repository_->record, keyring));
  const auto rewrapper = must(Rewrapper::make(*crypto_, repository_->record, keyring));
  const Bytes record = must(rewrapper.rewrap(sealer_->session(), sealer_->record().stored));
  SessionRecord altered = must(decode_session(record));
  altered.wrapped[0] ^= std::byte{1};
  EXPECT_EQ(code_of(rewrapper.rewrap(sealer_->session(), encode(altered))), Code::auth);
  EXPECT_EQ(code_of(rewrapper.rewrap(SessionId{}, record)), Code::auth);
  keyring.epochs.erase(keyring.epochs.begin());
  const auto without = must(Rewrapper::make(*crypto_, repository_->record, keyring));
  EXPECT_EQ(code_of(without.rewrap(sealer_->session(), sealer_->record().stored)), Code::not_found);
}

TEST_F(KeysTest, threads_may_share_sealer_and_opener) {
  std::vector<std::thread> threads;
  for (uint_fast32_t number = 0; number < 4; ++number)
    threads.emplace_back([&, number] {
      for (uint_fast32_t round = 0; round < 20; ++round) {
        const Bytes plain = number % 2 == 0 ? text(50'000 * number + 777 * round)
                                            : random_bytes(60'000 + round, 100 * number + round);
        const BlobId id = must(write_->id_of(BlobKind::data, {}, plain));
        const auto blob = sealer_->seal(BlobKind::data, id, {}, plain, true);
        ASSERT_TRUE(blob) << blob.error().text();
        const auto back = opener_->open(*blob);
        ASSERT_TRUE(back) << back.error().text();
        ASSERT_TRUE(back->plain == plain);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(SealedBlob, is_only_good_when_it_opens_to_what_went_in) {
  struct Bench : SuiteFixture {
    void TestBody() override {}
    using SuiteFixture::crypto_;
    using SuiteFixture::random_bytes;
    using SuiteFixture::suite;
    using SuiteFixture::text;
  } bench;
  const plugin::Key key = must(bench.crypto_->import_key(Bench::random_bytes(32, 1)));
  const StreamSizes sizes = must(stream_sizes(*bench.crypto_));
  const Suite suite = bench.suite();
  const BlobSeal how{suite, sizes, key, {}};
  for (const size_t size : {size_t{0}, size_t{5}, size_t{65531}, size_t{65532}, size_t{300'000}})
    for (const Bytes& plain : {Bench::random_bytes(size, 4), Bench::text(size), Bytes(size)}) {
      const Bytes stored = must(seal_plain(how, plain));
      EXPECT_TRUE(check_sealed(how, stored, plain)) << size;
      Bytes longer = plain;
      longer.push_back(std::byte{0});
      EXPECT_EQ(code_of(check_sealed(how, stored, longer)), Code::internal) << size;
      if (size == 0) continue;
      EXPECT_EQ(code_of(check_sealed(how, stored, ByteView(plain).first(size - 1))),
                Code::internal);
      for (const size_t at : {size_t{0}, size / 2, size - 1}) {
        Bytes other = plain;
        other[at] ^= std::byte{1};
        EXPECT_EQ(code_of(check_sealed(how, stored, other)), Code::internal) << size << " " << at;
      }
    }
}

// Everything drawn from a counter and a cipher of a fixed kind: these values may never change, or
// repositories that exist could not be read any more. tests/data/vectors has a program that
// computes them from the text of the format.
class KnownAnswers : public KeysTest {
 protected:
  KnownAnswers() : KeysTest(counting(), "aes-256-gcm") {}
  static os::Random& counting() {
    thread_local CountingRandom random;
    random = {};
    return random;
  }
};

TEST_F(KnownAnswers, stay_what_they_are) {
  const Bytes plain = to_bytes(as_bytes("hello"));
  const StoredBlob blob = stored(BlobKind::node, {child(1)}, plain);
  EXPECT_EQ(repository_->record.id.hex(), "404142434445464748494a4b4c4d4e4f");
  EXPECT_EQ(to_hex(repository_->record.root),
            "29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7");
  EXPECT_EQ(to_hex(repository_->keyring.write_key.view()),
            "505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f");
  EXPECT_EQ(write_->gear()[0], 9485870966643223693u);
  EXPECT_EQ(write_->gear()[255], 6653283926726884902u);
  EXPECT_EQ(blob.head.id.hex(), "8db35017235a03eb8b2b405ecd2cecc3fd9a2b2840234e47913a4998076ed0f2");
  EXPECT_EQ(
      to_hex(blob.stored),
      "01c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedff62f41ca00111dbfbb8d9d31"
      "87ec029e0dc6f3c79d3efe5173f4");
  EXPECT_EQ(sealer_->record().head.id.hex(),
            "909192939495969798999a9b9c9d9e9f00000000000000000000000000000000");
  EXPECT_EQ(
      to_hex(sealer_->record().stored),
      "010d63727970746f2d6d6f6465726e0120605a725d2a4adfeeb1a29e17edd621c1b7593ee8cdbc44ac6c4ab6e2"
      "f805d23c56475aa75463474c0285df5dbf2bcab7cf2ce9466b616313f939abd57a693245e1342550e8f0fd98f1"
      "d001bac9ea5c7365ca76d7d2ed0a0d3610fd97bf94a77494c33d4e5d3f6bbe8d1afd5855bfb304");
  EXPECT_EQ(
      to_hex(encode(repository_->record)),
      "0101404142434445464748494a4b4c4d4e4f0d63727970746f2d6d6f6465726e047a7374648080208080408080"
      "80048080200029acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd701012023b7bb8c"
      "91ae008711fb12846780bcdf1e065f821bdfec49f57e7c7dcd4c48230084e6388ffb940974311eacce0df322f0"
      "b3e1ab5cdd7e5f1f1af2381c88099c6e060c4b575e3b24cf77c3d5239a7a466563309bba16d5cb720f49fc7028"
      "892b04");
  EXPECT_EQ(must(write_->source_hash(device_of(device_->public_key()), {"/home", "/etc"})).hex(),
            "43aaf9c4df8d66215ab34a826236f0eeeff951e33947e7e4ea89c3e7bc8a2252");
  EXPECT_EQ(must(write_->tag_hash("daily")).hex(),
            "68a82d8860c2b8d89a9f0d7b559a9b9cd60f477dbbe4723f44c595bdfd411fa7");
}

}  // namespace
}  // namespace cb::repository
