// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/notify/sending.h"
#include "core/os/program.h"
#include "core/report/shown_text.h"

namespace cb::notify {
namespace {

constexpr const char* kCommandPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr size_t kMostToldOfCommand = 200;

// CYBERBACKUP_KIND=... and so on. A value has no zero byte, and nothing of it becomes a name.
std::vector<std::string> environment_of(const Parcel& parcel) {
  std::vector<std::string> all = {kCommandPath, "LC_ALL=C.UTF-8"};
  for (const auto& [name, value] : parcel.values()) {
    std::string variable = "CYBERBACKUP_";
    for (const char c : name)
      variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    all.push_back(variable + "=" + value);
  }
  return all;
}

std::string cause_of(const os::ProgramEnd& end) {
  using Kind = os::ProgramEnd::Kind;
  std::string cause;
  if (end.kind == Kind::exited) cause = "ended with " + std::to_string(end.number);
  if (end.kind == Kind::signalled) cause = "was ended by signal " + std::to_string(end.number);
  if (end.kind == Kind::timed_out) cause = "did not end in time and was killed";
  if (end.kind == Kind::cancelled) cause = "was cancelled";
  const std::string said = report::shown_text(end.said.substr(0, kMostToldOfCommand));
  return said.empty() ? cause : cause + " and said: " + said;
}

}  // namespace

Status check_command(const CommandSettings& settings) {
  const auto wrong = [](std::string cause, std::string advice) {
    return failed(Code::invalid, "command", std::move(cause), std::move(advice));
  };
  if (settings.command.empty() || !settings.command[0].starts_with('/'))
    return wrong("does not begin with an absolute path",
                 R"(write command = ["/usr/local/bin/tell", "argument"])");
  const std::string& program = settings.command[0];
  struct stat found {};
  if (::stat(program.c_str(), &found) != 0)
    return wrong("'" + program + "' cannot be run: " + std::strerror(errno), "");
  if (!S_ISREG(found.st_mode) || ::access(program.c_str(), X_OK) != 0)
    return wrong("'" + program + "' is no program that this user may run", "chmod +x " + program);
  if ((found.st_mode & S_IWOTH) != 0)
    return wrong("'" + program + "' may be changed by everybody", "chmod o-w " + program);
  return {};
}

Status run_command(const CommandSettings& to, const Try& one) {
  os::ProgramCall call;
  call.command = to.command;
  call.environment = environment_of(one.parcel);
  call.input = json_of(one.parcel) + "\n";
  call.timeout = one.timeout;
  call.is_cancelled = one.is_cancelled;
  auto end = os::run_program(call);
  if (!end) {
    Error error = std::move(end).error();
    error.object = one.object;
    error.retry = Retry::yes;
    return failed(std::move(error));
  }
  using Kind = os::ProgramEnd::Kind;
  if (end->kind == Kind::exited && end->number == 0) return {};
  const Code code = end->kind == Kind::timed_out   ? Code::timeout
                    : end->kind == Kind::cancelled ? Code::cancelled
                                                   : Code::io;
  Error error = fail(code, one.object, cause_of(*end));
  error.retry = Retry::yes;
  return failed(std::move(error));
}

}  // namespace cb::notify
