// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_admin.h"
#include "core/server/settings_confinement.h"
#include "core/server/settings_limits.h"
#include "core/server/settings_notify.h"
#include "core/server/settings_replication.h"
#include "core/server/settings_schema_v4.h"
#include "core/server/settings_traffic.h"
#include "core/server/settings_upkeep.h"
#include "core/server/settings_watch.h"

namespace cb::server {
namespace {

using config::Schema;
using config::Type;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 86400 * kSecond;

Schema server_schema() {
  return {
      {.key = "data",
       .type = Type::path,
       .help = "Folder of keys, catalog and admin socket; relative to this file.",
       .def = "."},
      {.key = "io_threads",
       .type = Type::integer,
       .help = "Threads that serve connections; 0 = as many as there are cores.",
       .def = "0",
       .min = 0,
       .max = 256},
      {.key = "workers",
       .type = Type::integer,
       .help = "Threads for stores and catalog; 0 = twice as many as there are cores.",
       .def = "0",
       .min = 0,
       .max = 1024},
      {.key = "memory",
       .type = Type::size,
       .help = "Ceiling of all transfer buffers together; beyond it transfers wait.",
       .def = "64MiB",
       .min = 1 << 20,
       .max = int64_t{1} << 40},
      {.key = "advertise",
       .type = Type::list,
       .help = "HOST:PORT, as clients reach this server; without it, the v4 listeners' own.",
       .def = ""},
      {.key = "drain_timeout",
       .type = Type::duration,
       .help = "How long running uploads may go on after SIGTERM.",
       .def = "30s",
       .min = 0,
       .max = kDay,
       .reloadable = true},
  };
}

Schema log_schema() {
  return {
      {.key = "level",
       .type = Type::choice,
       .help = "The least important lines that are written; of one module: [log.levels].",
       .def = "info",
       .choices = {"trace", "debug", "info", "warn", "error"},
       .reloadable = true},
      {.key = "format",
       .type = Type::choice,
       .help = "How a line looks.",
       .def = "text",
       .choices = {"text", "json"}},
      {.key = "file",
       .type = Type::path,
       .help = "Where lines go; without it, to stderr. SIGHUP opens it again."},
  };
}

Schema observe_schema() {
  return {
      {.key = "listen",
       .type = Type::text,
       .help = "HOST:PORT of pages for monitoring (/metrics and so on); without it, none.",
       .min = 1,
       .max = 64},
      {.key = "allow_public",
       .type = Type::boolean,
       .help = "Listen also where other machines can read the pages.",
       .def = "false"},
  };
}

Schema plugins_schema() {
  return {
      {.key = "dir",
       .type = Type::path,
       .help = "Folder of the plugins; without it, the one that belongs to the program."},
      {.key = "load",
       .type = Type::list,
       .help = "Ids of plugins to load beside those that are used.",
       .def = ""},
      {.key = "pins",
       .type = Type::choice,
       .help = "What happens when a plugin's SHA-256 is not the one in [plugins.sha256].",
       .def = "off",
       .choices = {"off", "warn", "enforce"}},
      {.key = "check_owner",
       .type = Type::boolean,
       .help = "Refuse plugins that others than root and this user could replace.",
       .def = "true"},
      {.key = "probe",
       .type = Type::boolean,
       .help = "Try a file of unknown hash in a child process before loading it.",
       .def = "true",
       .advanced = true},
  };
}

Schema listen_schema() {
  return {
      {.key = "name",
       .type = Type::text,
       .help = "Name in logs and status; without it, the address.",
       .min = 1,
       .max = 64},
      {.key = "address",
       .type = Type::text,
       .help = "HOST:PORT, numeric; port 0 lets the system choose.",
       .required = true},
      {.key = "transport",
       .type = Type::list,
       .help = "Transports from the outside in: [\"tls\", \"tcp\"] is TLS over TCP.",
       .def = "tcp"},
      {.key = "versions",
       .type = Type::list,
       .help = "Protocol versions served here: 3, 4 or both.",
       .def = "3",
       .reloadable = true},
      {.key = "mode",
       .type = Type::choice,
       .help = "Instead of versions: 3 alone, both as far as the transport is safe, 4 alone.",
       .choices = {"legacy", "compat", "secure"},
       .reloadable = true},
      {.key = "dialect",
       .type = Type::choice,
       .help = "Dialect of protocol 3 spoken here.",
       .def = "standard",
       .choices = {"standard", "2023"}},
      {.key = "max_connections",
       .type = Type::integer,
       .help = "Connections here at one time; 0 = only the limits of [limits] hold.",
       .def = "0",
       .min = 0,
       .max = 1000000},
  };
}

Schema store_schema() {
  return {{.key = "use",
           .type = Type::list,
           .help = "Stores from the outside in; the last one keeps the data.",
           .def = "fs"},
          {.key = "mode",
           .type = Type::choice,
           .help = "read-only: restores alone; offline: nothing. The stricter one of this and of "
                   "`cyberbackupd store mode` holds.",
           .def = "normal",
           .choices = {"normal", "read-only", "offline"},
           .reloadable = true},
          {.key = "drain",
           .type = Type::duration,
           .help = "How long backups under way may go on when the mode changes.",
           .def = "10m",
           .min = 0,
           .max = 7 * 86400 * int64_t{1'000'000'000},
           .reloadable = true}};
}

Schema use_schema(const char* help, const char* def) {
  return {{.key = "use", .type = Type::text, .help = help, .def = def, .min = 1, .max = 64}};
}

Schema legacy_timing() {
  return {
      {.key = "ack_delay",
       .type = Type::duration,
       .help = "Silence after which a resend (1030) is acknowledged, when delayed.",
       .def = "1500ms",
       .min = 0,
       .max = 60 * kSecond,
       .reloadable = true},
      {.key = "idle_timeout",
       .type = Type::duration,
       .help = "A connection without data for this long is closed.",
       .def = "60s",
       .min = kSecond / 10,
       .max = kDay,
       .reloadable = true},
      {.key = "request_timeout",
       .type = Type::duration,
       .help = "A request's fields, and each 64 KiB of content, must arrive within this.",
       .def = "60s",
       .min = kSecond / 10,
       .max = kDay,
       .reloadable = true},
      {.key = "write_timeout",
       .type = Type::duration,
       .help = "An answer that the peer does not read ends the connection after this.",
       .def = "60s",
       .min = kSecond / 10,
       .max = kDay,
       .reloadable = true},
      {.key = "upload_timeout",
       .type = Type::duration,
       .help = "An upload without a new packet for this long is forgotten.",
       .def = "15m",
       .min = kSecond / 10,
       .max = 7 * kDay,
       .reloadable = true},
  };
}

Schema legacy_amounts() {
  return {
      {.key = "max_resends",
       .type = Type::integer,
       .help = "How often one file may be sent again on one connection.",
       .def = "16",
       .min = 0,
       .max = 65535,
       .reloadable = true},
      {.key = "max_upload",
       .type = Type::size,
       .help = "The largest file; the protocol cannot name more than 4 GiB - 1.",
       .def = "4294967295",
       .min = 0,
       .max = 4294967295,
       .reloadable = true},
      {.key = "registrations_per_minute",
       .type = Type::integer,
       .help = "New names per minute from one address.",
       .def = "60",
       .min = 0,
       .max = 1000000,
       .reloadable = true},
  };
}

Schema legacy_end() {
  return {
      {.key = "min_version",
       .type = Type::integer,
       .help = "The least protocol version that is served: 3, or 4, which ends protocol 3.",
       .def = "3",
       .min = 3,
       .max = 4,
       .reloadable = true},
      {.key = "ratchet",
       .type = Type::boolean,
       .help = "A client's first login of protocol 4 ends protocol 3 for it.",
       .def = "true",
       .reloadable = true},
      {.key = "new_clients",
       .type = Type::boolean,
       .help = "Let names that nobody has register with protocol 3.",
       .def = "true",
       .reloadable = true},
      {.key = "migrate",
       .type = Type::choice,
       .help = "Who may move on to protocol 4 without a token: nobody, who is allowed, all.",
       .def = "allowed",
       .choices = {"token", "allowed", "open"},
       .reloadable = true},
  };
}

Schema legacy_schema() {
  Schema schema = {
      {.key = "oaep",
       .type = Type::choice,
       .help = "OAEP hash for a client's key; auto learns it for each client.",
       .def = "auto",
       .choices = {"auto", "sha256", "sha1"},
       .reloadable = true},
      {.key = "ack_resend",
       .type = Type::choice,
       .help = "When a resend (1030) is acknowledged; original servers do it at once.",
       .def = "delayed",
       .choices = {"delayed", "immediate"},
       .reloadable = true},
  };
  for (config::Option& option : legacy_timing()) schema.push_back(std::move(option));
  for (config::Option& option : legacy_amounts()) schema.push_back(std::move(option));
  for (config::Option& option : legacy_end()) schema.push_back(std::move(option));
  return schema;
}

Schema limits_schema() {
  Schema schema = {
      {.key = "connections",
       .type = Type::integer,
       .help = "Connections at one time, over all listeners.",
       .def = "10000",
       .min = 1,
       .max = 1000000,
       .reloadable = true},
      {.key = "connections_per_address",
       .type = Type::integer,
       .help = "Connections at one time from one address; 0 = no such limit.",
       .def = "2500",
       .min = 0,
       .max = 1000000,
       .reloadable = true},
      {.key = "handshake_timeout",
       .type = Type::duration,
       .help = "A connection whose transport is not up after this is closed.",
       .def = "10s",
       .min = kSecond / 10,
       .max = 3600 * kSecond,
       .reloadable = true},
      {.key = "reserve",
       .type = Type::size,
       .help = "Free space of the store below which new uploads are refused.",
       .def = "64MiB",
       .min = 0,
       .reloadable = true},
  };
  for (config::Option& option : quota_schema()) schema.push_back(std::move(option));
  return schema;
}

}  // namespace

const std::vector<config::Section>& settings_sections() {
  static const std::vector<config::Section> sections = {
      {"server", "The daemon itself.", server_schema()},
      {"log", "What is written about what happens.", log_schema()},
      {"observe", "Pages for a monitoring system.", observe_schema()},
      {"plugins", "Where plugins come from and which are trusted.", plugins_schema()},
      {"listen", "A listener; any number of them.", listen_schema(), true},
      {"store", "Where objects lie; options of store \"fs\" go to [store.fs].", store_schema()},
      {"crypto", "What seals objects at rest; options go to [crypto.modern].",
       use_schema("The crypto plugin; it must authenticate what it seals.", "modern")},
      {"compress", "What compresses objects; options go to [compress.zstd].",
       use_schema("The compression plugin.", "zstd")},
      {"legacy", "Protocol version 3.", legacy_schema()},
      {"v4", "Protocol version 4.", v4_schema()},
      {"limits", "What one client or all of them together may take.", limits_schema()},
      {"traffic", "A rule about how many bytes a second come and go; any number of them.",
       traffic_schema(), true, true},
      {"upkeep", "What the server does by itself, and when.", upkeep_schema()},
      {"watch", "Backups that do not come, and such as look as if data was spoilt.",
       watch_schema()},
      {"notify", "Where events go; any number of them.", notify_schema(), true, true},
      {"replication", "Copies of other servers' repositories.", replication_schema()},
      {"replication.source", "A server that is copied; any number of them.",
       replication_source_schema(), true, true},
      {"admin", "Who may give the daemon commands.", admin_schema()},
      {"confinement", "How little the daemon may do.", confinement_schema()},
  };
  return sections;
}

}  // namespace cb::server
