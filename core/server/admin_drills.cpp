// SPDX-License-Identifier: Apache-2.0
//
// What an operator asks of drills.
#include "core/server/admin_commands.h"
#include "core/server/drill_book.h"

namespace cb::server {

using report::Json;

Result<Json> AdminCommands::list_drills(const Json& request) const {
  const DrillBook book({parts_.catalog, parts_.engine, parts_.clock, nullptr});
  std::optional<std::string> account;
  if (const std::string name = report::text_of(request, "account"); !name.empty()) {
    CB_TRY(account_of(request));
    account = name;
  }
  CB_ASSIGN(const auto drills, book.list(account));
  Json all = Json::array();
  for (const AccountDrills& one : drills) all.push_back(json_of(one, now()));
  return all;
}

}  // namespace cb::server
