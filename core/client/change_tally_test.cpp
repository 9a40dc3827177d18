// SPDX-License-Identifier: Apache-2.0
#include "core/client/change_tally.h"

#include <gtest/gtest.h>

namespace cb::client {
namespace {

TEST(ChangeTally, a_name_with_another_ending_or_one_more_is_told_from_another_name) {
  EXPECT_TRUE(has_other_ending("a/report.doc", "a/report.doc.locked"));
  EXPECT_TRUE(has_other_ending("a/report.doc", "a/report.locked"));
  EXPECT_TRUE(has_other_ending("a/README", "a/README.locked"));
  EXPECT_FALSE(has_other_ending("a/report.doc", "a/report.doc"));
  EXPECT_FALSE(has_other_ending("a/report.doc", "b/report.doc.locked"));
  EXPECT_FALSE(has_other_ending("a/report.doc", "a/reports.doc"));
  EXPECT_FALSE(has_other_ending("a.b/c", "a.b/d"));
  EXPECT_FALSE(has_other_ending(".profile", ".bashrc"));
  EXPECT_FALSE(has_other_ending("", "a.x"));
}

TEST(ChangeTally, what_is_gone_follows_from_what_is_left) {
  ChangeTally tally;
  for (int i = 0; i < 5; ++i) tally.unchanged();
  tally.changed();
  tally.added("a/report.doc.locked", "a/report.doc");
  tally.added("a/report.doc.txt", "a/report.doc");  // of one file that is gone
  tally.added("z", "a/report.doc");
  const repository::ChangeReport report = tally.report(10);
  EXPECT_EQ(report.unchanged, 5u);
  EXPECT_EQ(report.changed, 1u);
  EXPECT_EQ(report.added, 3u);
  EXPECT_EQ(report.renamed, 1u);
  EXPECT_EQ(report.removed, 4u);
  EXPECT_EQ(tally.report(2).removed, 0u);
}

}  // namespace
}  // namespace cb::client
