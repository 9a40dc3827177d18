// SPDX-License-Identifier: Apache-2.0
//
// Which checks each wrong crypto suite fails: exactly these.
#include "tests/bad-plugins/verdicts.h"
#include "tests/folders.h"

namespace cb::check_test {
namespace {

class CryptoVerdicts : public testing::TestWithParam<Row> {};

TEST_P(CryptoVerdicts, are_exactly_these) { expect_verdicts(GetParam(), {"crypto"}); }

INSTANTIATE_TEST_SUITE_P(
    Keys, CryptoVerdicts,
    testing::Values(
        Row{"crypto-other-key-comes-out", all_fail({"kem-agrees", "pair-round-trip"})},
        Row{"crypto-any-pair-will-do", all_fail({"kem-wrong-pair", "kem-wrong-context"})},
        Row{"crypto-last-byte-free", all_fail({"kem-bit-flips"}), "byte 32"},
        Row{"crypto-context-free", all_fail({"kem-wrong-context"})},
        Row{"crypto-writes-another-pair", all_fail({"pair-round-trip"})},
        Row{"crypto-takes-cut-pairs", all_fail({"malformed-pairs-refused"}), "cut to 0 bytes"},
        Row{"crypto-pads-keys", all_fail({"keys-of-wrong-size-refused"})},
        Row{"crypto-names-without-key", all_fail({"keyed-id-stable"}), "under another key"},
        Row{"crypto-unwraps-anything", all_fail({"wrap-agrees"})},
        Row{"crypto-derives-without-context", all_fail({"derive-separates"})}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Streams, CryptoVerdicts,
    testing::Values(
        Row{"crypto-drops-a-lone-byte", all_fail({"seal-open", "sizes-match-props"})},
        Row{"crypto-header-byte-free", all_fail({"every-bit-flip-fails"}), "of the header"},
        Row{"crypto-last-or-not", all_fail({"truncate-at-every-chunk"}), "an end after 1"},
        Row{"crypto-index-free", all_fail({"swap-chunks"})},
        Row{"crypto-aad-free", all_fail({"wrong-aad"})},
        Row{"crypto-one-key-for-all", all_fail({"wrong-key", "keyed-id-stable", "wrap-agrees"})},
        Row{"crypto-leaves-plaintext",
            all_fail({"no-plaintext-on-failure", "truncate-at-every-chunk", "swap-chunks"}),
            "plaintext was left behind"},
        Row{"crypto-repeats-headers", all_fail({"headers-never-repeat"})},
        Row{"crypto-writes-before-room", all_fail({"sizes-match-props"}), "before its room"},
        Row{"crypto-seals-after-last", all_fail({"seal-minds-its-order"})},
        Row{"crypto-one-thread-only", all_fail({"in-parallel"})}),
    name_of_row);

TEST(KnownAnswers, name_the_one_that_differs) {
  const Checked checked = run_check(
      CB_BAD_PLUGIN_DIR "/crypto-names-without-key.so",
      {"--only", "known-answers", "--known-answers", test::data("vectors/crypto-modern.txt")});
  EXPECT_EQ(checked.bad, all_fail({"known-answers"})) << checked.output;
  EXPECT_NE(checked.output.find("[keyed-id]"), std::string::npos) << checked.output;
}

}  // namespace
}  // namespace cb::check_test
