// SPDX-License-Identifier: Apache-2.0
#include "core/client/room.h"

#include "core/base/units.h"
#include "core/report/utc_text.h"

namespace cb::client {
namespace {

constexpr const char* kRoomAdvice =
    "forget snapshots that are not needed (the server makes room later), or ask its operator for "
    "more";

Status room_in(const RoomShare& share, const char* whose) {
  if (!share.is_over) return {};
  const bool is_soft = share.limit == 0 || share.stored < share.limit;
  Error error =
      fail(Code::limit, whose,
           is_soft ? "stores " + format_size(share.stored) + ", more than its soft limit of " +
                         format_size(share.soft) + ", and has done so for too long"
                   : "stores " + format_size(share.stored) + " of the " + format_size(share.limit) +
                         " that the server lets it",
           kRoomAdvice);
  error.retry = Retry::no;
  return failed(std::move(error));
}

void warn_of(const RoomShare& share, uint64_t growth, const std::string& whose,
             std::vector<std::string>& warnings) {
  const std::optional<uint64_t> left = share.left();
  if (left && growth > 0 && *left < growth)
    warnings.push_back(whose + " has " + format_size(*left) +
                       " left on the server, and the last backup of this device stored " +
                       format_size(growth) + ": this one may not fit");
  if (share.until_ns != 0)
    warnings.push_back(whose + " stores " + format_size(share.stored) +
                       " on the server, more than its soft limit of " + format_size(share.soft) +
                       ": backups are refused from " + report::utc_text(share.until_ns) + " on");
}

}  // namespace

std::optional<uint64_t> RoomShare::left() const {
  if (is_over) return 0;
  if (limit == 0) return std::nullopt;
  return limit > stored ? limit - stored : 0;
}

Status may_back_up(const Room& room) {
  CB_TRY(room_in(room.account, "this account"));
  CB_TRY(room_in(room.device, "this device"));
  if (!room.is_low) return {};
  return failed(Code::no_space, "the server", "has little space left and takes no new backups",
                "try again later, or tell its operator; what was backed up is safe");
}

std::vector<std::string> room_warnings(const Room& room) {
  std::vector<std::string> warnings;
  warn_of(room.account, room.growth, "this account", warnings);
  warn_of(room.device, room.growth, "this device", warnings);
  return warnings;
}

std::string room_text(const RoomShare& share) {
  std::string text = format_size(share.stored);
  if (share.limit != 0)
    text +=
        " of " + format_size(share.limit) + ", " + format_size(share.left().value_or(0)) + " left";
  if (share.soft != 0) text += ", soft limit " + format_size(share.soft);
  if (share.until_ns != 0)
    text += std::string(share.is_over ? " was" : " is") + " tolerated to be exceeded until " +
            report::utc_text(share.until_ns);
  return text;
}

}  // namespace cb::client
