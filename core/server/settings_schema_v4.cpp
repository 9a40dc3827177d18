// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_schema_v4.h"

namespace cb::server {
namespace {

using config::Schema;
using config::Type;

constexpr int64_t kOneSecond = 1'000'000'000;
constexpr int64_t kOneDay = 86400 * kOneSecond;

Schema v4_timing() {
  return {
      {.key = "lease",
       .type = Type::duration,
       .help = "A session that sends nothing for this long is ended.",
       .def = "10m",
       .min = kOneSecond,
       .max = kOneDay,
       .reloadable = true},
      {.key = "heartbeat",
       .type = Type::duration,
       .help = "How often clients are asked to send something.",
       .def = "60s",
       .min = kOneSecond,
       .max = kOneDay,
       .reloadable = true},
      {.key = "login_timeout",
       .type = Type::duration,
       .help = "A connection that is not logged in after this is ended.",
       .def = "30s",
       .min = kOneSecond / 10,
       .max = 3600 * kOneSecond,
       .reloadable = true},
      {.key = "request_timeout",
       .type = Type::duration,
       .help = "A request's message, and each 64 KiB of bulk, must arrive within this.",
       .def = "60s",
       .min = kOneSecond / 10,
       .max = kOneDay,
       .reloadable = true},
      {.key = "write_timeout",
       .type = Type::duration,
       .help = "An answer that the peer does not read ends the connection after this.",
       .def = "60s",
       .min = kOneSecond / 10,
       .max = kOneDay,
       .reloadable = true},
  };
}

Schema v4_logins() {
  return {
      {.key = "session_limit",
       .type = Type::duration,
       .help = "A session that is older is ended between two requests; clients come again.",
       .def = "24h",
       .min = kOneSecond,
       .max = 365 * kOneDay,
       .reloadable = true},
      {.key = "hellos_per_minute",
       .type = Type::integer,
       .help = "Conversations that one address (of IPv6: a /64) may begin in a minute.",
       .def = "3000",
       .min = 1,
       .max = 1000000,
       .reloadable = true},
      {.key = "login_tries",
       .type = Type::integer,
       .help = "Failed logins of one account or device before a wait; of an address four times.",
       .def = "5",
       .min = 1,
       .max = 1000,
       .reloadable = true},
      {.key = "login_wait",
       .type = Type::duration,
       .help = "The first such wait; each further failure doubles it.",
       .def = "2s",
       .min = kOneSecond / 10,
       .max = kOneDay,
       .reloadable = true},
      {.key = "longest_login_wait",
       .type = Type::duration,
       .help = "The longest such wait; after as long without a try failures are forgotten.",
       .def = "15m",
       .min = kOneSecond / 10,
       .max = 7 * kOneDay,
       .reloadable = true},
      {.key = "password_checks",
       .type = Type::integer,
       .help = "Passwords checked at one time; each takes 64 MiB and a worker.",
       .def = "2",
       .min = 1,
       .max = 256,
       .reloadable = true},
  };
}

}  // namespace

Schema v4_schema() {
  Schema schema = v4_timing();
  for (config::Option& option : v4_logins()) schema.push_back(std::move(option));
  const Schema amounts = {
      {.key = "credit",
       .type = Type::size,
       .help = "Bytes that a client may have under way unanswered.",
       .def = "4MiB",
       .min = 1 << 18,
       .max = 1 << 30,
       .reloadable = true},
      {.key = "data_pack",
       .type = Type::size,
       .help = "A pack of file contents is closed at this size.",
       .def = "64MiB",
       .min = 1 << 20,
       .max = int64_t{1} << 32},
      {.key = "node_pack",
       .type = Type::size,
       .help = "A pack of everything else is closed at this size.",
       .def = "16MiB",
       .min = 1 << 20,
       .max = int64_t{1} << 32},
      {.key = "pack_age",
       .type = Type::duration,
       .help = "A pack is closed this long after its first blob at the latest.",
       .def = "30s",
       .min = kOneSecond / 10,
       .max = kOneDay},
      {.key = "unsafe_plain_transport_for_tests",
       .type = Type::boolean,
       .help = "Serve protocol 4 where anybody can read and change it. Never set this.",
       .def = "false",
       .advanced = true},
  };
  schema.insert(schema.end(), amounts.begin(), amounts.end());
  return schema;
}

}  // namespace cb::server
