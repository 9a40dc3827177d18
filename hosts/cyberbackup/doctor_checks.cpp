// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/doctor_checks.h"

#include <netdb.h>
#include <unistd.h>

#include "core/base/units.h"

namespace cb {
namespace {

using std::chrono::nanoseconds;

constexpr uint32_t kOthers = 077;  // permission bits of group and others
constexpr nanoseconds kClockWarns = std::chrono::minutes(2);
constexpr uint64_t kSpaceWarns = 1024 * kMiB;
constexpr uint64_t kSpaceFails = 64 * kMiB;

void check_private(const os::Path& path, Findings& findings) {
  const auto info = os::real_file_system().info(path);
  if (!info) return findings.push_back(failed_finding("profile", info.error()));
  if (info->owner != ::geteuid())
    findings.push_back({Health::warn, "profile", path.string() + " belongs to another user",
                        "run as that user, or take it over with chown"});
  if ((info->mode & kOthers) != 0)
    findings.push_back(
        {Health::warn, "profile", path.string() + " can be read by others",
         std::string("chmod ") + (info->is_folder() ? "700 " : "600 ") + path.string()});
}

// Does the name of a server lead to an address?
bool check_name(const std::string& host, const std::string& subject, Findings& findings) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error == 0) {
    ::freeaddrinfo(found);
    findings.push_back({Health::ok, subject, host + " has an address", ""});
    return true;
  }
  findings.push_back({Health::fail, subject, host + ": " + ::gai_strerror(error),
                      "check the name and the resolver of this machine"});
  return false;
}

std::string advice_for(const Error& error) {
  switch (error.code) {
    case Code::auth:
      return "this is not the server that was enrolled with, or it was set up anew; ask its "
             "operator";
    case Code::denied:
      return "ask the operator of the server whether this device was revoked";
    case Code::unsupported:
      return "update the older of client and server";
    default:
      return "check that the server runs and that no firewall is in the way";
  }
}

void check_clock(nanoseconds ahead, const std::string& subject, Findings& findings) {
  const nanoseconds distance = ahead < nanoseconds::zero() ? -ahead : ahead;
  const std::string text = "the server's clock is " + format_duration(distance) +
                           (ahead < nanoseconds::zero() ? " behind" : " ahead");
  if (distance < kClockWarns) return findings.push_back({Health::ok, subject, text, ""});
  findings.push_back({Health::warn, subject, text, "let both set their clocks by NTP"});
}

void check_server(Workplace& place, const stream::Target& server,
                  const client::V4Identity& identity, Findings& findings) {
  const std::string subject = "server " + server.host + ":" + std::to_string(server.port);
  if (!check_name(server.host, subject, findings)) return;
  const auto stack = place.stack(place.profile().pin);
  if (!stack) return findings.push_back(failed_finding(subject, stack.error()));
  const auto session = client::V4Session::open(*stack, server, identity);
  if (!session) {
    Error error = session.error();
    if (error.advice.empty()) error.advice = advice_for(error);
    return findings.push_back(failed_finding(subject, error));
  }
  const client::V4Welcome& welcome = (*session)->welcome();
  findings.push_back({Health::ok, subject,
                      "is the pinned one and lets this device in (" + welcome.program + ")", ""});
  check_clock(welcome.clock_ahead, subject, findings);
}

}  // namespace

Finding failed_finding(std::string subject, const Error& error) {
  return {Health::fail, std::move(subject), error.object + ": " + error.cause, error.advice};
}

void check_profile_files(const Workplace& place, Findings& findings) {
  const size_t before = findings.size();
  const os::Path folder = place.profile_path();
  check_private(folder, findings);
  const auto names = os::real_file_system().list(folder);
  if (!names) return findings.push_back(failed_finding("profile", names.error()));
  for (const std::string& name : *names) check_private(folder / name, findings);
  if (findings.size() == before)
    findings.push_back({Health::ok, "profile", folder.string() + " is yours alone", ""});
}

void check_servers(Workplace& place, Findings& findings) {
  const auto reach = place.reach();
  if (!reach) return findings.push_back(failed_finding("servers", reach.error()));
  if (reach->servers.empty())
    findings.push_back({Health::fail, "servers", "the profile names none", "enrol again"});
  for (const stream::Target& server : reach->servers)
    check_server(place, server, reach->identity, findings);
}

void check_cache(const os::Path& folder, Findings& findings) {
  os::FileSystem& files = os::real_file_system();
  if (folder.empty())
    return findings.push_back({Health::warn, "cache", "there is no place for it, HOME is not set",
                               "give one with --cache-dir"});
  const os::Path trial = folder / (".doctor-" + std::to_string(::getpid()));
  Status written = os::write_file_atomically(files, trial, as_bytes("doctor"));
  if (written) written = files.remove(trial);
  if (!written) return findings.push_back(failed_finding("cache", written.error()));
  const auto space = files.space(folder);
  if (!space) return findings.push_back(failed_finding("cache", space.error()));
  const std::string text = folder.string() + ", " + format_size(space->free) + " free";
  if (space->free >= kSpaceWarns) return findings.push_back({Health::ok, "cache", text, ""});
  findings.push_back({space->free < kSpaceFails ? Health::fail : Health::warn, "cache", text,
                      "make room, or give another place with --cache-dir"});
}

}  // namespace cb
