// SPDX-License-Identifier: Apache-2.0
#include "core/server/retention_job.h"

#include "core/repository/catalog_rebuild.h"
#include "core/repository/replicas.h"
#include "core/server/watch_book.h"

namespace cb::server {
namespace {

using report::Json;
using repository::BlobId;
using repository::RepositoryId;

std::string counted(uint64_t many, const std::string& what) {
  return std::to_string(many) + " " + what + (many == 1 ? "" : "s");
}

Json json_of(const PlannedSnapshot& one) {
  Json json = {{"snapshot", one.commit.snapshot.hex()},
               {"time_ns", one.commit.time_ns},
               {"checkpoint", (one.commit.flags & repository::kSnapshotCheckpoint) != 0},
               {"act", name_of(one.act)},
               {"reasons", one.reasons}};
  if (one.due_ns != 0) json["due_ns"] = one.due_ns;
  return json;
}

std::string alarm_of(const std::string& account, const SourceKey& source) {
  return std::string(event::kAsks) + " " + account + " " + to_hex(source);
}

Event asks_event(const std::string& account, const PlannedSource& plan, int64_t number) {
  Event event;
  event.kind = event::kAsks;
  event.account = account;
  event.source = text_of_source(plan.source);
  event.device = event.source.substr(0, event.source.find('/'));
  event.subject = "retention of " + account + " asks first";
  event.text = "Of one source " + plan.objection +
               ". See cyberbackupd job requests; to let it: " + "cyberbackupd job approve " +
               std::to_string(number);
  event.severity = Severity::warning;
  return event;
}

// One run over some repositories.
class RetentionRun {
 public:
  RetentionRun(const RetentionParts& parts, const JobCall& call)
      : parts_(parts), call_(call), began_(parts.clock->monotonic()) {}

  Result<JobResult> run() && {
    CB_ASSIGN(const auto accounts, parts_.catalog->accounts().accounts());
    bool found = false;
    for (const catalog::Account& account : accounts) {
      if (call_.account && account.name != *call_.account) continue;
      found = true;
      const Status done = run_account(account);
      if (!done && !repository::is_damage(done.error().code)) return failed(done.error());
      if (!done) note_damage(account.name, done.error());
      if (is_short_) break;
    }
    if (!found && call_.account)
      return failed(Code::not_found, "account " + *call_.account, "is not known",
                    "cyberbackupd account list shows who is");
    if (damaged_) return failed(std::move(*damaged_));
    return result();
  }

 private:
  Status run_account(const catalog::Account& of) {
    const std::string& account = of.name;
    CB_ASSIGN(const auto repository, parts_.engine->of_account(account));
    if (!repository) return {};
    if (!call_.dry_run) CB_TRY(parts_.book->keep(*repository));
    if (!call_.dry_run && parts_.look_first) CB_TRY(parts_.look_first(of));
    CB_ASSIGN(RetentionInput input, parts_.book->input(*repository));
    input.most_removed = parts_.most_removed();
    const std::vector<PlannedSource> plans = plan_retention(input);
    for (const PlannedSource& plan : plans) total_ += plan.snapshots.size();
    for (const PlannedSource& plan : plans) {
      Json source = server::json_of(plan);
      source["account"] = account;
      if (call_.dry_run)
        count(plan);
      else
        CB_TRY(apply(*repository, account, plan, source));
      asks_ = asks_ + (source.contains("request") || (call_.dry_run && !plan.objection.empty()));
      if (!call_.dry_run) source.erase("snapshots");
      sources_.push_back(std::move(source));
      if (is_short_) return {};
    }
    return {};
  }

  void count(const PlannedSource& plan) {
    if (!plan.objection.empty()) return;
    trashed_ += plan.count(RetentionAct::trash);
    removed_ += plan.count(RetentionAct::remove);
  }

  Status apply(const RepositoryId& repository, const std::string& account,
               const PlannedSource& plan, Json& source) {
    std::optional<std::set<BlobId>> approved;
    if (plan.objection.empty()) {
      CB_TRY(parts_.book->give_up(repository, plan.source));
      if (parts_.alarms != nullptr) parts_.alarms->clear(alarm_of(account, plan.source));
    } else {
      CB_ASSIGN(approved, parts_.book->take_approval(repository, plan.source));
      if (!approved) return ask(repository, account, plan, source);
    }
    const uint64_t trashed = trashed_, removed = removed_;
    for (const PlannedSnapshot& one : plan.snapshots) {
      ++done_;
      const bool goes = one.act == RetentionAct::trash || one.act == RetentionAct::remove;
      if (!goes || (approved && !approved->contains(one.commit.snapshot))) continue;
      if (!goes_on()) return {};
      CB_TRY(end(repository, account, one));
    }
    source["trashed"] = trashed_ - trashed;
    source["removed"] = removed_ - removed;
    return {};
  }

