// SPDX-License-Identifier: Apache-2.0
#include "core/server/retention_book.h"

#include "core/repository/engine_notes.h"
#include "core/repository/replicas.h"

#include <algorithm>

namespace cb::server {
namespace {

using report::Json;
using repository::BlobId;
using repository::RepositoryId;

std::string named(const SourceKey& source) {
  return source.empty() ? "the repository" : "source " + to_hex(source);
}

Result<Json> detail_of(const catalog::ApprovalRow& request) {
  auto detail = report::parse_json(request.detail);
  if (detail && detail->is_object()) return detail;
  return failed(Code::corrupt, "request " + std::to_string(request.number),
                "cannot be read in the catalog");
}

Result<SourceKey> source_in(const Json& detail) {
  return from_hex(report::text_of(detail, "source"));
}

// The ids of a list of the detail.
Result<std::set<BlobId>> snapshots_in(const Json& detail) {
  std::set<BlobId> ids;
  for (const char* list : {"trash", "remove"})
    for (const Json& one : detail.value(list, Json::array())) {
      const std::string text = one.is_string() ? one.get<std::string>() : std::string();
      CB_ASSIGN(const BlobId id, BlobId::from_hex_text(text));
      ids.insert(id);
    }
  return ids;
}

Json ids_of(const PlannedSource& plan, RetentionAct act) {
  Json ids = Json::array();
  for (const PlannedSnapshot& one : plan.snapshots)
    if (one.act == act) ids.push_back(one.commit.snapshot.hex());
  return ids;
}

// "uid 0" of "uid 0 (root)".
std::string_view without_name(std::string_view person) {
  return person.substr(0, person.find(" ("));
}

}  // namespace

bool is_same_person(const std::string& one, const std::string& other) {
  return without_name(one) == without_name(other);
}

Result<int64_t> RetentionBook::number_of(const RepositoryId& repository) const {
  CB_ASSIGN(const auto row, parts_.catalog->index().repository(repository.bytes));
  if (row) return row->number;
  return failed(Code::not_found, "repository " + repository.hex(), "is not in the catalog");
}

Result<std::vector<SourceRules>> RetentionBook::read_rules(int64_t repository) const {
  CB_ASSIGN(const auto rows, parts_.catalog->retention().rules(repository));
  std::vector<SourceRules> all;
  for (const catalog::RetentionRow& row : rows) {
    auto rules = retention::parse_rules(row.rules);
    if (!rules)
      return failed(Code::corrupt, "the catalog's rules for " + named(row.source),
                    rules.error().text(), "set them anew: cyberbackupd retention set");
    all.push_back({row.source, std::move(*rules), row.set_ns, row.set_by});
  }
  return all;
}

Result<std::vector<SourceRules>> RetentionBook::rules(const RepositoryId& repository) const {
  CB_ASSIGN(const int64_t number, number_of(repository));
  return read_rules(number);
}

Status RetentionBook::store_rules(int64_t repository, const SourceRules& rules) {
  return parts_.catalog->retention().set_rules(
      repository, {rules.source, retention::text_of(rules.rules), rules.set_ns, rules.set_by});
}

Result<RetentionBook::Change> RetentionBook::set_rules(const RepositoryId& repository,
                                                       const SourceKey& source,
                                                       const retention::Rules& rules,
                                                       const std::string& who) {
  CB_TRY(retention::check(rules));
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  // What cannot be read is replaced; how long its stay was is then not known.
  const auto before = read_rules(number);
  const SourceRules in_force = rules_for(before.value_or(std::vector<SourceRules>{}), source);
  Change change;
  change.now = {source, rules, now(), who};
  const int64_t stay = rules.trash_stay_ns;
  if (stay < in_force.rules.trash_stay_ns) {
    change.now.rules.trash_stay_ns = in_force.rules.trash_stay_ns;
    CB_ASSIGN(change.request, ask_for_stay(repository, in_force, source, stay, who));
  }
  CB_TRY(store_rules(number, change.now));
  CB_TRY(keep_note(repository));
  return change;
}

Result<RetentionBook::Change> RetentionBook::remove_rules(const RepositoryId& repository,
                                                          const SourceKey& source) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(std::vector<SourceRules> all, read_rules(number));
  const SourceRules before = rules_for(all, source);
  std::erase_if(all, [&](const SourceRules& one) { return one.source == source; });
  const SourceRules after = rules_for(all, source);
  if (after.rules.trash_stay_ns < before.rules.trash_stay_ns)
    return failed(
        Code::state, "the retention rules of " + named(source),
        "let snapshots lie in the trash for " +
            retention::duration_text(before.rules.trash_stay_ns) + ", longer than without them",
        "first set them with --trash-stay " + retention::duration_text(after.rules.trash_stay_ns) +
            ", which another operator approves");
  CB_TRY(parts_.catalog->retention().remove_rules(number, source));
  CB_TRY(keep_note(repository));
  return Change{after, std::nullopt};
}

