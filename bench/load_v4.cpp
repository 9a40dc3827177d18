// SPDX-License-Identifier: Apache-2.0
//
// Loads a daemon with many small conversations of protocol v4 and prints figures, one a line:
// name, value, unit. One thread. See bench/README.md; bench/load-v4 starts a daemon of its own
// around this.
#include <cstdio>
#include <cstdlib>

#include "bench/load_v4_runs.h"
#include "core/base/units.h"
#include "core/os/process.h"
#include "core/protocol/v3/identity_files.h"

namespace cb::bench {
namespace {

constexpr const char* kUsage =
    "usage: bench_load_v4 --server HOST:PORT --pin PIN --admin SOCKET --pid DAEMON\n"
    "                     [--idle N] [--hold SECONDS] [--lease SECONDS] [--logins N]\n"
    "                     [--backups N] [--size S] [--unauthenticated N] [--v3-port PORT]\n"
    "                     [--devices N] [--workers N]\n";

[[noreturn]] void die(const std::string& problem) {
  std::fprintf(stderr, "load_v4: %s\n", problem.c_str());
  std::exit(1);
}

[[noreturn]] void tell_usage(bool asked) {
  std::fputs(kUsage, asked ? stdout : stderr);
  std::exit(asked ? 0 : 2);
}

template <typename T>
T must(const std::string& flag, Result<T> result) {
  if (!result) die(flag + " " + result.error().text());
  return std::move(*result);
}

// False for a flag that takes a number.
bool set_text(V4Plan& plan, const std::string& flag, const std::string& value) {
  if (flag == "--pin") {
    plan.pin = value;
  } else if (flag == "--admin") {
    plan.admin = value;
  } else if (flag == "--server") {
    const auto server = must(flag, v3::parse_server_address(value));
    plan.host = server.host;
    plan.port = server.port;
  } else {
    return false;
  }
  return true;
}

void set(V4Plan& plan, const std::string& flag, const std::string& value) {
  if (set_text(plan, flag, value)) return;
  const auto number = static_cast<uint64_t>(must(flag, parse_size(value)));
  const auto small = static_cast<uint32_t>(number);
  const std::map<std::string, uint32_t*> counts = {
      {"--idle", &plan.idle},       {"--logins", &plan.logins},
      {"--backups", &plan.backups}, {"--unauthenticated", &plan.unauthenticated},
      {"--devices", &plan.devices}, {"--workers", &plan.workers},
  };
  if (const auto at = counts.find(flag); at != counts.end()) {
    *at->second = small;
  } else if (flag == "--size") {
    plan.size = number;
  } else if (flag == "--hold") {
    plan.hold = std::chrono::seconds(number);
  } else if (flag == "--lease") {
    plan.lease = std::chrono::seconds(number);
  } else if (flag == "--pid") {
    plan.daemon = static_cast<int>(number);
  } else if (flag == "--v3-port") {
    plan.v3_port = static_cast<uint16_t>(number);
  } else {
    tell_usage(false);
  }
}

V4Plan plan_of(int argc, char** argv) {
  V4Plan plan;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--help") tell_usage(true);
    if (i + 1 == argc) tell_usage(false);
    set(plan, flag, argv[i + 1]);
  }
  return plan;
}

void check(const V4Plan& plan) {
  if (plan.port == 0 || plan.pin.empty() || plan.admin.empty() || plan.daemon == 0)
    tell_usage(false);
  if (plan.workers == 0 || plan.workers > 250) die("--workers must be 1 to 250");
  if (plan.devices == 0) die("--devices must be at least 1");
  const uint64_t needed = std::max({plan.idle, plan.backups, plan.unauthenticated, plan.workers});
  const uint64_t allowed = os::raise_descriptor_limit();
  if (allowed < needed + 64)
    die(std::to_string(needed) + " connections need as many open files, and this user may have " +
        std::to_string(allowed) +
        ": raise the hard limit (ulimit -Hn as root, or nofile in /etc/security/limits.conf), or "
        "load with fewer");
}

int run(const V4Plan& plan) {
  auto fleet = must("plugins:", Fleet::open(plan));
  if (const Status there = fleet->enroll_all(); !there) die(there.error().text());
  const DaemonProcess daemon(plan.daemon);
  size_t failures = 0;
  if (plan.idle > 0) failures += run_idle(*fleet, plan, daemon);
  if (plan.logins > 0) failures += run_logins(*fleet, plan, daemon);
  if (plan.backups > 0) failures += run_backups(*fleet, plan, daemon);
  if (plan.unauthenticated > 0) failures += run_unauthenticated(*fleet, plan, daemon);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cb::bench

int main(int argc, char** argv) {
  const cb::bench::V4Plan plan = cb::bench::plan_of(argc, argv);
  cb::bench::check(plan);
  return cb::bench::run(plan);
}
