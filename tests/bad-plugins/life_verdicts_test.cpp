// SPDX-License-Identifier: Apache-2.0
//
// Which checks of the group life each bad plugin fails: exactly these. And what the program says on
// its command line.
#include <gmock/gmock.h>

#include "tests/bad-plugins/verdicts.h"

namespace cb::check_test {
namespace {

using testing::HasSubstr;

class LifeVerdicts : public testing::TestWithParam<Row> {};

TEST_P(LifeVerdicts, are_exactly_these) { expect_verdicts(GetParam(), {"life"}); }

INSTANTIATE_TEST_SUITE_P(
    Life, LifeVerdicts,
    testing::Values(
        Row{"good", {}}, Row{"good-c", {}},
        Row{"fails-in-create", {{"create-from-defaults", "failed"}}},
        Row{"throws-in-create", {{"create-from-defaults", "failed"}}, "threw an exception"},
        Row{"null-instance", {{"create-from-defaults", "failed"}}, "without an instance"},
        Row{"create-reads-past-host",
            {{"create-with-older-host", "crashed"}},
            "Segmentation fault"},
        Row{"create-wants-exact-host", {{"create-with-newer-host", "failed"}}, "another host"},
        Row{"destroys-null", {{"destroy-accepts-null", "crashed"}}, "Segmentation fault"},
        Row{"leaks-descriptor",
            {{"create-destroy-200-times", "failed"}, {"allocation-failures", "failed"}},
            "200 descriptors"},
        Row{"leaks-memory", {{"create-destroy-200-times", "failed"}}, "blocks of memory"},
        Row{"undeclared-thread", {{"threads-as-declared", "failed"}}, "CB_OWN_THREADS"},
        Row{"prints-in-create", {{"leaves-process-alone-in-use", "failed"}}, "hello from create"},
        Row{"refuses-silently", {{"bad-config-is-an-error", "failed"}}, "without a message"},
        Row{"refuses-and-makes", {{"bad-config-is-an-error", "failed"}}, "left a handle"},
        Row{"aborts-without-random", {{"random-fails-cleanly", "crashed"}}, "Aborted"},
        Row{"logs-secret", {{"log-has-no-secret", "failed"}}, "into the log"},
        Row{"trusts-malloc", {{"allocation-failures", "crashed"}}, "Segmentation fault"}),
    name_of_row);

TEST(PluginCheck, lists_every_check_with_a_sentence) {
  const Checked listed = run_check("/dev/null", {"--list"});
  EXPECT_EQ(listed.exit_status, 0);
  EXPECT_THAT(listed.output, HasSubstr("\"create-destroy-200-times\""));
  EXPECT_THAT(listed.output, HasSubstr("cb.store/1"));
}

TEST(PluginCheck, refuses_names_that_it_does_not_know) {
  EXPECT_EQ(run_check(CB_BAD_PLUGIN_DIR "/good.so", {"--only", "no-such-check"}).exit_status, 2);
  EXPECT_EQ(run_check(CB_BAD_PLUGIN_DIR "/good.so", {"--skip", "descriptr"}).exit_status, 2);
  EXPECT_EQ(run_check(CB_BAD_PLUGIN_DIR "/not-there.so", {}).exit_status, 2);
}

TEST(PluginCheck, skips_what_is_named) {
  const Checked checked = run_check(CB_BAD_PLUGIN_DIR "/leaks-memory.so",
                                    {"--only", "life", "--skip", "create-destroy-200-times"});
  EXPECT_EQ(checked.exit_status, 0) << checked.output;
}

TEST(PluginCheck, tells_what_was_left_out_and_why) {
  const Checked checked = run_check(CB_BAD_PLUGIN_DIR "/good.so", {"--only", "crypto"});
  EXPECT_EQ(checked.exit_status, 0);
  EXPECT_THAT(checked.output, HasSubstr("the plugin is for cb.store/1"));
}

TEST(PluginCheck, is_not_content_with_nothing_when_it_is_strict) {
  const Checked checked = run_check(CB_BAD_PLUGIN_DIR "/good.so", {"--only", "crypto", "--strict"});
  EXPECT_EQ(checked.exit_status, 1) << checked.output;
}

TEST(PluginCheck, in_process_finds_the_same) {
  const Checked checked = run_check(CB_BAD_PLUGIN_DIR "/logs-secret.so",
                                    {"--only", "log-has-no-secret", "--in-process"});
  EXPECT_EQ(checked.bad, (Verdicts{{"log-has-no-secret", "failed"}})) << checked.output;
}

TEST(PluginCheck, probes_as_a_host_does) {
  EXPECT_EQ(run_check(CB_BAD_PLUGIN_DIR "/good.so", {"--probe"}).exit_status, 0);
  const Checked aborted = run_check(CB_BAD_PLUGIN_DIR "/aborts-in-constructor.so", {"--probe"});
  EXPECT_EQ(aborted.exit_status, 1);
  EXPECT_THAT(aborted.output, HasSubstr("crashes while it is loaded"));
}

}  // namespace
}  // namespace cb::check_test