Result<std::vector<catalog::ApprovalRow>> RetentionBook::requests_of(
    int64_t repository, const char* what, const SourceKey& source) const {
  CB_ASSIGN(auto open, parts_.catalog->retention().approvals(repository, true));
  std::vector<catalog::ApprovalRow> found;
  for (catalog::ApprovalRow& one : open) {
    if (one.what != what) continue;
    CB_ASSIGN(const Json detail, detail_of(one));
    if (report::text_of(detail, "source") == to_hex(source)) found.push_back(std::move(one));
  }
  return found;
}

Result<int64_t> RetentionBook::ask_for_stay(const RepositoryId& repository,
                                            const SourceRules& before, const SourceKey& source,
                                            int64_t stay_ns, const std::string& who) {
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(const auto earlier, requests_of(number, kTrashStayRequest, source));
  std::vector<int64_t> instead;
  for (const catalog::ApprovalRow& one : earlier) instead.push_back(one.number);
  catalog::ApprovalRow request;
  request.what = kTrashStayRequest;
  request.repository = number;
  request.detail = report::json_line({{"repository", repository.hex()},
                                      {"source", to_hex(source)},
                                      {"from_ns", before.rules.trash_stay_ns},
                                      {"to_ns", stay_ns}});
  request.asked_by = who;
  request.asked_ns = now();
  return parts_.catalog->retention().ask(request, instead);
}

Result<std::vector<catalog::PinRow>> RetentionBook::pins(const RepositoryId& repository) const {
  CB_ASSIGN(const int64_t number, number_of(repository));
  return parts_.catalog->retention().pins(number);
}

Status RetentionBook::pin(const RepositoryId& repository, const BlobId& snapshot, int64_t until_ns,
                          const std::string& reason, const std::string& who) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(const auto there, parts_.catalog->index().snapshot(number, snapshot.bytes));
  if (!there)
    return failed(Code::not_found, "snapshot " + snapshot.hex(), "is not in this repository");
  if (until_ns != 0 && until_ns <= now())
    return failed(Code::invalid, "snapshot " + snapshot.hex(), "would be pinned until the past");
  CB_TRY(
      parts_.catalog->retention().set_pin(number, {snapshot.bytes, until_ns, reason, now(), who}));
  return keep_note(repository);
}

Status RetentionBook::unpin(const RepositoryId& repository, const BlobId& snapshot) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_TRY(parts_.catalog->retention().remove_pin(number, snapshot.bytes));
  return keep_note(repository);
}

Result<std::vector<catalog::ApprovalRow>> RetentionBook::requests() const {
  return parts_.catalog->retention().approvals(0, true);
}

