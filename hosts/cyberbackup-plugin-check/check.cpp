// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

Status expect(bool holds, std::string_view otherwise) {
  if (holds) return {};
  return found_wrong(std::string(otherwise));
}

tl::unexpected<Error> found_wrong(std::string text) {
  return failed(Code::invalid, {}, std::move(text));
}

std::string_view name_of(Group group) {
  switch (group) {
    case Group::file:
      return "file";
    case Group::load:
      return "load";
    case Group::descriptor:
      return "descriptor";
    case Group::life:
      return "life";
    case Group::transport:
      return "transport";
    case Group::crypto:
      return "crypto";
    case Group::store:
      return "store";
    case Group::compress:
      return "compress";
  }
  return "unknown";
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::warning:
      return "warning";
    case Outcome::skipped:
      return "skipped";
    case Outcome::crashed:
      return "crashed";
    case Outcome::timed_out:
      return "timed-out";
  }
  return "unknown";
}

}  // namespace cb::check
