// SPDX-License-Identifier: Apache-2.0
//
// What the daemon's loader says to the modules that are wrong in one way: it refuses what it can
// see before it serves anybody, and takes what only shows in use, which cyberbackup-plugin-check
// finds.
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/log/capture.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"
#include "tests/folders.h"

namespace cb::plugin {
namespace {

struct Row {
  const char* plugin;
  const char* refusal;  // in what the daemon says
};

// "" when an instance was made, else the text of the error.
std::string verdict_of(const std::string& id) {
  log::Capture log;
  HostServices services;
  services.log = &log;
  services.host_name = "test";
  services.host_version = "1";
  LoadOptions options;
  options.folder = CB_BAD_PLUGIN_DIR;
  options.probe_program = os::Path(test::program("cyberbackup-plugin-probe"));
  options.check_owner = false;
  Registry registry(std::move(services), std::move(options));
  if (const Status loaded = registry.load(id); !loaded) return loaded.error().text();
  const auto schema = registry.schema(id);
  if (!schema) return schema.error().text();
  std::map<std::string, std::string> written;
  for (const config::Option& option : **schema)
    if (option.key == "path") written["path"] = testing::TempDir() + "cb-daemon-verdict";
  const auto values = config::values_from(**schema, written);
  if (!values) return values.error().text();
  const auto made = registry.make(id, *values);
  return made ? std::string() : made.error().text();
}

class DaemonRefusal : public testing::TestWithParam<Row> {};

TEST_P(DaemonRefusal, is_this) {
  const Row& row = GetParam();
  const std::string verdict = verdict_of(row.plugin);
  EXPECT_NE(verdict.find(row.refusal), std::string::npos) << "'" << verdict << "'";
}

std::string name_of_row(const testing::TestParamInfo<Row>& info) {
  std::string name = info.param.plugin;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

void PrintTo(const Row& row, std::ostream* out) { *out << row.plugin; }

INSTANTIATE_TEST_SUITE_P(Refused, DaemonRefusal,
                         testing::Values(Row{"no-descriptors", "gives 0 descriptors"},
                                         Row{"option-without-help",
                                             "level of plugin option-without-help: has no help"}),
                         name_of_row);

// Nothing of these can be seen before they are used, or it does no harm to a daemon. Without the
// one that leaks: a sanitizer would tell of that.
const char* const kTaken[] = {"aborts-without-random",
                              "binds-lazily",
                              "changes-umask",
                              "compress-any-op",
                              "compress-cuts-at-cap",
                              "compress-forgets-past-32-mib",
                              "compress-half-reset",
                              "compress-holds-at-flush",
                              "compress-lies-in-bound",
                              "compress-needs-two",
                              "compress-nothing",
                              "compress-one-frame",
                              "compress-other-stream",
                              "compress-reads-past-input",
                              "compress-rubbish-is-io",
                              "compress-takes-truncated",
                              "compress-writes-past-cap",
                              "create-reads-past-host",
                              "create-wants-exact-host",
                              "crypto-aad-free",
                              "crypto-any-pair-will-do",
                              "crypto-context-free",
                              "crypto-derives-without-context",
                              "crypto-drops-a-lone-byte",
                              "crypto-header-byte-free",
                              "crypto-index-free",
                              "crypto-last-byte-free",
                              "crypto-last-or-not",
                              "crypto-leaves-plaintext",
                              "crypto-names-without-key",
                              "crypto-one-key-for-all",
                              "crypto-one-thread-only",
                              "crypto-other-key-comes-out",
                              "crypto-pads-keys",
                              "crypto-repeats-headers",
                              "crypto-seals-after-last",
                              "crypto-takes-cut-pairs",
                              "crypto-unwraps-anything",
                              "crypto-writes-another-pair",
                              "crypto-writes-before-room",
                              "destroys-null",
                              "executable-stack",
                              "exports-more",
                              "extension-by-prefix",
                              "extension-for-all",
                              "inits-once",
                              "leaks-descriptor",
                              "loads-slowly",
                              "logs-secret",
                              "no-relro",
                              "other-descriptors-each-time",
                              "prints-in-create",
                              "prints-in-init",
                              "reads-past-host",
                              "refuses-and-makes",
                              "refuses-silently",
                              "relocates-text",
                              "required-with-default",
                              "stands-alone",
                              "store-aborts-old",
                              "store-absent-at-begin",
                              "store-any-flags",
                              "store-any-name",
                              "store-clamped-range",
                              "store-commits-later",
                              "store-copies-at-commit",
                              "store-ignores-full",
                              "store-inclusive-after",
                              "store-last-byte",
                              "store-leaks-puts",
                              "store-lists-by-index",
                              "store-long-range",
                              "store-no-empty",
                              "store-nothing",
                              "store-part-without-range",
                              "store-removes-always",
                              "store-reopens",
                              "store-short-list",
                              "store-stats-puts",
                              "summary-of-lines",
                              "takes-sigpipe",
                              "tcp-changes-a-byte",
                              "tcp-ends-both-ways",
                              "tcp-knows-everything",
                              "tcp-leaks-at-close",
                              "tcp-loses-short-writes",
                              "tcp-moves-its-fd",
                              "tcp-one-thread-only",
                              "tcp-reads-too-early",
                              "tcp-reset-is-end",
                              "tcp-skips-at-one-byte",
                              "tcp-wants-the-other",
                              "thread-in-init",
                              "tls-binds-to-nothing",
                              "tls-cut-is-end",
                              "tls-spins-in-handshake",
                              "tls-takes-garbage",
                              "trusts-malloc",
                              "undeclared-thread",
                              "unknown-capability",
                              "unknown-option-flag",
                              "unlisted-library",
                              "wants-exact-host"};

TEST(DaemonVerdict, takes_what_only_shows_in_use) {
  for (const char* const plugin : kTaken) EXPECT_EQ(verdict_of(plugin), "") << plugin;
}

}  // namespace
}  // namespace cb::plugin
