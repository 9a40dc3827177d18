// SPDX-License-Identifier: Apache-2.0
//
// Packs byte by byte, and how a reader finds its way through damaged ones.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "core/repository/engine_fixture.h"
#include "core/repository/pack_scanner.h"
#include "core/repository/pack_writer.h"

namespace cb::repository {
namespace {

class MemoryPack final : public PackBytes {
 public:
  explicit MemoryPack(Bytes bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] uint64_t size() const override { return bytes_.size(); }
  Status read(uint64_t offset, ByteSpan into) override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset)
      return failed(Code::internal, "pack", "was read past its end");
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), into.size(), into.begin());
    bytes_read += into.size();
    return {};
  }

  uint64_t bytes_read = 0;

 private:
  Bytes bytes_;
};

class PackTest : public testing::Test {
 protected:
  PackTest() {
    header_.kind = PackClass::other;
    header_.repository.bytes.fill(std::byte{1});
    header_.name.bytes.fill(std::byte{0xab});
    blobs_ = {session_record(1), make_blob(BlobKind::node, 1, 100),
              make_blob(BlobKind::node, 2, 1, {BlobId{}, BlobId{}}),
              make_blob(BlobKind::node, 3, 200'000)};
  }

  // Writes blobs_; with `cut_at` the second is begun and cut after so many bytes first.
  Bytes write(std::optional<size_t> cut_at = {}) {
    auto writer = must(PackWriter::begin(house_.store(), header_));
    for (size_t i = 0; i < blobs_.size(); ++i) {
      const StoredBlob& blob = blobs_[i];
      if (i == 1 && cut_at) {
        must(writer->begin_blob(blob.head));
        must(writer->content(ByteView(blob.stored).first(*cut_at)));
        must(writer->cut());
      }
      must(writer->begin_blob(blob.head));
      for (const std::byte& b :
           ByteView(blob.stored).first(std::min<size_t>(blob.stored.size(), 9)))
        must(writer->content({&b, 1}));
      if (blob.stored.size() > 9) must(writer->content(ByteView(blob.stored).subspan(9)));
      must(writer->end_blob());
    }
    written_ = writer->blobs();
    must(writer->finish());
    Bytes bytes = house_.object(pack_object(header_.repository, header_.name));
    EXPECT_EQ(bytes.size(), writer->size());
    return bytes;
  }

  static std::vector<BlobId> ids_in(const PackScan& scan) {
    std::vector<BlobId> ids;
    for (const PackedBlob& blob : scan.blobs) ids.push_back(blob.head.id);
    return ids;
  }

  EngineHouse house_;
  PackHeader header_;
  std::vector<StoredBlob> blobs_;
  std::vector<PackedBlob> written_;
};

TEST(PackChecks, the_two_checks_are_those_that_others_compute) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);  // RFC 3720 and its errata
  EXPECT_EQ(crc32c({}), 0u);
  Checksum checksum;
  EXPECT_EQ(to_hex(checksum.value()), "99aa06d3014798d86001c324468d497f");  // xxhsum -H128
  checksum.update(as_bytes("ab"));
  checksum.update(as_bytes("c"));
  EXPECT_EQ(to_hex(checksum.value()), "06b05ab6733a618578af5f94892f3950");
  checksum.reset();
  EXPECT_EQ(to_hex(checksum.value()), "99aa06d3014798d86001c324468d497f");
}

TEST_F(PackTest, a_pack_is_laid_out_as_the_format_says) {
  blobs_ = {make_blob(BlobKind::node, 2, 3, {BlobId{}})};
  const Bytes bytes = write();
  ASSERT_EQ(bytes.size(), 48u + 68 + 32 + 3 + 16 + 68 + 28);
  EXPECT_EQ(as_text(ByteView(bytes).first(8)), "CBPACK1\n");
  EXPECT_EQ(bytes[8], std::byte{2});
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(32, 16)), header_.name.hex());
  EXPECT_EQ(as_text(ByteView(bytes).subspan(48, 4)), "CBbl");
  EXPECT_EQ(bytes[52], std::byte{4});
  EXPECT_EQ(load_le<uint32_t>(&bytes[56]), 3u);
  EXPECT_EQ(load_le<uint32_t>(&bytes[60]), 1u);
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(64, 32)), blobs_[0].head.id.hex());
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(96, 16)), blobs_[0].head.session.hex());
  EXPECT_EQ(load_le<uint32_t>(&bytes[144]), crc32c(ByteView(bytes).subspan(48, 96)));
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(148, 3)), to_hex(blobs_[0].stored));
  EXPECT_EQ(load_le<uint64_t>(&bytes[167]), 48u);  // the footer's only entry
  EXPECT_EQ(as_text(ByteView(bytes).last(8)), "CBPACKE\n");
  Checksum digest;
  digest.update(ByteView(bytes).first(bytes.size() - 28));
  EXPECT_EQ(to_hex(ByteView(bytes).last(24).first(16)), to_hex(digest.value()));
}

