// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <iterator>

#include "answer.h"
#include "core/base/units.h"
#include "core/report/table.h"

namespace cb::host {
namespace {

using report::Json;

constexpr uint64_t kLongestTokenText = 16 * 1024;

// From the file, from standard input ("-"), or as it was given.
Result<std::string> token_text(const ReplicaOptions& options) {
  if (options.token_file.empty()) return options.token;
  if (options.token_file == "-")
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  CB_ASSIGN(const Bytes text,
            os::read_file(os::real_file_system(), options.token_file, kLongestTokenText));
  return std::string(as_text(text));
}

std::string joined(const Json& texts, const std::string& none) {
  std::string text;
  for (const Json& one : texts) text += (text.empty() ? "" : ", ") + one.get<std::string>();
  return text.empty() ? none : text;
}

std::string added_text(const Json& one) {
  return "added source " + report::text_of(one, "name") + " at " +
         joined(one.value("servers", Json::array()), "-") +
         "\nnext: cyberbackupd job run replicate";
}

std::string removed_text(const Json& one) {
  const std::string source = report::text_of(one, "source");
  if (!source.empty()) return "removed source " + source + "; what was copied from it stays";
  return "replica " + report::text_of(one, "replica") + " may not copy any more";
}

std::string kind_of(const Json& source) {
  if (source.value("heal_only", false)) return "heals only";
  return source.value("remove_vanished", false) ? "follows removals" : "keeps removed";
}

void add_source_rows(report::Table& table, const Json& source) {
  const std::string name = report::text_of(source, "name");
  table.add({name, joined(source.value("accounts", Json::array()), "all"), "", "", "",
             kind_of(source) + ", " + joined(source.value("servers", Json::array()), "by token")});
  for (const Json& pull : source.value("pulls", Json::array())) {
    const std::string trouble = report::text_of(pull, "trouble");
    const std::string account = report::text_of(pull, "account");
    if (account.empty() && trouble.empty()) continue;
    table.add({"", account, last_seen(pull.value("good_ns", int64_t{0})), number(pull, "blobs"),
               format_size(pull.value("bytes", uint64_t{0})), trouble.empty() ? "good" : trouble});
  }
}

std::string list_text(const Json& all) {
  std::string text;
  const Json sources = all.value("sources", Json::array());
  if (!sources.empty()) {
    report::Table table(
        {{"source"}, {"account"}, {"last good"}, {"blobs", true}, {"fetched", true}, {"state"}});
    for (const Json& source : sources) add_source_rows(table, source);
    text += table.text();
  }
  const Json replicas = all.value("replicas", Json::array());
  if (!replicas.empty()) {
    report::Table table({{"replica"}, {"token"}, {"accounts"}, {"last seen"}, {"from"}});
    for (const Json& one : replicas)
      table.add(
          {report::text_of(one, "name"), report::text_of(one, "token").substr(0, 8),
           one.value("all_accounts", false) ? "all"
                                            : joined(one.value("accounts", Json::array()), "none"),
           last_seen(one.value("last_seen_ns", int64_t{0})), report::text_of(one, "last_address")});
    text += (text.empty() ? "" : "\n") + table.text();
  }
  if (text.empty()) return "nothing is copied from here, and nothing to here";
  text.pop_back();
  return text;
}

}  // namespace

report::ExitCode run_replica_add(const ReplicaOptions& options) {
  const auto token = token_text(options);
  if (!token) return tell(token.error(), options.common.json);
  return show(options.common,
              {{"command", "replica.add"},
               {"name", options.name},
               {"token", *token},
               {"servers", options.servers},
               {"accounts", options.accounts},
               {"remove_vanished", options.remove_vanished},
               {"heal_only", options.heal_only}},
              added_text);
}

report::ExitCode run_replica_list(const ReplicaOptions& options) {
  return show(options.common, {{"command", "replica.list"}}, list_text);
}

report::ExitCode run_replica_remove(const ReplicaOptions& options) {
  return show(options.common, {{"command", "replica.remove"}, {"name", options.name}},
              removed_text);
}

report::ExitCode run_replica_token(const ReplicaOptions& options) {
  return show(options.common,
              {{"command", "token.create"},
               {"replica", true},
               {"name", options.name},
               {"accounts", options.accounts}},
              [](const Json& one) { return report::text_of(one, "token"); });
}

}  // namespace cb::host
