// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_replication.h"

#include <set>

#include "core/repository/pairing_token.h"
#include "core/stream/token_bucket.h"

namespace cb::server {
namespace {

using config::Schema;
using config::Type;

constexpr int64_t kReplicationDay = 86400 * int64_t{1'000'000'000};
constexpr size_t kLongestAccountName = 100;
constexpr size_t kLongestSourceName = 40;
constexpr const char* kNameLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

// One [[replication.source]] and where it was written.
class SourceTable {
 public:
  SourceTable(const config::Node& node, std::string name, const config::Surroundings& from,
              config::Problems& problems)
      : node_(node),
        name_(std::move(name)),
        problems_(problems),
        values_(
            config::check_table(&node, name_, replication_source_schema(), {}, from, problems)) {}

  ReplicationSource read() {
    ReplicationSource source;
    source.name = values_.is_set("name") ? values_.text("name") : "";
    if (values_.is_set("name") && !is_source_name(source.name))
      refuse("name", "is no name", "use 1 to 40 letters, digits and . _ -, and no . at first");
    source.servers = values_.list("servers");
    source.accounts = values_.list("accounts");
    source.removes_vanished = values_.boolean("remove_vanished");
    source.heals_only = values_.boolean("heal_only");
    if (values_.is_set("most_stored"))
      source.most_stored = static_cast<uint64_t>(values_.number("most_stored"));
    read_pin(source);
    read_token(source);
    return source;
  }

  void refuse(const char* key, const std::string& cause, const std::string& advice) {
    const config::Node* written = node_.find(key);
    problems_.add(written != nullptr ? written->at : node_.at, name_ + "." + key, cause, advice);
  }

 private:
  void read_pin(ReplicationSource& source) {
    if (!values_.is_set("pin")) return;
    const auto pin = Id<struct PinTag, 32>::from_hex_text(values_.text("pin"));
    if (pin)
      source.pin = pin->bytes;
    else
      refuse("pin", "must be 64 hex digits", "leave it out: the token has the source's");
  }

  void read_token(ReplicationSource& source) {
    if (!values_.is_set("token")) return;  // told already
    const Secret& secret = values_.at("token").secret;
    const auto token = repository::parse_replica_token(as_text(secret.view()));
    if (token)
      source.token = std::make_shared<const Secret>(secret.view());
    else
      refuse("token", token.error().object + " " + token.error().cause,
             "the source's operator makes one: cyberbackupd token create --replica");
  }

  const config::Node& node_;
  const std::string name_;
  config::Problems& problems_;
  const config::Values values_;
};

bool is_made_of(const std::string& name, const std::string& letters, size_t longest) {
  return !name.empty() && name.size() <= longest &&
         name.find_first_not_of(letters) == std::string::npos;
}

}  // namespace

bool is_account_name(const std::string& name) {
  return is_made_of(name, std::string(kNameLetters) + "@/", kLongestAccountName);
}

bool is_source_name(const std::string& name) {
  return is_made_of(name, kNameLetters, kLongestSourceName) && name[0] != '.' && name[0] != '-';
}

os::Path replica_token_file(const os::Path& keys, const std::string& source) {
  return keys / ("replica-" + source + ".token");
}

Schema replication_schema() {
  return {
      {.key = "limit",
       .type = Type::size,
       .help = "Bytes a second that replication takes in; 0 = as fast as they come.",
       .def = "0",
       .min = 0,
       .max = static_cast<int64_t>(stream::kMostRate),
       .reloadable = true},
      {.key = "most_time",
       .type = Type::duration,
       .help = "How long one run may take before other jobs have their turn; 0 = any time.",
       .def = "1h",
       .min = 0,
       .max = 30 * kReplicationDay,
       .reloadable = true},
      {.key = "most_stored",
       .type = Type::size,
       .help = "Bytes of one account beyond which no source brings more; 0 = as many as it has.",
       .def = "0",
       .min = 0,
       .reloadable = true},
  };
}

Schema replication_source_schema() {
  return {
      {.key = "name",
       .type = Type::text,
       .help = "What this server calls the source.",
       .min = 1,
       .max = 40,
       .required = true,
       .reloadable = true},
      {.key = "token",
       .type = Type::secret,
       .help = "The replica token of the source's operator.",
       .required = true,
       .reloadable = true},
      {.key = "servers",
       .type = Type::list,
       .help = "HOST:PORT where the source is reached; without it, as the token says.",
       .def = "",
       .reloadable = true},
      {.key = "pin",
       .type = Type::text,
       .help = "SHA-256 of the source's TLS key; without it, as the token says.",
       .min = 64,
       .max = 64,
       .reloadable = true},
      {.key = "accounts",
       .type = Type::list,
       .help = "Only these accounts; without it, all that the token lets see.",
       .def = "",
       .reloadable = true},
      {.key = "remove_vanished",
       .type = Type::boolean,
       .help = "Remove here what the source removed; else it stays.",
       .def = "false",
       .reloadable = true},
      {.key = "heal_only",
       .type = Type::boolean,
       .help = "Only fetch what was found damaged here, and copy nothing.",
       .def = "false",
       .reloadable = true},
      {.key = "most_stored",
       .type = Type::size,
       .help =
           "Bytes of one account beyond which no more comes; without it, as [replication] says.",
       .min = 0,
       .reloadable = true},
  };
}

ReplicationSettings replication_of(const Tables& tables, config::Problems& problems) {
  const CheckedTable& table = tables.single.at("replication");
  ReplicationSettings read;
  read.limit = static_cast<uint64_t>(table.values.number("limit"));
  read.most_time = table.values.duration("most_time");
  read.most_stored = static_cast<uint64_t>(table.values.number("most_stored"));
  if (read.limit != 0 && read.limit < stream::kLeastRate)
    problems.add(tables.place(table, "limit"), "replication.limit", "must be 4 KiB at least, or 0",
                 "with less the other side gives up");
  const config::Node* sources = table.node != nullptr ? table.node->find("source") : nullptr;
  if (sources == nullptr) return read;
  if (sources->kind != config::Kind::array) {
    problems.add(sources->at, "replication.source", "must be written as [[replication.source]]");
    return read;
  }
  std::set<std::string> names;
  for (size_t i = 0; i < sources->items.size(); ++i) {
    SourceTable one(sources->items[i], "replication.source." + std::to_string(i), tables.from,
                    problems);
    read.sources.push_back(one.read());
    if (!names.insert(read.sources.back().name).second)
      one.refuse("name", "is the name of another source, too", "give each a name of its own");
  }
  return read;
}

}  // namespace cb::server