  Status ask(const RepositoryId& repository, const std::string& account, const PlannedSource& plan,
             Json& source) {
    done_ += plan.snapshots.size();
    CB_ASSIGN(const int64_t number, parts_.book->ask(repository, account, plan, call_.asked_by));
    source["request"] = number;
    parts_.log->warn("retention.asks", {{"account", account},
                                        {"source", to_hex(plan.source)},
                                        {"request", std::to_string(number)},
                                        {"why", plan.objection}});
    note("retention.asks",
         account + " " + to_hex(plan.source) + " request " + std::to_string(number));
    if (parts_.alarms != nullptr)
      parts_.alarms->raise(alarm_of(account, plan.source), asks_event(account, plan, number));
    return {};
  }

  Status end(const RepositoryId& repository, const std::string& account,
             const PlannedSnapshot& one) {
    CB_ASSIGN(const auto origin, parts_.engine->replicas().origin(repository));
    const bool removes = one.act == RetentionAct::remove || origin;
    const BlobId& snapshot = one.commit.snapshot;
    const auto act = [&] {
      if (origin) return parts_.book->drop(repository, snapshot);
      return removes ? parts_.book->remove(repository, snapshot)
                     : parts_.book->trash(repository, snapshot);
    };
    CB_ASSIGN(const bool done, act());
    if (!done) return {};
    ++(removes ? removed_ : trashed_);
    parts_.log->info(removes ? "retention.snapshot.removed" : "retention.snapshot.trashed",
                     {{"account", account}, {"snapshot", snapshot.hex()}, {"by", call_.asked_by}});
    note(removes ? "retention.snapshot.removed" : "retention.snapshot.trashed",
         account + " " + snapshot.hex());
    return {};
  }

  void note(const std::string& action, const std::string& object) {
    if (parts_.audit != nullptr)
      parts_.audit->write({call_.asked_by, "", action, object, "done", ""});
  }

  // Between two snapshots, each of which ends whole.
  bool goes_on() {
    const bool in_time =
        call_.most_time.count() == 0 || parts_.clock->monotonic() - began_ < call_.most_time;
    is_cancelled_ = call_.progress && !call_.progress(done_, total_, "snapshots");
    is_short_ = is_cancelled_ || !in_time;
    return !is_short_;
  }

  void note_damage(const std::string& account, const Error& error) {
    parts_.log->error("retention.failed", {{"account", account}, {"error", error.text()}});
    if (damaged_) return;
    damaged_ = error;
    damaged_->object = "account " + account + ": " + error.object;
  }

  Result<JobResult> result() {
    if (is_cancelled_)
      return failed(Code::cancelled, "retention",
                    "was cancelled after " + counted(trashed_ + removed_, "snapshot"));
    JobResult result;
    result.summary = (call_.dry_run ? "would put " : "put ") + counted(trashed_, "snapshot") +
                     " into the trash, " + (call_.dry_run ? "would remove " : "removed ") +
                     std::to_string(removed_) + " from there";
    if (asks_ > 0)
      result.summary += "; " + counted(asks_, "source") + (asks_ == 1 ? " asks" : " ask") +
                        " first: cyberbackupd job requests";
    result.detail = {{"trashed", trashed_},
                     {"removed", removed_},
                     {"asks", asks_},
                     {"dry_run", call_.dry_run},
                     {"sources", std::move(sources_)}};
    result.asks = asks_ > 0;
    result.is_short = is_short_;
    return result;
  }

  const RetentionParts& parts_;
  const JobCall& call_;
  const std::chrono::nanoseconds began_;
  Json sources_ = Json::array();
  uint64_t trashed_ = 0, removed_ = 0, asks_ = 0;
  uint64_t done_ = 0, total_ = 0;
  bool is_short_ = false, is_cancelled_ = false;
  std::optional<Error> damaged_;
};

}  // namespace

Json json_of(const PlannedSource& plan) {
  Json snapshots = Json::array();
  for (const PlannedSnapshot& one : plan.snapshots) snapshots.push_back(json_of(one));
  const char* from = "none";
  if (plan.rules.set_ns != 0) from = plan.rules.source.empty() ? "repository" : "source";
  return {{"source", to_hex(plan.source)},
          {"rules", retention::text_of(plan.rules.rules)},
          {"rules_of", from},
          {"objection", plan.objection},
          {"snapshots", std::move(snapshots)}};
}

JobKind retention_job(const RetentionParts& parts) {
  JobKind kind;
  kind.name = "retention";
  kind.what = "Puts snapshots that no rule keeps into the trash, and empties the trash in time.";
  kind.run = [parts](const JobCall& call) { return RetentionRun(parts, call).run(); };
  kind.schedule = "daily 02:00";
  return kind;
}

}  // namespace cb::server