Result<catalog::ApprovalRow> RetentionBook::approve(int64_t number, const std::string& who) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(auto request, parts_.catalog->retention().approval(number));
  if (!request)
    return failed(Code::not_found, "request " + std::to_string(number), "is not known",
                  "cyberbackupd job requests shows what waits");
  const bool is_stay = request->what == kTrashStayRequest;
  if (is_stay && is_same_person(request->asked_by, who))
    return failed(
        Code::denied, "request " + std::to_string(number),
        "was made by " + request->asked_by + ", and another person is to approve it",
        "name a second Unix user with [admin] operators = [\"NAME\"], restart the daemon, "
        "and have that user run: cyberbackupd job approve " +
            std::to_string(number));
  // A crash may have come between approval and change.
  const bool is_half_done = is_stay && request->approved_ns != 0 && request->used_ns == 0;
  if (!is_half_done) CB_TRY(parts_.catalog->retention().approve(number, who, now()));
  if (is_stay) CB_TRY(shorten_stay(*request));
  CB_ASSIGN(request, parts_.catalog->retention().approval(number));
  return std::move(*request);
}

// Once: what was approved and does not fit any more is given up.
Status RetentionBook::shorten_stay(const catalog::ApprovalRow& request) {
  CB_ASSIGN(const Json detail, detail_of(request));
  CB_ASSIGN(const SourceKey source, source_in(detail));
  CB_ASSIGN(const RepositoryId repository,
            RepositoryId::from_hex_text(report::text_of(detail, "repository")));
  CB_ASSIGN(const std::vector<SourceRules> all, read_rules(request.repository));
  SourceRules rules = rules_for(all, source);
  CB_TRY(parts_.catalog->retention().use(request.number, true, now()));
  const int64_t from_ns = report::number_of(detail, "from_ns", 0);
  if (rules.rules.trash_stay_ns != from_ns || rules.source != source)
    return failed(Code::state, "request " + std::to_string(request.number),
                  "does not fit the rules any more, which were changed since",
                  "have the stay set again");
  rules.rules.trash_stay_ns = report::number_of(detail, "to_ns", from_ns);
  CB_TRY(retention::check(rules.rules));
  rules.set_ns = now();
  CB_TRY(store_rules(request.repository, rules));
  return keep_note(repository);
}

Result<RetentionInput> RetentionBook::input(const RepositoryId& repository) const {
  RetentionInput input;
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(input.rules, read_rules(number));
  CB_ASSIGN(input.pins, parts_.catalog->retention().pins(number));
  CB_ASSIGN(const auto requests, parts_.catalog->retention().approvals(number, false));
  for (const catalog::ApprovalRow& one : requests) {
    if (one.approved_ns == 0 || one.used_ns == 0) continue;
    CB_ASSIGN(const Json detail, detail_of(one));
    if (one.what == kTrashStayRequest) {
      CB_ASSIGN(const SourceKey source, source_in(detail));
      input.shortened.push_back({source, report::number_of(detail, "from_ns", 0), one.used_ns});
      continue;
    }
    CB_ASSIGN(const std::set<BlobId> ids, snapshots_in(detail));
    for (const BlobId& id : ids) input.let_go[id] = one.used_ns;
  }
  input.now_ns = now();
  CB_ASSIGN(const auto states, parts_.catalog->sources().states(number));
  for (const catalog::SourceState& state : states)
    if (state.frozen_ns > input.now_ns) input.frozen[state.source] = state.frozen_ns;
  CB_ASSIGN(input.snapshots, parts_.engine->snapshots(repository, true));
  CB_ASSIGN(const auto origin, parts_.engine->replicas().origin(repository));
  if (origin) {
    for (repository::SnapshotInfo& one : input.snapshots) one.in_trash = false;
    return input;
  }
  CB_ASSIGN(input.trash, parts_.engine->trash(repository));
  return input;
}

Result<int64_t> RetentionBook::ask(const RepositoryId& repository, const std::string& account,
                                   const PlannedSource& plan, const std::string& who) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  catalog::ApprovalRow request;
  request.what = kRetentionRequest;
  request.repository = number;
  request.detail = report::json_line({{"account", account},
                                      {"repository", repository.hex()},
                                      {"source", to_hex(plan.source)},
                                      {"why", plan.objection},
                                      {"of", plan.snapshots.size()},
                                      {"trash", ids_of(plan, RetentionAct::trash)},
                                      {"remove", ids_of(plan, RetentionAct::remove)}});
  request.asked_by = who;
  request.asked_ns = now();
  CB_ASSIGN(const auto earlier, requests_of(number, kRetentionRequest, plan.source));
  std::vector<int64_t> instead;
  for (const catalog::ApprovalRow& one : earlier) {
    if (one.detail == request.detail) return one.number;
    instead.push_back(one.number);
  }
  return parts_.catalog->retention().ask(request, instead);
}

