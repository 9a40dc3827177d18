// SPDX-License-Identifier: Apache-2.0
//
// Plugins and hosts that were built on different headers: older ones, those of release 1.0, those
// of today, and newer ones, made of today's with a member more in every struct. The programs that
// play the other hosts are travel_host.c.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/log/capture.h"
#include "core/plugin/registry.h"
#include "tests/folders.h"

namespace cb::plugin {
namespace {

// Where the build put each kind.
const os::Path kFolder = CB_TRAVEL_DIR;
const os::Path kBundled = test::plugins();

class TimeTravel : public testing::TestWithParam<std::string> {
 protected:
  TimeTravel()
      : scratch_(os::Path(testing::TempDir()) / ("cb-abi-time-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(scratch_);
    std::filesystem::create_directories(scratch_);
  }
  ~TimeTravel() override { std::filesystem::remove_all(scratch_); }

  // Runs the host "older" or "newer" with these plugins; what it printed and its status.
  std::pair<int, std::string> host(const std::string& which, const std::vector<os::Path>& plugins) {
    const os::Path printed = scratch_ / "printed";
    std::string command = (kFolder / ("host-" + which)).string() + " " + scratch_.string();
    for (const os::Path& plugin : plugins) command += " " + plugin.string();
    const int status = std::system((command + " > " + printed.string() + " 2>&1").c_str());
    std::ifstream from(printed);
    return {status, {std::istreambuf_iterator<char>(from), {}}};
  }

  static std::vector<os::Path> bundled() {
    std::vector<os::Path> all;
    for (const auto& entry : std::filesystem::directory_iterator(kBundled))
      if (entry.path().extension() == ".so" && entry.path().stem() != "store-fault")
        all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
  }

  os::Path scratch_;
  log::Capture log_;
};

// All plugins of this build in a host of `which` headers.
class Hosts : public TimeTravel {};

TEST_P(Hosts, run_the_plugins_of_today) {
  const std::vector<os::Path> plugins = bundled();
  ASSERT_GE(plugins.size(), 7U);
  const auto [status, printed] = host(GetParam(), plugins);
  EXPECT_EQ(status, 0) << printed;
  for (const os::Path& plugin : plugins)
    EXPECT_NE(printed.find(plugin.stem().string() + " works in a host of 1."), std::string::npos)
        << plugin << "\n"
        << printed;
}

TEST_P(Hosts, run_a_plugin_of_older_and_one_of_newer_headers) {
  for (const char* sample : {"older", "newer"}) {
    const auto [status, printed] = host(GetParam(), {kFolder / sample / "compress-rle.so"});
    EXPECT_EQ(status, 0) << sample << "\n" << printed;
  }
}

TEST_P(Hosts, run_a_plugin_in_cpp_of_newer_headers) {
  const auto [status, printed] = host(GetParam(), {kFolder / "newer" / "store-files.so"});
  EXPECT_EQ(status, 0) << printed;
}

INSTANTIATE_TEST_SUITE_P(OtherHeaders, Hosts, testing::Values("older", "newer"),
                         [](const auto& one) { return one.param; });

TEST_F(TimeTravel, a_plugin_that_reaches_past_the_size_it_was_told_is_noticed) {
  const os::Path reaching = kFolder / "newer" / "reaching.so";
  EXPECT_NE(host("newer", {reaching}).second.find("descriptor->create"), std::string::npos)
      << "a host that has the member gets as far as its answer";
  const auto [status, printed] = host("older", {reaching});
  EXPECT_NE(status, 0);
  EXPECT_EQ(printed.find("descriptor->create"), std::string::npos) << printed;
}

// A sample plugin of `which` headers in the host of today.
class Samples : public TimeTravel {};

TEST_P(Samples, run_in_the_host_of_today) {
  HostServices services;
  services.log = &log_;
  services.host_name = "test";
  services.host_version = "1";
  LoadOptions options;
  options.folder = kFolder / GetParam();
  options.check_owner = false;
  options.probe_unknown = false;
  Registry registry(services, options);
  ASSERT_TRUE(registry.load("compress-rle")) << log_.text();
  const auto values = config::values_from(**registry.schema("compress-rle"), {});
  ASSERT_TRUE(values) << values.error().text();
  auto compress = registry.make_compress("compress-rle", *values);
  ASSERT_TRUE(compress) << compress.error().text();

  Bytes plain(100'000);
  for (size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::byte>(i / 77);
  Bytes packed(*compress->bound(plain.size()));
  packed.resize(*compress->compress(plain, packed));
  EXPECT_LT(packed.size(), plain.size());
  Bytes back(plain.size());
  EXPECT_EQ(*compress->decompress(packed, back), plain.size());
  EXPECT_TRUE(back == plain);

  auto codec = compress->codec(CB_CODEC_DECOMPRESS);
  ASSERT_TRUE(codec);
  const auto run = codec->run(packed, back, CB_CODEC_GO);
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->used, packed.size());
  EXPECT_EQ(codec->run(as_bytes("no frame"), back, CB_CODEC_GO).error().code, Code::corrupt);
}

INSTANTIATE_TEST_SUITE_P(OtherHeaders, Samples, testing::Values("older", "newer"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace cb::plugin
