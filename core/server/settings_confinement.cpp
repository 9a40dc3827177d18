// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_confinement.h"

#include "core/os/account_names.h"
#include "core/os/call_filter.h"

namespace cb::server {

config::Schema confinement_schema() {
  return {
      {.key = "user",
       .type = config::Type::text,
       .help = "Whom the daemon becomes when root starts it; commands on its files do, too.",
       .min = 1,
       .max = 64},
      {.key = "filter",
       .type = config::Type::boolean,
       .help = "Let the daemon, and what it starts, make no system calls but those they need.",
       .def = "true"},
      {.key = "calls",
       .type = config::Type::list,
       .help = "Further system calls, by name, for plugins and programs that need them.",
       .def = ""},
  };
}

ConfinementSettings confinement_of(const Tables& tables, config::Problems& problems) {
  const CheckedTable& table = tables.single.at("confinement");
  ConfinementSettings read;
  if (table.values.is_set("user")) read.user = table.values.text("user");
  read.filter = table.values.boolean("filter");
  read.calls = table.values.list("calls");
  if (!read.user.empty() && !os::AccountNames().uid(read.user))
    problems.add(tables.place(table, "user"), "confinement.user",
                 "names the user '" + read.user + "', whom the system does not know",
                 "make one: useradd --system " + read.user);
  if (const Status good = os::check_call_names(read.calls); !good)
    problems.add(tables.place(table, "calls"), "confinement.calls",
                 good.error().object + " " + good.error().cause, good.error().advice);
  return read;
}

}  // namespace cb::server
