// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_notify.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace cb::server {
namespace {

using config::Option;
using config::Schema;
using config::Type;
using config::Values;

constexpr int64_t kNotifySecond = 1'000'000'000;
constexpr int64_t kNotifyDay = 86400 * kNotifySecond;
constexpr int64_t kLongestText = int64_t{16} * 1024;

// The keys that say which way a target is; one of them is to be written.
constexpr std::array<const char*, 4> kWays = {"url", "secret_url", "smtp", "command"};

// Keys that mean something for some ways alone.
struct KeyOfWays {
  const char* key;
  std::vector<std::string> ways;
};
const std::vector<KeyOfWays>& keys_of_ways() {
  static const std::vector<KeyOfWays> keys = {{"token", {"url", "secret_url"}},
                                              {"ca", {"url", "secret_url", "smtp"}},
                                              {"tls", {"smtp"}},
                                              {"user", {"smtp"}},
                                              {"password", {"smtp"}},
                                              {"from", {"smtp"}},
                                              {"to", {"smtp"}},
                                              {"subject", {"smtp"}},
                                              {"body", {"url", "secret_url", "smtp"}}};
  return keys;
}

Option reloadable(Option option) {
  option.reloadable = true;
  return option;
}

Option text_option(const char* key, const char* help, int64_t longest = 1024) {
  return reloadable({.key = key, .type = Type::text, .help = help, .min = 1, .max = longest});
}

Option time_option(const char* key, const char* help, const char* def, int64_t least) {
  return reloadable({.key = key,
                     .type = Type::duration,
                     .help = help,
                     .def = def,
                     .min = least,
                     .max = 30 * kNotifyDay});
}

Schema notify_choice() {
  return {
      {.key = "name",
       .type = Type::text,
       .help = "What commands, metrics and the log call it.",
       .min = 1,
       .max = 64,
       .required = true,
       .reloadable = true},
      reloadable({.key = "kinds",
                  .type = Type::list,
                  .help = "Events that go there, as job.failed or job.*; without it, all."}),
      reloadable({.key = "severity",
                  .type = Type::choice,
                  .help = "The least that goes there.",
                  .def = "warning",
                  .choices = {"info", "warning", "alarm"}}),
      reloadable({.key = "rate",
                  .type = Type::integer,
                  .help = "Events of one kind and account that go there in rate_per; 0 = all.",
                  .def = "6",
                  .min = 0,
                  .max = 10000}),
      time_option("rate_per", "The rest is summed up in the next one after it.", "1h",
                  kNotifySecond),
      time_option("timeout", "How long one try may take.", "30s", kNotifySecond / 10),
      time_option("give_up", "After so long without success an event is given up.", "24h", 0),
  };
}

Schema notify_ways() {
  return {
      text_option("url", "An address of http or https that JSON is posted to."),
      reloadable({.key = "secret_url",
                  .type = Type::secret,
                  .help = "The same, for an address that is a secret itself."}),
      reloadable(
          {.key = "token", .type = Type::secret, .help = "Goes with it as Authorization: Bearer."}),
      reloadable({.key = "command",
                  .type = Type::list,
                  .help = "A program with its full path, and arguments: gets JSON on its input."}),
      text_option("smtp", "A mail server, as mail.example.org:587."),
      reloadable({.key = "tls",
                  .type = Type::choice,
                  .help = "How mail is protected on its way to that server.",
                  .def = "starttls",
                  .choices = {"starttls", "tls", "none"}}),
      reloadable({.key = "ca",
                  .type = Type::path,
                  .help = "PEM file of who signs the server's certificate; else the system's."}),
      text_option("user", "Who logs in at the mail server."),
      reloadable({.key = "password", .type = Type::secret, .help = "And with what."}),
      text_option("from", "The address that mail comes from."),
      reloadable({.key = "to", .type = Type::list, .help = "The addresses that mail goes to."}),
      text_option("subject", "A template; docs/operations.md lists the placeholders."),
      text_option("body", "A template of a mail's text, or of the JSON that is posted.",
                  kLongestText),
  };
}

notify::MailTls mail_tls_of(const Values& values) {
  return static_cast<notify::MailTls>(values.number("tls"));  // the order of the choices
}

notify::TargetSettings target_settings_of(const Values& values, const std::string& way) {
  notify::TargetSettings settings;
  settings.name = values.text("name");
  settings.kinds = values.list("kinds");
  settings.least = static_cast<notify::Severity>(values.number("severity"));  // the same, too
  settings.rate = {static_cast<uint32_t>(values.number("rate")), values.duration("rate_per")};
  settings.timeout = values.duration("timeout");
  settings.give_up = values.duration("give_up");
  if (way == "command") {
    settings.way = notify::CommandSettings{values.list("command")};
  } else if (way == "smtp") {
    settings.way = notify::SmtpSettings{values.text("smtp"),
                                        mail_tls_of(values),
                                        values.text("ca"),
                                        values.text("user"),
                                        values.at("password").secret.clone(),
                                        values.text("from"),
                                        values.list("to"),
                                        values.text("subject"),
                                        values.text("body")};
  } else {
    settings.way = notify::WebhookSettings{way == "url" ? Secret(as_bytes(values.text("url")))
                                                        : values.at("secret_url").secret.clone(),
                                           values.at("token").secret.clone(), values.text("ca"),
                                           values.text("body"), way == "secret_url"};
  }
  return settings;
}

// One table, checked; nothing when it is wrong.
class NotifyTable {
 public:
  NotifyTable(const Tables& tables, const CheckedTable& table, config::Problems& problems)
      : tables_(tables), table_(table), problems_(problems) {}

