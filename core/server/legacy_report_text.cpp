// SPDX-License-Identifier: Apache-2.0
//
// The report for people.
#include "core/base/units.h"
#include "core/report/shown_text.h"
#include "core/report/table.h"
#include "core/report/utc_text.h"
#include "core/server/legacy_report.h"

namespace cb::server {
namespace {

using catalog::OaepHash;

// Addresses that a row has room for.
constexpr size_t kShownAddresses = 2;

std::string seen(int64_t at_ns) { return at_ns == 0 ? "never" : report::utc_text(at_ns); }

std::string joined(const std::vector<std::string>& all, const char* between) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : between) + one;
  return text;
}

std::string addresses(const LegacyClientReport& one) {
  std::vector<std::string> few = one.addresses;
  if (few.size() <= kShownAddresses) return joined(few, " ");
  few.resize(kShownAddresses);
  return joined(few, " ") + " +" + std::to_string(one.addresses.size() - kShownAddresses);
}

const char* name_of(OaepHash hash) {
  switch (hash) {
    case OaepHash::sha256:
      return "sha256";
    case OaepHash::sha1:
      return "sha1";
    case OaepHash::unknown:
      break;
  }
  return "";
}

std::string remarks(const LegacyClientReport& one) {
  std::vector<std::string> all;
  if (one.key_replaced) all.emplace_back("key replaced");
  if (one.imported_ns != 0) all.emplace_back("imported");
  if (!one.refusal.empty()) all.push_back(one.refusal);
  if (!one.reason.empty()) all.push_back(one.reason);
  return joined(all, "; ");
}

std::string table_of(const LegacyReport& report) {
  report::Table table({{"client"},
                       {"id"},
                       {"state"},
                       {"first seen"},
                       {"last seen"},
                       {"logins", true},
                       {"uploads", true},
                       {"bytes", true},
                       {"addresses"},
                       {"listeners"},
                       {"OAEP"},
                       {"RSA", true},
                       {"remarks"}});
  for (const LegacyClientReport& one : report.clients)
    table.add({one.name, one.id.hex(), name_of(one.state), seen(one.first_seen_ns),
               seen(one.last_seen_ns), std::to_string(one.logins), std::to_string(one.uploads),
               format_size(one.bytes), addresses(one), joined(one.listeners, " "),
               name_of(one.oaep), one.key_bits ? std::to_string(*one.key_bits) : "no key",
               remarks(one)});
  return table.text();
}

// "1 upload", "2 uploads".
std::string counted(uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string exposure_text(const LegacyExposure& of) {
  if (of.clients == 0) return {};
  const std::string data = counted(of.uploads, "upload") + ", " + format_size(of.bytes) + "\n";
  const std::string logins = counted(of.logins, "login") + "\n";
  return "\nprotocol 3 is served to " + counted(of.clients, "client") +
         " that used it; by itself it has\n  data unauthenticated   " + data +
         "  zero IV                " + data + "  no identity of client  " + logins +
         "  no identity of server  " + logins;
}

std::string shown_names(const std::vector<std::string>& names) {
  return report::shown_text(joined(names, ", "));
}

std::string listeners_text(const LegacyReport& report) {
  if (report.listeners.empty()) return "\nno listener serves protocol 3\n";
  std::string text = "\n";
  for (const LegacyListenerReport& one : report.listeners)
    text += "listener " + report::shown_text(one.name) +
            (one.blocking.empty() ? ": safe to switch to secure"
                                  : ": not safe: " + shown_names(one.blocking)) +
            "\n";
  return text;
}

}  // namespace

std::string legacy_report_text(const LegacyReport& report) {
  const std::vector<std::string> blocking = report.blocking();
  return (report.clients.empty() ? "no client of protocol 3\n" : table_of(report)) +
         exposure_text(report.exposure) + listeners_text(report) +
         (blocking.empty() ? "safe" : "not safe: " + shown_names(blocking));
}

}  // namespace cb::server
