// SPDX-License-Identifier: Apache-2.0
#include "core/client/witness.h"

#include "core/client/chain_fixture.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::code_of;
using repository::CommitType;
using repository::must;
using Kind = WitnessFinding::Kind;

class WitnessTest : public ChainFixture {
 protected:
  // Follows the server and takes a witness of it.
  Witness witness() {
    EXPECT_TRUE(receipts_->follow(server_.view()));
    return must(make_witness(*receipts_, reader()));
  }
  ReadChain reader() {
    return [this](uint64_t from) { return server_.chain(from); };
  }
  // As a device finds that comes anew.
  std::vector<WitnessFinding> findings(const Witness& witness) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    restart();
    EXPECT_TRUE(receipts_->follow(server_.view()));
    return must(compare(witness, *receipts_, reader()));
  }
  static std::vector<Kind> kinds(const std::vector<WitnessFinding>& findings) {
    std::vector<Kind> all;
    for (const WitnessFinding& finding : findings) all.push_back(finding.kind);
    return all;
  }
};

TEST_F(WitnessTest, comes_back_from_its_text_and_takes_nothing_else) {
  EXPECT_EQ(witness_text(must(parse_witness(witness_text(witness()), "w"))),
            witness_text(witness()))
      << "of an account without commits";
  const BlobId first = server_.commit(owner_);
  server_.commit(writer_);
  server_.act(CommitType::forget, first, &owner_);
  const std::string text = witness_text(witness());
  const Witness back = must(parse_witness(text, "w"));
  EXPECT_EQ(back.head, server_.head());
  EXPECT_EQ(back.snapshots.size(), 1u);
  EXPECT_EQ(witness_text(back), text);
  for (size_t cut = 0; cut < text.size(); ++cut)
    EXPECT_FALSE(parse_witness(text.substr(0, cut), "w")) << cut;
  for (size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = other[at] == '1' ? '2' : '1';
    const auto parsed = parse_witness(other, "w");
    // Which snapshots lived is not signed; a changed id is another snapshot, which will be missed.
    if (parsed) {
      EXPECT_GT(at, text.find("\nsnapshot")) << at;
    }
  }
  EXPECT_EQ(code_of(parse_witness("cyberbackup-witness 2\n", "w")), Code::unsupported);
}

TEST_F(WitnessTest, finds_nothing_in_a_history_that_went_on) {
  server_.commit(owner_);
  const Witness taken = witness();
  server_.commit(writer_);
  EXPECT_TRUE(findings(taken).empty());
}

TEST_F(WitnessTest, finds_a_server_that_was_set_back_or_tells_another_history) {
  server_.commit(owner_);
  const ChainServer before = server_;
  server_.commit(owner_);
  const Witness taken = witness();
  server_ = before;
  EXPECT_EQ(kinds(findings(taken)), (std::vector<Kind>{Kind::older, Kind::missing}));
  server_.commit(owner_, 7);
  EXPECT_EQ(kinds(findings(taken)), (std::vector<Kind>{Kind::forked, Kind::missing}));
  server_.commit(owner_, 7);
  EXPECT_EQ(kinds(findings(taken)), (std::vector<Kind>{Kind::forked, Kind::missing}));
}

TEST_F(WitnessTest, finds_another_server_key) {
  Witness taken = witness();
  server_.key = fresh_key();
  EXPECT_EQ(kinds(findings(taken)), std::vector<Kind>{Kind::other_server});
}

TEST_F(WitnessTest, names_what_became_of_a_snapshot) {
  const BlobId binned = server_.commit(owner_);
  const BlobId removed = server_.commit(owner_);
  const BlobId back = server_.commit(owner_);
  const Witness taken = witness();
  server_.act(CommitType::forget, binned, &owner_);
  server_.act(CommitType::removal, removed, nullptr);
  server_.act(CommitType::forget, back, &owner_);
  server_.act(CommitType::undelete, back, &owner_);
  const auto found = findings(taken);
  ASSERT_EQ(kinds(found), (std::vector<Kind>{Kind::trash, Kind::missing}));
  EXPECT_EQ(found[0].snapshot, binned);
  EXPECT_NE(found[0].text.find("put into the trash by device"), std::string::npos);
  EXPECT_EQ(found[1].snapshot, removed);
  EXPECT_NE(found[1].text.find("removed by the server with commit 5"), std::string::npos);
}

TEST_F(WitnessTest, of_another_repository_is_refused) {
  Witness taken = witness();
  taken.repository.bytes[0] ^= std::byte{1};
  EXPECT_EQ(code_of(compare(taken, *receipts_, reader())), Code::invalid);
}

}  // namespace
}  // namespace cb::client
