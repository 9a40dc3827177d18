// SPDX-License-Identifier: Apache-2.0
//
// Which checks each wrong transport fails: exactly these.
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/bad-plugins/verdicts.h"

namespace cb::check_test {
namespace {

class RootVerdicts : public testing::TestWithParam<Row> {};

TEST_P(RootVerdicts, are_exactly_these) { expect_verdicts(GetParam(), {"transport"}); }

// A filter that needs a certificate gets one that is made for the test.
class FilterVerdicts : public testing::TestWithParam<Row> {
 protected:
  FilterVerdicts()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("cb-transport-verdicts-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    const std::string command =
        "cd '" + folder_.string() +
        "' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem "
        "-out certificate.pem 2> log";
    EXPECT_EQ(std::system(command.c_str()), 0) << "openssl made no certificate";
    std::ofstream(folder_ / "config.toml") << "certificate = 'certificate.pem'\n"
                                              "key = 'key.pem'\n"
                                              "ca = 'certificate.pem'\n";
  }
  ~FilterVerdicts() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_;
};

TEST_P(FilterVerdicts, are_exactly_these) {
  const Row& row = GetParam();
  const Checked checked =
      run_check(std::filesystem::path(CB_BAD_PLUGIN_DIR) / (std::string(row.plugin) + ".so"),
                {"--only", "transport", "--config", (folder_ / "config.toml").string()});
  EXPECT_EQ(checked.bad, row.bad) << checked.output;
  EXPECT_EQ(checked.exit_status, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Roots, RootVerdicts,
    testing::Values(Row{"tcp-changes-a-byte", all_fail({"bytes-arrive", "short-writes"}),
                        "arrived changed"},
                    Row{"tcp-loses-short-writes", all_fail({"short-writes"})},
                    Row{"tcp-skips-at-one-byte", all_fail({"one-byte-io"})},
                    Row{"tcp-wants-the-other", all_fail({"would-block-is-honest"})},
                    Row{"tcp-moves-its-fd", all_fail({"fd-is-constant", "close-at-every-step"})},
                    Row{"tcp-one-thread-only", all_fail({"two-streams-parallel"})},
                    Row{"tcp-ends-both-ways", all_fail({"half-close"})},
                    Row{"tcp-reset-is-end", all_fail({"peer-reset"}), "read as end"},
                    Row{"tcp-reads-too-early", all_fail({"handshake-comes-first"})},
                    Row{"tcp-leaks-at-close", all_fail({"close-at-every-step"}), "left open"},
                    Row{"tcp-knows-everything", all_fail({"info-is-told"})}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Filters, FilterVerdicts,
    testing::Values(Row{"tls-cut-is-end", all_fail({"truncation-is-not-end", "peer-reset"})},
                    Row{"tls-takes-garbage", all_fail({"handshake-garbage"})},
                    Row{"tls-spins-in-handshake", all_fail({"handshake-stall"})},
                    Row{"tls-binds-to-nothing", all_fail({"channel-binding-agrees"})}),
    name_of_row);

}  // namespace
}  // namespace cb::check_test
