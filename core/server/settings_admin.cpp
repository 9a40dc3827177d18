// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_admin.h"

#include "core/os/account_names.h"

namespace cb::server {

config::Schema admin_schema() {
  return {{.key = "operators",
           .type = config::Type::list,
           .help = "Further Unix users who may give commands, beside root and the daemon's own.",
           .def = ""}};
}

std::vector<uint32_t> operators_of(const CheckedTable& table, const config::Place& file,
                                   config::Problems& problems) {
  os::AccountNames names;
  std::vector<uint32_t> operators;
  for (const std::string& name : table.values.list("operators")) {
    const auto uid = names.uid(name);
    if (uid) {
      operators.push_back(*uid);
      continue;
    }
    const config::Node* written = table.node != nullptr ? table.node->find("operators") : nullptr;
    problems.add(written != nullptr ? written->at : file, "admin.operators",
                 "names the user '" + name + "', whom the system does not know",
                 "write names of Unix users: operators = [\"eve\"]");
  }
  return operators;
}

}  // namespace cb::server
