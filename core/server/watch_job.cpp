// SPDX-License-Identifier: Apache-2.0
#include "core/server/watch_job.h"

#include "core/server/watch_store.h"

namespace cb::server {
namespace {

using catalog::SourceState;
using report::Json;

// A source as it is judged.
struct Silence {
  bool begins = false, ends = false;
  bool thaws = false;
  SourceState state;  // as it is now
};

// Of a source without a backup for so long nothing is kept, unless somebody waits for it.
constexpr int64_t kForgottenAfter = 400 * watch::kDay;

// The account of a source, and its newest backup (0: none).
struct Whose {
  const std::string& account;
  int64_t repository = 0;
  int64_t last_ns = 0;
};

// One run over some accounts.
class Watching {
 public:
  Watching(const JobParts& parts, const JobCall& call)
      : parts_(parts),
        call_(call),
        watch_(watch_parts(parts)),
        look_(watch_, [this] { return goes_on(); }) {}

  Result<JobResult> run() {
    // First, because a store without room is what ails the rest.
    if (!call_.account) watch_store(parts_);
    CB_ASSIGN(const auto accounts, parts_.catalog->accounts().accounts());
    total_ = accounts.size();
    for (const catalog::Account& account : accounts) {
      ++done_;
      if (call_.account && account.name != *call_.account) continue;
      CB_TRY(go_on_after(account.name, watch(account)));
    }
    if (trouble_) return failed(std::move(*trouble_));
    return result();
  }

 private:
  bool goes_on() { return !call_.progress || call_.progress(done_, total_, "accounts"); }

  Status watch(const catalog::Account& account) {
    if (!parts_.watch->settings().is_on || account.kind == catalog::AccountKind::v3) return {};
    CB_TRY(look_.account(account));
    if (auto trouble = look_.take_trouble())
      CB_TRY(go_on_after(account.name, failed(std::move(*trouble))));
    CB_ASSIGN(const auto repository, parts_.catalog->index().repository_of(account.number));
    if (!repository) return {};
    CB_ASSIGN(const auto wishes, parts_.catalog->sources().wishes(repository->number));
    CB_ASSIGN(const auto states, parts_.catalog->sources().states(repository->number));
    for (const SourceState& state : states) {
      if (!goes_on()) return failed(Code::cancelled, "watch", "was cancelled");
      const auto said = wish_for(wishes, state.source);
      CB_TRY(go_on_after(account.name, judge(account, repository->number, state.source, said)));
    }
    return {};
  }

  // One account's or one source's trouble is no other's: only who cancels ends a run.
  Status go_on_after(const std::string& account, const Status& done) {
    if (done || done.error().code == Code::cancelled) return done;
    parts_.log->error("watch.failed", {{"account", account}, {"error", done.error().text()}});
    if (!trouble_) {
      trouble_ = done.error();
      trouble_->object = "account " + account + ": " + trouble_->object;
    }
    return {};
  }

  // A device that may not come any more is not missed.
  Result<bool> may_come(const catalog::Account& account, const SourceKey& source) {
    catalog::Bytes16 id{};
    std::copy_n(source.begin(), id.size(), id.begin());
    CB_ASSIGN(const auto device, parts_.catalog->accounts().device_by_id(id));
    return !account.disabled && (!device || device->state != catalog::DeviceState::revoked);
  }

  Status judge(const catalog::Account& account, int64_t repository, const SourceKey& source,
               const std::optional<catalog::SourceWish>& said) {
    CB_ASSIGN(const std::vector<int64_t> times,
              parts_.catalog->sources().times(repository, source));
    CB_ASSIGN(const bool comes, may_come(account, source));
    std::optional<watch::Wish> wish;
    if (said) wish = watch::Wish{said->never, said->every_ns, said->tolerance_ns};
    if (!comes) wish = watch::Wish{true, 0, 0};
    const watch::Expectation expected = watch::expect(times, wish, rules());
    const int64_t last = times.empty() ? 0 : times.back();
    const Whose whose{account.name, repository, last};
    Silence silence;
    CB_ASSIGN(const SourceState before,
              watch_.book->change_state(repository, source, [&](SourceState& state) {
                const int64_t since = state.overdue_ns;
                silence = change(state, expected);
                tell(whose, silence, since);
              }));
    // The state knows by now what was told.
    if (silence.begins) parts_.alarms->clear(overdue_alarm(repository, silence.state));
    if (silence.ends) parts_.alarms->clear(back_alarm(repository, source, before.overdue_ns));
    overdue_ += silence.state.overdue_ns != 0;
    frozen_ += silence.state.frozen_ns != 0;
    ++sources_;
    return forget_if_old(whose, silence.state, said);
  }

