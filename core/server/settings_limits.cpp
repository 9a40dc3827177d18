// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_limits.h"

namespace cb::server {
namespace {

using config::Schema;
using config::Type;

constexpr int64_t kLimitsDay = 86400 * int64_t{1'000'000'000};

config::Option quota_size(const char* key, const char* help) {
  return {.key = key, .type = Type::size, .help = help, .def = "0", .min = 0, .reloadable = true};
}

config::Option quota_count(const char* key, const char* help, const char* def) {
  return {.key = key,
          .type = Type::integer,
          .help = help,
          .def = def,
          .min = 0,
          .max = 1'000'000,
          .reloadable = true};
}

config::Place place_of(const CheckedTable& table, const config::Place& file, const char* key) {
  const config::Node* written = table.node != nullptr ? table.node->find(key) : nullptr;
  return written != nullptr ? written->at : file;
}

}  // namespace

Schema quota_schema() {
  return {
      quota_size("low_water",
                 "Free space of the store below which no backup begins; 0 = the reserve alone."),
      quota_size("account_stored", "What an account may store, sealed; 0 = no such limit."),
      quota_size("account_soft", "What it may store for good; more is tolerated for `grace`."),
      quota_count("account_sessions", "Sessions of an account at one time; 0 = any number.", "0"),
      quota_size("device_stored", "What one device may store; 0 = no such limit."),
      quota_size("device_soft", "What it may store for good; more is tolerated for `grace`."),
      quota_count("device_sessions", "Sessions of a device at one time; 0 = any number.", "0"),
      {.key = "grace",
       .type = Type::duration,
       .help = "How long more than the soft limits is tolerated.",
       .def = "14d",
       .min = 0,
       .max = 3650 * kLimitsDay,
       .reloadable = true},
      quota_count("requests_per_second",
                  "Requests of one session in a second, beyond which it waits; 0 = any number.",
                  "2000"),
      quota_size("session_upload", "What one session may send; 0 = no such limit."),
      quota_size("snapshot_size", "What a snapshot may hold, as its client says; 0 = any size."),
  };
}

LimitDefaults limit_defaults_of(const CheckedTable& table, const config::Place& file,
                                config::Problems& problems) {
  const config::Values& values = table.values;
  const auto number = [&](const char* key) { return static_cast<uint64_t>(values.number(key)); };
  LimitDefaults defaults;
  LimitSet& account = defaults.account;
  account.stored = number("account_stored");
  account.soft = number("account_soft");
  account.sessions = number("account_sessions");
  account.grace_ns = static_cast<uint64_t>(values.duration("grace").count());
  account.requests = number("requests_per_second");
  account.upload = number("session_upload");
  account.snapshot = number("snapshot_size");
  defaults.device = account;
  defaults.device.stored = number("device_stored");
  defaults.device.soft = number("device_soft");
  defaults.device.sessions = number("device_sessions");
  const auto check = [&](const LimitSet& limits, const char* key) {
    if (const Status done = check_limits(limits); !done)
      problems.add(place_of(table, file, key), table.name + "." + key,
                   done.error().object + " " + done.error().cause, done.error().advice);
  };
  check(account, "account_stored");
  LimitSet of_device = defaults.device;
  of_device.upload = of_device.snapshot = 0;  // told already
  check(of_device, "device_stored");
  return defaults;
}

uint64_t low_water_of(const CheckedTable& table, const config::Place& file,
                      config::Problems& problems) {
  const auto low = static_cast<uint64_t>(table.values.number("low_water"));
  if (low != 0 && low < static_cast<uint64_t>(table.values.number("reserve")))
    problems.add(place_of(table, file, "low_water"), table.name + ".low_water",
                 "is below limits.reserve, where uploads are refused already",
                 "give more than the reserve, or 0");
  return low;
}

}  // namespace cb::server