TEST_F(PackTest, footer_and_scan_agree_on_what_was_written) {
  MemoryPack pack(write());
  const PackFooter footer = must(read_footer(pack));
  EXPECT_EQ(footer.header.name, header_.name);
  ASSERT_EQ(footer.entries.size(), blobs_.size());
  const PackScan scan = must(scan_pack(pack, footer.offset));
  EXPECT_TRUE(scan.damaged.empty());
  EXPECT_EQ(scan.blobs, written_);
  for (size_t i = 0; i < written_.size(); ++i) {
    EXPECT_EQ(footer.entries[i], entry_of(written_[i]));
    EXPECT_EQ(written_[i].head, blobs_[i].head);
  }
  EXPECT_TRUE(verify_digest(pack));
  auto stored =
      must(StoredPack::open(house_.store(), pack_object(header_.repository, header_.name)));
  EXPECT_EQ(must(scan_pack(stored, footer.offset)).blobs, written_);
}

TEST_F(PackTest, without_a_footer_a_scan_finds_every_whole_blob) {
  const Bytes bytes = write();
  for (size_t i = 0; i <= written_.size(); ++i) {
    const size_t end = i < written_.size() ? written_[i].offset + 70 : bytes.size() - 10;
    MemoryPack pack(Bytes(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(end)));
    EXPECT_FALSE(read_footer(pack));
    EXPECT_EQ(must(scan_pack(pack, pack.size())).blobs.size(), i);
  }
}

TEST_F(PackTest, a_cut_blob_leaves_a_void_and_hides_nothing) {
  for (const size_t cut_at : {size_t{0}, size_t{1}, size_t{99}, size_t{100}}) {
    header_.name.bytes.fill(static_cast<std::byte>(cut_at));
    const Bytes bytes = write(cut_at);
    EXPECT_NE(as_text(bytes).find("CBvo"), std::string_view::npos);
    MemoryPack pack(bytes);
    const PackFooter footer = must(read_footer(pack));
    EXPECT_EQ(footer.entries.size(), blobs_.size());
    EXPECT_EQ(must(scan_pack(pack, footer.offset)).blobs, written_);
    EXPECT_EQ(must(scan_pack(pack, pack.size())).blobs, written_);
    EXPECT_TRUE(verify_digest(pack));
  }
}

TEST_F(PackTest, a_flipped_bit_is_found_and_costs_at_most_the_blob_that_it_is_in) {
  const Bytes bytes = write();
  std::mt19937 random(4711);
  for (int round = 0; round < 300; ++round) {
    const size_t at = round < 150 ? static_cast<size_t>(round) * 4 : random() % bytes.size();
    Bytes damaged = bytes;
    damaged[at] ^= static_cast<std::byte>(1 << (random() % 8));
    SCOPED_TRACE("byte " + std::to_string(at));
    MemoryPack pack(damaged);
    const auto footer = read_footer(pack);
    EXPECT_FALSE(footer && verify_digest(pack));
    const auto found = ids_in(must(scan_pack(pack, pack.size())));
    const std::set<BlobId> whole(found.begin(), found.end());
    for (size_t i = 0; i < written_.size(); ++i) {
      const uint64_t begin = written_[i].offset;
      const uint64_t end =
          begin + packed_size(blobs_[i].head.children.size(), blobs_[i].head.stored_size);
      EXPECT_EQ(whole.contains(blobs_[i].head.id), at < begin || at >= end);
    }
  }
}

TEST_F(PackTest, a_scan_reads_a_hostile_pack_only_so_often) {
  // Records without content, each of which claims all that comes behind it.
  Bytes bytes = encode_pack_header(header_);
  constexpr size_t kRecords = 2000;
  StoredBlob claim = make_blob(BlobKind::node, 9, 1);
  const size_t size = encode_record(claim.head).size();
  for (size_t left = kRecords; left > 0; --left) {
    claim.head.stored_size = static_cast<uint32_t>(left * size);
    const Bytes record = encode_record(claim.head);
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
  bytes.resize(bytes.size() + size + kChecksumSize);
  MemoryPack pack(bytes);
  EXPECT_TRUE(must(scan_pack(pack, pack.size())).blobs.empty());
  EXPECT_LT(pack.bytes_read, 100 * pack.size());
}

TEST_F(PackTest, a_writer_takes_no_more_and_no_less_than_was_announced) {
  auto writer = must(PackWriter::begin(house_.store(), header_));
  EXPECT_FALSE(writer->content(blobs_[1].stored));
  must(writer->begin_blob(blobs_[1].head));
  EXPECT_FALSE(writer->end_blob());
  EXPECT_FALSE(writer->content(Bytes(101)));
  must(writer->content(blobs_[1].stored));
  EXPECT_FALSE(writer->content(Bytes(1)));
  must(writer->end_blob());
  EXPECT_TRUE(house_.objects().empty());  // not before finish
  must(writer->finish());
  EXPECT_EQ(house_.objects().size(), 1u);
}

}  // namespace
}  // namespace cb::repository
