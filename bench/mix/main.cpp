// SPDX-License-Identifier: Apache-2.0
//
// Loads a daemon with a mixture of clients of both protocols, good ones and bad ones, and prints
// figures, one a line: name, value, unit. Ends with 1 when a limit is missed. See bench/README.md;
// bench/load starts a daemon of its own around this.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "bench/mix/run.h"
#include "core/base/units.h"
#include "core/os/process.h"
#include "core/protocol/v3/identity_files.h"

namespace cb::bench {
namespace {

constexpr const char* kUsage =
    "usage: bench_load --tls PORT --tcp PORT --pin PIN --admin SOCKET --pid DAEMON\n"
    "                  [--bad-tls PORT --bad-tcp PORT] [--observe PORT] [--tsv FILE]\n"
    "                  [--seconds N] [--sessions N] [--v3 N] [--misbehaving N] [--workers N]\n"
    "                  [--seed S] [--set KEY=VALUE]...\n";

[[noreturn]] void die(const std::string& problem) {
  std::fprintf(stderr, "load: %s\n", problem.c_str());
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

// A setting of the daemon's: those that are deadlines are expected to be kept.
void set_deadline(MixDeadlines& deadlines, const std::string& setting) {
  const std::map<std::string, std::chrono::nanoseconds*> known = {
      {"limits.handshake_timeout", &deadlines.handshake},
      {"v4.login_timeout", &deadlines.login},
      {"v4.request_timeout", &deadlines.request},
      {"v4.write_timeout", &deadlines.write},
      {"legacy.idle_timeout", &deadlines.v3_idle},
      {"legacy.request_timeout", &deadlines.v3_request},
  };
  const size_t at = setting.find('=');
  if (at == std::string::npos) die("--set " + setting + ": is not KEY=VALUE");
  const auto found = known.find(setting.substr(0, at));
  if (found != known.end()) *found->second = must("--set", parse_duration(setting.substr(at + 1)));
}

// False for a flag that takes a number.
bool set_text(MixPlan& plan, const std::string& flag, const std::string& value) {
  if (flag == "--set") {
    set_deadline(plan.deadlines, value);
    return true;
  }
  const std::map<std::string, std::string*> texts = {
      {"--pin", &plan.good.pin}, {"--admin", &plan.good.admin}, {"--tsv", &plan.tsv}};
  const auto found = texts.find(flag);
  if (found == texts.end()) return false;
  *found->second = value;
  return true;
}

void set(MixPlan& plan, const std::string& flag, const std::string& value) {
  if (set_text(plan, flag, value)) return;
  const auto number = static_cast<uint64_t>(must(flag, parse_size(value)));
  const std::map<std::string, uint32_t*> counts = {{"--sessions", &plan.sessions},
                                                   {"--v3", &plan.v3},
                                                   {"--misbehaving", &plan.misbehaving},
                                                   {"--workers", &plan.workers}};
  const std::map<std::string, uint16_t*> ports = {{"--tls", &plan.good.port},
                                                  {"--tcp", &plan.good.v3_port},
                                                  {"--bad-tls", &plan.bad.port},
                                                  {"--bad-tcp", &plan.bad.v3_port},
                                                  {"--observe", &plan.observe_port}};
  if (const auto count = counts.find(flag); count != counts.end()) {
    *count->second = static_cast<uint32_t>(number);
  } else if (const auto port = ports.find(flag); port != ports.end()) {
    *port->second = static_cast<uint16_t>(number);
  } else if (flag == "--seconds") {
    plan.time = std::chrono::seconds(number);
  } else if (flag == "--seed") {
    plan.seed = number;
  } else if (flag == "--pid") {
    plan.good.daemon = static_cast<int>(number);
  } else {
    tell_usage(false);
  }
}

MixPlan plan_of(int argc, char** argv) {
  MixPlan plan;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--help") tell_usage(true);
    if (i + 1 == argc) tell_usage(false);
    set(plan, flag, argv[i + 1]);
  }
  return plan;
}

// What follows from the rest. Those that misbehave come from an address of their own where there is
// one, so that what a server limits by address limits them alone.
void complete(MixPlan& plan) {
  const uint16_t bad_tls = plan.bad.port, bad_tcp = plan.bad.v3_port;
  plan.good.devices = std::max(1U, plan.sessions / 4);
  plan.has_own_address = bad_tls != 0 && bad_tcp != 0;
  plan.bad = plan.good;
  plan.bad.name = "bad";
  plan.bad.devices = 8;
  if (!plan.has_own_address) return;
  plan.bad.host = "::1";
  plan.bad.port = bad_tls;
  plan.bad.v3_port = bad_tcp;
}

void check(const MixPlan& plan) {
  if (plan.good.port == 0 || plan.good.v3_port == 0 || plan.good.pin.empty() ||
      plan.good.admin.empty() || plan.good.daemon == 0)
    tell_usage(false);
  if (plan.workers == 0) die("--workers must be at least 1");
  if (plan.sessions < plan.workers) die("--sessions must be at least as many as --workers");
  if (plan.time < std::chrono::seconds(10)) die("--seconds must be at least 10");
  const uint64_t needed = plan.sessions + plan.misbehaving + plan.workers + uint64_t{128};
  const uint64_t allowed = os::raise_descriptor_limit();
  if (allowed < needed)
    die("so many connections need " + std::to_string(needed) +
        " open files, and this user may have " + std::to_string(allowed) +
        ": raise the hard limit (ulimit -Hn), or load with fewer");
}

}  // namespace
}  // namespace cb::bench

int main(int argc, char** argv) {
  cb::bench::MixPlan plan = cb::bench::plan_of(argc, argv);
  cb::bench::complete(plan);
  cb::bench::check(plan);
  const auto missed = cb::bench::run_mix(plan);
  if (!missed) std::fprintf(stderr, "load: %s\n", missed.error().text().c_str());
  return missed && *missed == 0 ? 0 : 1;
}
