// SPDX-License-Identifier: Apache-2.0
#include "core/server/admin_watch.h"

#include <algorithm>
#include <set>

#include "core/server/admin_commands.h"
#include "core/server/admin_retention.h"

namespace cb::server {
namespace {

using report::Json;

Result<int64_t> repository_of(catalog::Catalog& catalog, const catalog::Account& account) {
  if (account.kind == catalog::AccountKind::v3)
    return failed(Code::unsupported, "account " + account.name,
                  "is that of a client of protocol 3, whose files are no sources",
                  "migrate it to protocol 4 first");
  CB_ASSIGN(const auto repository, catalog.index().repository_of(account.number));
  if (repository) return repository->number;
  return failed(Code::not_found, "account " + account.name, "has no repository yet",
                "its first backup makes one");
}

// The source that a prefix means; empty for an empty one.
Result<SourceKey> source_meant(catalog::Catalog& catalog, int64_t repository,
                               const std::string& prefix) {
  CB_ASSIGN(const auto states, catalog.sources().states(repository));
  std::vector<SourceKey> known;
  for (const catalog::SourceState& state : states) known.push_back(state.source);
  return find_source(known, prefix, "cyberbackupd watch list shows the sources");
}

Json json_of(const catalog::SourceBackup& backup) {
  return {{"snapshot", to_hex(backup.snapshot)},
          {"time_ns", backup.time_ns},
          {"score", backup.score},
          {"anomaly", backup.is_odd},
          {"reasons", backup.reasons},
          {"compared", backup.is_compared},
          {"bytes", backup.figures.after_bytes},
          {"new_bytes", backup.figures.new_bytes},
          {"gone_bytes", backup.figures.gone_bytes}};
}

}  // namespace

Json json_of(const WatchedSource& source) {
  Json one = {{"account", source.account},
              {"source", to_hex(source.state.source)},
              {"expected_ns", source.state.expected_ns},
              {"late_ns", source.state.late_ns},
              {"basis", source.state.basis},
              {"overdue_since_ns", source.state.overdue_ns},
              {"frozen_until_ns", source.state.frozen_ns},
              {"kept_snapshot", to_hex(source.state.normal)},
              {"why_frozen", source.state.reason}};
  if (source.last) one["last"] = json_of(*source.last);
  if (source.wish)
    one["set"] = {{"never", source.wish->never},
                  {"every_ns", source.wish->every_ns},
                  {"tolerance_ns", source.wish->tolerance_ns},
                  {"set_ns", source.wish->set_ns},
                  {"set_by", source.wish->set_by},
                  {"of_account", source.wish->source.empty()}};
  return one;
}

Result<Json> AdminWatch::run(const std::string& command, const catalog::Account* account,
                             const Json& request) const {
  if (command == "watch.list") return list(account);
  if (account == nullptr) return failed(Code::invalid, "account", "is missing");
  if (command == "watch.release") return release(*account, request);
  if (command == "watch.set") return set(*account, request);
  return failed(Code::unsupported, "command '" + command + "'", "is not known");
}

Result<Json> AdminWatch::list(const catalog::Account* account) const {
  CB_ASSIGN(const auto all, book_.sources(account == nullptr ? std::optional<std::string>()
                                                             : std::optional(account->name)));
  Json sources = Json::array();
  for (const WatchedSource& one : all) sources.push_back(json_of(one));
  return Json{{"enabled", book_.settings().is_on}, {"sources", std::move(sources)}};
}

Result<Json> AdminWatch::release(const catalog::Account& account, const Json& request) const {
  CB_ASSIGN(const int64_t repository, repository_of(catalog_, account));
  CB_ASSIGN(const SourceKey source,
            source_meant(catalog_, repository, report::text_of(request, "source")));
  CB_ASSIGN(const auto released, book_.release(repository, source));
  if (released.empty())
    return failed(Code::state,
                  source.empty() ? "account " + account.name : "source " + text_of_source(source),
                  "is not frozen", "cyberbackupd watch list shows what is");
  // Else a rebuilt catalog would freeze it again.
  CB_ASSIGN(const auto row, catalog_.index().repository_of(account.number));
  if (row) {
    const Status kept = retention_.keep(repository::RepositoryId{row->id});
    if (!kept)
      return failed(
          Error(kept.error())
              .with_advice(
                  "it is released; a catalog that is rebuilt may freeze it again until its time"));
  }
  Json sources = Json::array();
  for (const SourceKey& one : released) sources.push_back(to_hex(one));
  return Json{{"account", account.name}, {"released", std::move(sources)}};
}

Result<Json> AdminWatch::set(const catalog::Account& account, const Json& request) const {
  CB_ASSIGN(const int64_t repository, repository_of(catalog_, account));
  CB_ASSIGN(const SourceKey source,
            source_meant(catalog_, repository, report::text_of(request, "source")));
  const std::string what = report::text_of(request, "what");
  Json done = {{"account", account.name}, {"source", to_hex(source)}, {"what", what}};
  if (what == "history") {
    CB_TRY(book_.remove_wish(repository, source));
    return done;
  }
  watch::Wish wish;
  wish.never = what == "none";
  if (!wish.never && what != "expect")
    return failed(Code::invalid, "expectation", "is missing", "use expect, none or history");
  wish.every = report::number_of(request, "every_ns", 0);
  wish.tolerance = report::number_of(request, "tolerance_ns", wish.every / 4);
  CB_TRY(book_.set_wish(repository, source, wish, report::text_of(request, "asked_by")));
  if (wish.never) return done;
  done["every_ns"] = wish.every;
  done["tolerance_ns"] = wish.tolerance;
  return done;
}

Result<Json> AdminCommands::use_watch(const std::string& command, const Json& request) const {
  const AdminWatch watch(*parts_.catalog, *parts_.watch, *parts_.retention);
  const auto answer = [&]() -> Result<Json> {
    if (!AdminWatch::changes(command) && report::text_of(request, "account").empty())
      return watch.run(command, nullptr, request);
    CB_ASSIGN(const catalog::Account account, account_of(request));
    return watch.run(command, &account, request);
  };
  auto done = answer();
  if (!AdminWatch::changes(command)) return done;
  parts_.log->info("admin." + command, {{"account", report::text_of(request, "account")},
                                        {"source", report::text_of(request, "source")},
                                        {"what", report::text_of(request, "what")},
                                        {"by", report::text_of(request, "asked_by")},
                                        {"result", done ? "done" : done.error().text()}});
  note(command, request, done);
  return done;
}

}  // namespace cb::server
