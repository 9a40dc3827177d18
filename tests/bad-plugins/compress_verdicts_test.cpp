// SPDX-License-Identifier: Apache-2.0
//
// Which checks of compressors each variant of wrong_compress.c fails: exactly these.
#include "tests/bad-plugins/verdicts.h"

namespace cb::check_test {
namespace {

class CompressVerdicts : public testing::TestWithParam<Row> {};

TEST_P(CompressVerdicts, are_exactly_these) { expect_verdicts(GetParam(), {"compress"}); }

INSTANTIATE_TEST_SUITE_P(
    Wrong, CompressVerdicts,
    testing::Values(
        Row{"compress-nothing", {}},
        Row{"compress-forgets-past-32-mib", {{"round-trip", "failed"}}, "64 MiB of text"},
        Row{"compress-lies-in-bound", {{"bound-is-true", "failed"}}, "that bound() names"},
        Row{"compress-cuts-at-cap", {{"bomb-stops-at-cap", "failed"}}, "must fail as limit"},
        Row{"compress-writes-past-cap",
            {{"bomb-stops-at-cap", "crashed"}, {"garbage", "crashed"}},
            "Segmentation fault"},
        Row{"compress-takes-truncated", {{"truncated", "failed"}}, "the first 1 bytes"},
        Row{"compress-reads-past-input",
            {{"truncated", "crashed"}, {"garbage", "crashed"}},
            "function decompress"},
        Row{"compress-rubbish-is-io", {{"garbage", "failed"}}, "failed as io"},
        Row{"compress-one-frame", {{"concatenated-frames", "failed"}}, "10000 bytes instead of"},
        Row{"compress-other-stream", {{"stream-equals-one-shot", "failed"}}, "a stream wrote"},
        Row{"compress-needs-two", {{"one-byte-windows", "failed"}}, "no progress"},
        Row{"compress-holds-at-flush", {{"flush-is-readable", "failed"}}, "where 1000 went in"},
        Row{"compress-half-reset", {{"reset-reuse", "failed"}}, "after a reset"},
        Row{"compress-any-op", {{"unknown-ops", "failed"}}, "compressing with op 3"}),
    name_of_row);

// What --seed repeats: the same rubbish in the same round.
TEST(CompressVerdicts, a_seed_repeats_a_failure) {
  const auto bad = std::filesystem::path(CB_BAD_PLUGIN_DIR) / "compress-rubbish-is-io.so";
  const std::vector<std::string> one = {"--only", "garbage"};
  EXPECT_EQ(run_check(bad, one).texts, run_check(bad, one).texts);
}

TEST(CompressVerdicts, fuzzing_goes_on_for_as_long_as_told) {
  const auto good = std::filesystem::path(CB_BAD_PLUGIN_DIR) / "compress-nothing.so";
  const auto began = std::chrono::steady_clock::now();
  const Checked checked = run_check(good, {"--only", "garbage", "--fuzz", "3s"});
  EXPECT_EQ(checked.exit_status, 0) << checked.output;
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

}  // namespace
}  // namespace cb::check_test