  // Nobody waits for it, and nothing was said of it: one that a device named once.
  Status forget_if_old(const Whose& whose, const SourceState& state,
                       const std::optional<catalog::SourceWish>& said) {
    const bool is_old = whose.last_ns != 0 && whose.last_ns < now() - kForgottenAfter;
    const bool has_own_wish = said && !said->source.empty();
    if (!is_old || has_own_wish || state.overdue_ns != 0 || state.frozen_ns != 0) return {};
    CB_TRY(parts_.catalog->sources().drop(whose.repository, state.source));
    parts_.alarms->clear(many_alarm(whose.repository));
    parts_.log->info("watch.forgotten",
                     {{"account", whose.account}, {"source", text_of_source(state.source)}});
    return {};
  }

  [[nodiscard]] watch::ExpectedRules rules() const {
    const WatchSettings settings = parts_.watch->settings();
    watch::ExpectedRules rules;
    rules.tolerance = settings.tolerance.count();
    rules.least_backups = settings.least_backups;
    rules.zone = parts_.upkeep().zone();
    return rules;
  }

  Silence change(SourceState& state, const watch::Expectation& expected) const {
    Silence silence;
    state.expected_ns = expected.next;
    state.late_ns = expected.late;
    state.basis = watch::name_of(expected.basis);
    const bool is_overdue = expected.is_overdue(now());
    silence.begins = is_overdue && state.overdue_ns == 0;
    silence.ends = !is_overdue && state.overdue_ns != 0;
    if (silence.begins) state.overdue_ns = expected.late;
    if (silence.ends) state.overdue_ns = 0;
    silence.thaws = state.frozen_ns != 0 && state.frozen_ns <= now();
    if (silence.thaws) {
      state.frozen_ns = 0;
      state.normal.clear();
      state.reason.clear();
    }
    silence.state = state;
    return silence;
  }

  // Before the state is written: what ends the daemon between may let it be told twice, and never
  // not at all. A state that cannot be written is not told again at each look, either.
  void tell(const Whose& whose, const Silence& silence, int64_t since_ns) {
    const std::string& account = whose.account;
    const std::string source = text_of_source(silence.state.source);
    if (silence.begins &&
        parts_.alarms->raise(overdue_alarm(whose.repository, silence.state),
                             overdue_event(account, silence.state, whose.last_ns)))
      parts_.log->warn("watch.overdue", {{"account", account},
                                         {"source", source},
                                         {"last_ns", whose.last_ns},
                                         {"expected_ns", silence.state.expected_ns}});
    if (silence.ends) {
      const bool came = whose.last_ns > since_ns;
      parts_.log->info("watch.back", {{"account", account},
                                      {"source", source},
                                      {"overdue_since_ns", since_ns},
                                      {"came", came ? "yes" : "no"}});
      if (came)
        parts_.alarms->raise(back_alarm(whose.repository, silence.state.source, since_ns),
                             back_event(account, silence.state.source, since_ns, whose.last_ns));
    }
    if (silence.thaws) parts_.log->info("watch.thawed", {{"account", account}, {"source", source}});
    changes_ += silence.begins || silence.ends || silence.thaws;
  }

  Result<JobResult> result() {
    JobResult result;
    const bool is_on = parts_.watch->settings().is_on;
    result.summary = std::to_string(sources_) + " sources, " + std::to_string(overdue_) +
                     " overdue, " + std::to_string(frozen_) + " frozen";
    if (!is_on) result.summary = "[watch] enabled is false: only the store was looked at";
    if (look_.odd() > 0) result.summary += "; " + std::to_string(look_.odd()) + " anomalies";
    result.detail = {{"sources", sources_},
                     {"overdue", overdue_},
                     {"frozen", frozen_},
                     {"looked", look_.looked()},
                     {"anomalies", look_.odd()}};
    result.is_idle = changes_ == 0 && look_.odd() == 0;
    return result;
  }

  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  const JobParts& parts_;
  const JobCall& call_;
  const WatchParts watch_;
  WatchLook look_;
  uint64_t done_ = 0, total_ = 0;
  uint64_t sources_ = 0, overdue_ = 0, frozen_ = 0, changes_ = 0;
  std::optional<Error> trouble_;
};

}  // namespace

WatchParts watch_parts(const JobParts& parts) {
  return {parts.catalog,   parts.engine, parts.clock,  parts.log,
          parts.retention, parts.watch,  parts.alarms, parts.audit};
}

JobKind watch_job(const JobParts& parts) {
  JobKind kind;
  kind.name = "watch";
  kind.what = "tells when backups do not come, and when one looks as if data was spoilt";
  kind.run = [parts](const JobCall& call) -> Result<JobResult> {
    if (call.dry_run)
      return failed(Code::unsupported, "job watch", "has nothing to try out",
                    "cyberbackupd watch list shows what it knows");
    return Watching(parts, call).run();
  };
  kind.schedule = "every 15m";
  kind.heeds_window = false;
  kind.writes = false;
  return kind;
}

}  // namespace cb::server