Result<std::optional<std::set<BlobId>>> RetentionBook::take_approval(const RepositoryId& repository,
                                                                     const SourceKey& source) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(const auto open, requests_of(number, kRetentionRequest, source));
  for (const catalog::ApprovalRow& one : open) {
    if (one.approved_ns == 0) continue;
    CB_ASSIGN(const Json detail, detail_of(one));
    CB_ASSIGN(std::set<BlobId> ids, snapshots_in(detail));
    CB_TRY(parts_.catalog->retention().use(one.number, true, now()));
    return ids;
  }
  return std::nullopt;
}

Status RetentionBook::give_up(const RepositoryId& repository, const SourceKey& source) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(const auto open, requests_of(number, kRetentionRequest, source));
  for (const catalog::ApprovalRow& one : open)
    CB_TRY(parts_.catalog->retention().use(one.number, false, now()));
  return {};
}

Status RetentionBook::keep(const RepositoryId& repository) {
  const std::lock_guard lock(mutex_);
  return keep_note(repository);
}

Result<bool> RetentionBook::is_pinned(int64_t repository, const BlobId& snapshot) const {
  CB_ASSIGN(const auto pins, parts_.catalog->retention().pins(repository));
  return std::any_of(pins.begin(), pins.end(), [&](const catalog::PinRow& pin) {
    return pin.snapshot == snapshot.bytes && (pin.until_ns == 0 || pin.until_ns > now());
  });
}

// Of a source of which nothing goes for now?
Result<bool> RetentionBook::is_frozen(int64_t repository, const BlobId& snapshot) const {
  CB_ASSIGN(const auto row, parts_.catalog->index().snapshot(repository, snapshot.bytes));
  if (!row) return false;
  CB_ASSIGN(const auto commit, repository::decode_commit(row->record));
  CB_ASSIGN(const auto state, parts_.catalog->sources().state(repository, source_of(commit)));
  return state && state->frozen_ns > now();
}

Result<bool> RetentionBook::trash(const RepositoryId& repository, const BlobId& snapshot) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(const bool pinned, is_pinned(number, snapshot));
  CB_ASSIGN(const bool frozen, is_frozen(number, snapshot));
  if (pinned || frozen) return false;
  CB_TRY(parts_.engine->forget(repository, snapshot, {}));
  return true;
}

Result<bool> RetentionBook::drop(const RepositoryId& repository, const BlobId& snapshot) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(const bool pinned, is_pinned(number, snapshot));
  CB_ASSIGN(const bool frozen, is_frozen(number, snapshot));
  if (pinned || frozen) return false;
  const Status dropped = parts_.engine->replicas().drop(repository, snapshot);
  if (!dropped && dropped.error().code != Code::not_found) return failed(dropped.error());
  return dropped.has_value();
}

Result<bool> RetentionBook::remove(const RepositoryId& repository, const BlobId& snapshot) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(const bool pinned, is_pinned(number, snapshot));
  CB_ASSIGN(const bool frozen, is_frozen(number, snapshot));
  if (pinned || frozen) return false;
  const auto removed = parts_.engine->remove(repository, snapshot);
  // Somebody took it out of the trash, or another run was faster.
  if (!removed && removed.error().code != Code::state && removed.error().code != Code::not_found)
    return failed(removed.error());
  return removed.has_value();
}

// What the catalog says, into the store for the day when it is lost.
Status RetentionBook::keep_note(const RepositoryId& repository) {
  CB_ASSIGN(const int64_t number, number_of(repository));
  CB_ASSIGN(const auto note, repository::retention_note(*parts_.catalog, number, now()));
  return parts_.engine->put_retention(repository, note);
}

}  // namespace cb::server