  std::shared_ptr<const notify::Target> read() {
    if (!table_.values.is_set("name") || !has_good_name()) return nullptr;
    const std::string way = the_way();
    if (way.empty() || !has_only_keys_of(way)) return nullptr;
    auto target = notify::Target::make(target_settings_of(table_.values, way));
    if (target) return *target;
    refuse(target.error().object, target.error().cause, target.error().advice);
    return nullptr;
  }

  void refuse(const std::string& key, std::string cause, std::string advice = {}) {
    problems_.add(tables_.place(table_, key.c_str()), table_.name + "." + key, std::move(cause),
                  std::move(advice));
  }

 private:
  [[nodiscard]] bool is_written(const std::string& key) const {
    return table_.node != nullptr && table_.node->find(key) != nullptr;
  }

  bool has_good_name() {
    constexpr const char* kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (table_.values.text("name").find_first_not_of(kAllowed) == std::string::npos) return true;
    refuse("name", "is not a name", "use letters, digits and . _ -");
    return false;
  }

  std::string the_way() {
    std::string way;
    for (const char* key : kWays) {
      if (!is_written(key)) continue;
      if (!way.empty()) {
        refuse(key, "cannot stand beside " + way, "write a [[notify]] of its own for it");
        return {};
      }
      way = key;
    }
    // One that is written wrongly has been told already.
    if (way.empty())
      refuse("name", "says not where events go", "write one of url, secret_url, smtp and command");
    return way.empty() || table_.values.is_set(way) ? way : std::string();
  }

  bool has_only_keys_of(const std::string& way) {
    bool is_good = true;
    for (const KeyOfWays& one : keys_of_ways()) {
      if (!is_written(one.key) ||
          std::find(one.ways.begin(), one.ways.end(), way) != one.ways.end())
        continue;
      refuse(one.key, "means nothing beside " + way);
      is_good = false;
    }
    return is_good;
  }

  const Tables& tables_;
  const CheckedTable& table_;
  config::Problems& problems_;
};

}  // namespace

Schema notify_schema() {
  Schema schema = notify_choice();
  for (Option& option : notify_ways()) schema.push_back(std::move(option));
  return schema;
}

std::vector<std::shared_ptr<const notify::Target>> notify_targets_of(const Tables& tables,
                                                                     config::Problems& problems) {
  std::vector<std::shared_ptr<const notify::Target>> targets;
  std::set<std::string> names;
  for (const CheckedTable& table : tables.repeated.at("notify")) {
    NotifyTable reader(tables, table, problems);
    auto target = reader.read();
    if (!target) continue;
    if (names.insert(target->name()).second)
      targets.push_back(std::move(target));
    else
      reader.refuse("name", "is the name of another [[notify]], too");
  }
  return targets;
}

}  // namespace cb::server
