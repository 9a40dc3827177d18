// SPDX-License-Identifier: Apache-2.0
//
// Which checks of the groups file, load and descriptor each bad plugin fails: exactly these.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "tests/bad-plugins/verdicts.h"

namespace cb::check_test {
namespace {

class FileVerdicts : public testing::TestWithParam<Row> {};

TEST_P(FileVerdicts, are_exactly_these) {
  expect_verdicts(GetParam(), {"file", "load", "descriptor"});
}

// What fails when init does.
Verdicts init_is(const std::string& outcome) {
  return {{"refuses-older-host", outcome},
          {"accepts-newer-host", outcome},
          {"init-deinit-pairs", outcome},
          {"descriptors-can-be-read", outcome}};
}

INSTANTIATE_TEST_SUITE_P(Good, FileVerdicts,
                         testing::Values(Row{"good", {}}, Row{"good-c", {}}, Row{"newer-minor", {}},
                                         Row{"claims-good", {}}, Row{"says-pairs", {}}),
                         name_of_row);

INSTANTIATE_TEST_SUITE_P(
    File, FileVerdicts,
    testing::Values(
        Row{"no-symbol", {{"elf-sane", "failed"}}, "does not export cb_plugin_entry_v1"},
        Row{"only-v2", {{"elf-sane", "failed"}}, "cb_plugin_entry_v2"},
        Row{"entry-is-function", {{"elf-sane", "failed"}}, "as a function"},
        Row{"exports-more", {{"only-entry-exported", "failed"}}, "more_than_the_entry"},
        Row{"relocates-text", {{"no-text-relocations", "failed"}}, "-fPIC"},
        Row{"no-relro", {{"relro-and-now", "failed"}}, "-z,relro"},
        Row{"binds-lazily", {{"relro-and-now", "failed"}}, "-z,now"},
        Row{"executable-stack", {{"no-executable-stack", "failed"}}, "executable stack"},
        Row{"unlisted-library", {{"needed-libraries-listed", "failed"}}, "EVP_sha256"},
        Row{"undefined-symbol",
            {{"needed-libraries-listed", "failed"}, {"loads-with-immediate-binding", "failed"}},
            "undefined symbol: function_that_nobody_has"}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Load, FileVerdicts,
    testing::Values(
        Row{"aborts-in-constructor", {{"loads-with-immediate-binding", "crashed"}}, "Aborted"},
        Row{"bad-magic", {{"entry-magic", "failed"}}, "0x32504243"},
        Row{"short-table", {{"entry-size", "failed"}}, "size 16"},
        Row{"needs-newer", {{"needs-no-newer-host", "failed"}}, "1.7"},
        Row{"fails-in-init", init_is("failed"), "no such drive"},
        Row{"throws-in-init", init_is("failed"), "init went wrong"},
        Row{"exits-in-init", init_is("crashed"), "exit status 9"},
        Row{"reads-past-host", {{"refuses-older-host", "crashed"}}, "Segmentation fault"},
        Row{"wants-exact-host", {{"accepts-newer-host", "failed"}}, "another host"},
        Row{"inits-once", {{"init-deinit-pairs", "failed"}}, "initialised already"},
        Row{"no-descriptors",
            {{"descriptors-can-be-read", "failed"}, {"init-deinit-pairs", "failed"}},
            "0 descriptors"},
        Row{"other-descriptors-each-time", {{"descriptors-can-be-read", "failed"}}, "each time"},
        Row{"stands-alone", {{"loads-twice-same-module", "crashed"}}, "Aborted"},
        Row{"loads-slowly", {{"load-under-50ms", "warning"}}, "to load"},
        Row{"prints-in-init", {{"no-output-on-load", "failed"}}, "hello from init"},
        Row{"thread-in-init", {{"no-threads-after-load", "failed"}}, "1 threads"},
        Row{"takes-sigpipe", {{"leaves-signals-alone", "failed"}}, "SIGPIPE"},
        Row{"changes-umask", {{"leaves-process-alone", "failed"}}, "umask"}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Descriptor, FileVerdicts,
    testing::Values(
        Row{"malformed-id", {{"ids-well-formed", "failed"}}, "Malformed Id!"},
        Row{"other-id", {{"ids-well-formed", "failed"}}, "quite-another"},
        Row{"duplicate-id", {{"ids-well-formed", "failed"}}, "2 plugins with the id"},
        Row{"unknown-interface", {{"ids-well-formed", "failed"}}, "cb.tape/9"},
        Row{"no-license", {{"ids-well-formed", "failed"}}, "no license"},
        Row{"summary-of-lines", {{"ids-well-formed", "failed"}}, "its summary"},
        Row{"malformed-schema", {{"schema-well-formed", "failed"}}, "'Bad Key'"},
        Row{"unknown-option-flag", {{"schema-well-formed", "failed"}}, "unknown flags"},
        Row{"bad-default", {{"defaults-valid", "failed"}}, "99"},
        Row{"required-with-default", {{"defaults-valid", "failed"}}, "required and has a default"},
        Row{"option-without-help", {{"options-all-documented", "failed"}}, "level is missing"},
        Row{"extension-for-all",
            {{"unknown-extension-is-null", "failed"}, {"extension-id-with-tail-is-null", "failed"}},
            "cb.nobody-has-this/1"},
        Row{"extension-by-prefix", {{"extension-id-with-tail-is-null", "failed"}}, "reload/10"},
        Row{"lacks-function", {{"capabilities-match-table", "failed"}}, "lacks get_read"},
        Row{"half-codec", {{"capabilities-match-table", "failed"}}, "lacks codec_reset"},
        Row{"root-and-filter", {{"capabilities-match-table", "failed"}}, "both ROOT and FILTER"},
        Row{"short-ops", {{"capabilities-match-table", "failed"}}, "size 24"},
        Row{"unknown-capability", {{"capabilities-match-table", "failed"}}, "1099511627776"}),
    name_of_row);

TEST(FileVerdicts, a_hanging_init_is_stopped_and_told) {
  const Checked checked =
      run_check(CB_BAD_PLUGIN_DIR "/hangs-in-init.so",
                {"--timeout", "1s", "--only", "descriptors-can-be-read", "--only", "life"});
  EXPECT_EQ(checked.bad, (Verdicts{{"descriptors-can-be-read", "timed-out"}})) << checked.output;
  EXPECT_EQ(checked.exit_status, 1);
}

// Files made up for one test.
class MadeUpFile : public testing::Test {
 protected:
  MadeUpFile()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("cb-verdicts-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~MadeUpFile() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path copy_of_good() const {
    std::filesystem::copy_file(CB_BAD_PLUGIN_DIR "/good.so", folder_ / "good.so");
    return folder_ / "good.so";
  }

  const std::filesystem::path folder_;
};

TEST_F(MadeUpFile, that_anybody_may_write_is_told) {
  const auto file = copy_of_good();
  std::filesystem::permissions(file, std::filesystem::perms(0666));
  const Checked checked = run_check(file, {"--only", "file"});
  EXPECT_EQ(checked.bad, (Verdicts{{"not-world-writable", "failed"}})) << checked.output;
}

TEST_F(MadeUpFile, in_a_folder_that_anybody_may_write_is_a_warning_that_strict_fails) {
  const auto file = copy_of_good();
  std::filesystem::permissions(folder_, std::filesystem::perms(0777));
  Checked checked = run_check(file, {"--only", "file"});
  EXPECT_EQ(checked.bad, (Verdicts{{"not-world-writable", "warning"}})) << checked.output;
  EXPECT_EQ(checked.exit_status, 0);
  EXPECT_EQ(run_check(file, {"--only", "file", "--strict"}).exit_status, 1);
}

TEST_F(MadeUpFile, of_text_or_cut_is_not_sane) {
  std::ofstream(folder_ / "text.so") << "#!/bin/sh\necho hello\n";
  EXPECT_EQ(run_check(folder_ / "text.so", {"--only", "file"}).bad,
            (Verdicts{{"elf-sane", "failed"}}));
  const auto cut = copy_of_good();
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
  EXPECT_EQ(run_check(cut, {"--only", "file"}).bad, (Verdicts{{"elf-sane", "failed"}}));
}

}  // namespace
}  // namespace cb::check_test
