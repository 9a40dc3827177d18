// SPDX-License-Identifier: Apache-2.0
//
// Which snapshot is meant, and which exit code an error has.
#include <gtest/gtest.h>

#include "hosts/cyberbackup/workplace.h"

namespace cb {
namespace {

using repository::SnapshotInfo;

SnapshotInfo snapshot(const std::string& beginning, uint64_t flags = 0) {
  SnapshotInfo info;
  const std::string hex = beginning + std::string(64 - beginning.size(), '0');
  info.commit.snapshot = repository::BlobId::from_hex_text(hex).value();
  info.commit.flags = flags;
  return info;
}

const std::vector<SnapshotInfo> kList = {snapshot("aaaa1111"), snapshot("aaaa2222"),
                                         snapshot("bbbb"),
                                         snapshot("cccc", repository::kSnapshotCheckpoint)};

Code code_of(const std::string& text, const std::vector<SnapshotInfo>& list = kList) {
  const auto chosen = choose_snapshot(list, text);
  return chosen ? Code::internal : chosen.error().code;
}

TEST(SnapshotChoice, takes_an_id_or_the_beginning_of_one) {
  EXPECT_EQ(choose_snapshot(kList, "bbbb")->commit, kList[2].commit);
  EXPECT_EQ(choose_snapshot(kList, "BBBB0")->commit, kList[2].commit);
  EXPECT_EQ(choose_snapshot(kList, "aaaa2")->commit, kList[1].commit);
  EXPECT_EQ(choose_snapshot(kList, kList[0].commit.snapshot.hex())->commit, kList[0].commit);
}

TEST(SnapshotChoice, names_the_candidates_when_the_beginning_fits_several) {
  const auto chosen = choose_snapshot(kList, "aaaa");
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, Code::invalid);
  EXPECT_NE(chosen.error().cause.find("aaaa11110000, aaaa22220000"), std::string::npos)
      << chosen.error().text();
}

TEST(SnapshotChoice, tells_what_is_no_id_from_what_is_not_there) {
  EXPECT_EQ(code_of("dddd"), Code::not_found);
  EXPECT_EQ(code_of("bbb"), Code::invalid) << "too short to be meant";
  EXPECT_EQ(code_of("bbbz"), Code::invalid);
  EXPECT_EQ(code_of(""), Code::invalid);
}

TEST(SnapshotChoice, latest_is_the_newest_that_is_whole) {
  EXPECT_EQ(choose_snapshot(kList, "latest")->commit, kList[2].commit);
  EXPECT_EQ(choose_snapshot({kList[3]}, "latest")->commit, kList[3].commit);
  EXPECT_EQ(code_of("latest", {}), Code::not_found);
}

TEST(SnapshotChoice, of_a_copy_is_what_is_in_it) {
  std::vector<SnapshotInfo> list = kList;
  list[2].presence = repository::Presence::absent;
  EXPECT_EQ(choose_of_copy(list, "latest")->commit, list[1].commit);
  EXPECT_EQ(choose_of_copy(list, "aaaa2")->commit, list[1].commit);
  const auto absent = choose_of_copy(list, "bbbb");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::not_found);
  EXPECT_NE(absent.error().text().find("not in this copy"), std::string::npos);
}

TEST(SnapshotPath, is_cut_at_the_first_colon_and_without_slashes_around) {
  const auto cut = [](const std::string& text) {
    const SnapshotPath path = parse_snapshot_path(text);
    return path.snapshot + "|" + path.path;
  };
  EXPECT_EQ(cut("aaaa"), "aaaa|");
  EXPECT_EQ(cut("aaaa:"), "aaaa|");
  EXPECT_EQ(cut("aaaa:///"), "aaaa|");
  EXPECT_EQ(cut("latest:/home/me/"), "latest|home/me");
  EXPECT_EQ(cut("aaaa:a:b"), "aaaa|a:b");
}

TEST(Failure, has_the_documented_exit_code) {
  const CommonOptions options;
  const auto exit = [&](Code code, bool dialled = false) {
    return report_failure(options, fail(code, "thing", "failed"), dialled);
  };
  EXPECT_EQ(exit(Code::invalid), 2);
  EXPECT_EQ(exit(Code::not_found), 10);
  EXPECT_EQ(exit(Code::busy), 11);
  EXPECT_EQ(exit(Code::denied), 12);
  EXPECT_EQ(exit(Code::denied, true), 12);
  EXPECT_EQ(exit(Code::closed), 13);
  EXPECT_EQ(exit(Code::auth, true), 13);
  EXPECT_EQ(exit(Code::unsupported, true), 13);
  EXPECT_EQ(exit(Code::no_space), 14);
  EXPECT_EQ(exit(Code::cancelled, true), 130);
}

}  // namespace
}  // namespace cb
