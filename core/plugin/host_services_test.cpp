// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/host_services.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "core/log/capture.h"

namespace cb::plugin {
namespace {

class Broken final : public os::Random {
 public:
  Status fill(ByteSpan) override { return failed(Code::io, "generator", "is out of numbers"); }
};

class Still final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override { return monotonic(); }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::nanoseconds(4711);
  }
};

TEST(HostTable, a_line_carries_the_plugin_and_stays_one_line) {
  log::Capture log;
  HostServices services;
  services.log = &log;
  const HostTable host(services, "example");
  host.table()->log(host.table()->ctx, CB_LOG_WARN, "two\nlines and more", 9);
  host.table()->log(host.table()->ctx, 99, "loud", 4);
  host.table()->log(host.table()->ctx, CB_LOG_INFO, nullptr, 4);
  ASSERT_EQ(log.lines().size(), 2U);
  EXPECT_EQ(log.lines()[0], "warn event=plugin.says plugin=example text=\"two lines\"");
  EXPECT_EQ(log.lines()[1], "error event=plugin.says plugin=example text=loud");
}

TEST(HostTable, randomness_is_chosen_by_plugin_and_its_failure_is_a_status) {
  Broken broken;
  HostServices services;
  services.random = [&](const std::string& id) -> os::Random& {
    if (id == "thrower") throw std::runtime_error("no");
    return id == "broken" ? static_cast<os::Random&>(broken) : os::system_random();
  };
  unsigned char out[64] = {};
  const auto ask = [&](const char* id) {
    const HostTable host(services, id);
    return host.table()->random(host.table()->ctx, out, sizeof out);
  };
  EXPECT_EQ(ask("broken"), CB_E_IO);
  EXPECT_EQ(ask("thrower"), CB_E_INTERNAL);
  EXPECT_EQ(ask("good"), CB_OK);
  EXPECT_TRUE(std::any_of(std::begin(out), std::end(out), [](unsigned char c) { return c != 0; }));
}

TEST(HostTable, time_cancellation_and_services_come_through) {
  const Still clock;
  HostServices services;
  services.clock = &clock;
  services.host_name = "somed";
  services.host_version = "9";
  HostTable host(services, "example");
  const int table = 1;
  host.offer("x.y/1", &table);
  const cb_host& seen = *host.table();
  EXPECT_STREQ(seen.name, "somed");
  EXPECT_EQ(seen.size, sizeof(cb_host));
  EXPECT_EQ(seen.monotonic_ns(seen.ctx), 4711U);
  EXPECT_EQ(seen.cancelled(seen.ctx), 0);
  host.cancel(true);
  EXPECT_EQ(seen.cancelled(seen.ctx), 1);
  EXPECT_EQ(seen.service(seen.ctx, "x.y/1"), &table);
  EXPECT_EQ(seen.service(seen.ctx, "x.y/12"), nullptr);
  EXPECT_EQ(seen.service(seen.ctx, nullptr), nullptr);
}

}  // namespace
}  // namespace cb::plugin
