// SPDX-License-Identifier: Apache-2.0
//
// Which checks of stores each variant of wrong_store.c fails: exactly these.
#include "tests/bad-plugins/verdicts.h"

namespace cb::check_test {
namespace {

class StoreVerdicts : public testing::TestWithParam<Row> {};

// All checks of stores but the two that take long, which have tests of their own.
const std::vector<std::string>& quick_checks() {
  static const std::vector<std::string> names = {
      "put-get",        "zero-length",          "range-reads",
      "range-past-end", "range-refused",        "remove",
      "open-get-stays", "abort-leaves-nothing", "invisible-before-commit",
      "if-absent-race", "unknown-flags",        "list-order-and-prefix",
      "hostile-names",  "list-during-writes",   "no-space"};
  return names;
}

TEST_P(StoreVerdicts, are_exactly_these) { expect_verdicts(GetParam(), quick_checks()); }

INSTANTIATE_TEST_SUITE_P(
    Wrong, StoreVerdicts,
    testing::Values(
        Row{"store-nothing", {}},
        Row{"store-last-byte", {{"put-get", "failed"}}, "came back with 4095 bytes"},
        Row{"store-no-empty", {{"zero-length", "failed"}}},
        Row{"store-long-range", {{"range-reads", "failed"}}, "did not come back as they are"},
        Row{"store-clamped-range",
            {{"range-past-end", "failed"}},
            "from 1001 of an object of 1000"},
        Row{"store-part-without-range", {{"range-refused", "failed"}}, "from byte 1 succeeded"},
        Row{"store-removes-always", {{"remove", "failed"}}, "of an absent object succeeded"},
        Row{"store-reopens", {{"open-get-stays", "failed"}}},
        Row{"store-aborts-old", {{"abort-leaves-nothing", "failed"}}},
        Row{"store-leaks-puts", {{"abort-leaves-nothing", "warning"}}, "40 MiB more"},
        Row{"store-stats-puts", {{"invisible-before-commit", "failed"}}, "stat before commit"},
        Row{"store-absent-at-begin", {{"if-absent-race", "failed"}}, "the later commit"},
        Row{"store-any-flags", {{"unknown-flags", "failed"}}, "put_begin with flags"},
        Row{"store-inclusive-after", {{"list-order-and-prefix", "failed"}}, "after 'a' tells a at"},
        Row{"store-lists-by-index", {{"list-during-writes", "failed"}}, "a list during changes"},
        Row{"store-any-name", {{"hostile-names", "failed"}}, "put_begin of ''"}),
    name_of_row);

// Is there a small disk to be had? Where not, no-space is skipped.
bool has_small_disk() {
  const auto good = std::filesystem::path(CB_BAD_PLUGIN_DIR) / "store-nothing.so";
  return run_check(good, {"--only", "no-space"}).output.find("\"skipped\": 0") != std::string::npos;
}

TEST(StoreVerdicts, a_store_that_does_not_notice_a_full_disk_fails_no_space) {
  if (!has_small_disk()) GTEST_SKIP() << "no small disk can be mounted here";
  expect_verdicts({"store-ignores-full", {{"no-space", "failed"}}, "came back with"},
                  quick_checks());
}

TEST(StoreVerdicts, a_store_that_writes_under_the_final_name_fails_kill_during_put) {
  expect_verdicts({"store-copies-at-commit", {{"kill-during-put", "failed"}}, "after a kill"},
                  {"kill-during-put"});
}

TEST(StoreVerdicts, a_store_that_puts_commits_off_fails_kill_during_put) {
  expect_verdicts({"store-commits-later", {{"kill-during-put", "failed"}}, ", but is "},
                  {"kill-during-put"});
}

TEST(StoreVerdicts, a_store_with_room_for_a_thousand_names_fails_many_objects) {
  expect_verdicts({"store-short-list", {{"many-objects", "failed"}}, "of 10000"},
                  {"many-objects", "list-order-and-prefix", "list-during-writes"});
}

TEST(StoreVerdicts, the_right_store_passes_the_long_checks_too) {
  expect_verdicts({"store-nothing", {}}, {"kill-during-put", "many-objects"});
}

}  // namespace
}  // namespace cb::check_test
