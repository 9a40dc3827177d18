// SPDX-License-Identifier: Apache-2.0
#include "core/report/exit_code.h"

#include <array>

namespace cb::report {
namespace {

constexpr std::array<ExitCode, 10> kAll = {
    ExitCode::done,      ExitCode::failed,     ExitCode::usage,  ExitCode::partial,
    ExitCode::not_found, ExitCode::busy,       ExitCode::denied, ExitCode::unreachable,
    ExitCode::no_space,  ExitCode::interrupted};

}  // namespace

std::string_view meaning_of(ExitCode code) {
  switch (code) {
    case ExitCode::done:
      return "done";
    case ExitCode::failed:
      return "failed";
    case ExitCode::usage:
      return "wrong usage";
    case ExitCode::partial:
      return "done, but some source files, or parts of the store, could not be read";
    case ExitCode::not_found:
      return "no such account, device, client, profile, repository, snapshot or file";
    case ExitCode::busy:
      return "busy: in use by somebody else";
    case ExitCode::denied:
      return "denied, or wrong passphrase or password";
    case ExitCode::unreachable:
      return "server unreachable, or not the pinned one";
    case ExitCode::no_space:
      return "no space";
    case ExitCode::interrupted:
      return "interrupted";
  }
  return "unknown";
}

ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case Code::not_found:
      return ExitCode::not_found;
    case Code::busy:
      return ExitCode::busy;
    case Code::state:
      return error.retry == Retry::yes ? ExitCode::busy : ExitCode::failed;
    case Code::denied:
    case Code::auth:
      return ExitCode::denied;
    case Code::no_space:
      return ExitCode::no_space;
    case Code::cancelled:
      return ExitCode::interrupted;
    default:
      return ExitCode::failed;
  }
}

std::string exit_codes_text() {
  std::string text = "Exit codes:\n";
  for (const ExitCode code : kAll) {
    const std::string number = std::to_string(static_cast<int>(code));
    text +=
        "  " + number + std::string(5 - number.size(), ' ') + std::string(meaning_of(code)) + "\n";
  }
  return text;
}

}  // namespace cb::report
