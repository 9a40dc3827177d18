// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/crash_report.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "core/plugin/gate.h"

namespace cb::plugin {
namespace {

void crash(int signal, const Crumb& crumb) {
  report_crashes_to(STDERR_FILENO);
  current_crumb = crumb;
  ::raise(signal);
}

TEST(CrashReport, names_the_plugin_and_the_function_and_dies_of_the_same_signal) {
  EXPECT_EXIT(crash(SIGSEGV, {"store-x", "get_read"}), testing::KilledBySignal(SIGSEGV),
              "fatal: SIGSEGV in plugin store-x, function get_read");
  EXPECT_EXIT(crash(SIGABRT, {}), testing::KilledBySignal(SIGABRT),
              "fatal: SIGABRT outside of any plugin");
}

}  // namespace
}  // namespace cb::plugin
