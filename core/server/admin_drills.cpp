// SPDX-License-Identifier: Apache-2.0
//
// What an operator asks of drills.
#include "core/server/admin_commands.h"
#include "core/server/drill_book.h"

namespace cb::server {

Result<report::Json> AdminCommands::list_drills(const report::Json& request) const {
  const DrillBook book({parts_.catalog, parts_.engine, parts_.clock, nullptr});
  std::optional<std::string> account;
  if (const std::string name = report::text_of(request, "account"); !name.empty()) {
    CB_TRY(account_of(request));
    account = name;
  }
  CB_ASSIGN(const auto drills, book.list(account));
  report::Json all = report::Json::array();
  for (const AccountDrills& one : drills) all.push_back(json_of(one, now()));
  return all;
}

}  // namespace cb::server
