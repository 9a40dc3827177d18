// SPDX-License-Identifier: Apache-2.0
#include "core/replication/replicate_job.h"

#include <algorithm>
#include <thread>

#include "core/base/units.h"
#include "core/replication/account_copy.h"

namespace cb::replication {
namespace {

using report::Json;
using std::chrono::nanoseconds;

constexpr size_t kMostRefused = 100;  // accounts of one source; then it has no more turn
constexpr nanoseconds kNap = std::chrono::milliseconds(100);  // between two looks while it waits

// One run over all sources.
class ReplicateRun {
 public:
  ReplicateRun(const server::JobParts& parts, const Connect& connect, const server::JobCall& call)
      : parts_(parts),
        connect_(connect),
        call_(call),
        settings_(parts.upkeep().replication),
        began_(parts.clock->monotonic()),
        pace_([this] { return parts_.upkeep().replication.limit; }, *parts.clock,
              [this](nanoseconds time) { return wait(time); }) {}

  Result<server::JobResult> run() && {
    std::vector<server::ReplicationSource> sources = settings_.sources;
    CB_ASSIGN(auto noted, noted_sources(parts_.catalog->replication(), *parts_.files, parts_.keys));
    sources.insert(sources.end(), std::make_move_iterator(noted.begin()),
                   std::make_move_iterator(noted.end()));
    for (const server::ReplicationSource& source : sources) {
      if (is_over()) break;
      const Status done = run_source(source);
      if (!done && done.error().code != Code::cancelled)
        note_trouble(source.name, "", done.error());
    }
    return result(sources.size());
  }

 private:
  Status run_source(const server::ReplicationSource& settings) {
    CB_ASSIGN(const Source source, resolve(settings));
    CB_ASSIGN(const auto remote, connect_(source));
    CB_ASSIGN(const auto accounts, remote->accounts());
    refused_ = 0;
    for (const SourceAccount& account : accounts) {
      if (!is_asked_for(source, account.account)) continue;
      if (is_over()) return {};
      if (refused_ >= kMostRefused) return failed(too_many_refused(source));
      CB_TRY(call_.dry_run ? look(source, account) : copy(source, *remote, account));
    }
    if (call_.dry_run) return {};
    // What was told of the source itself is over.
    note(source.name, "", 0, {}, "", true);
    return tell_vanished(source, accounts);
  }

  [[nodiscard]] bool is_asked_for(const Source& source, const std::string& account) const {
    const bool is_named =
        source.accounts.empty() ||
        std::find(source.accounts.begin(), source.accounts.end(), account) != source.accounts.end();
    return is_named && (!call_.account || account == *call_.account);
  }

  static Error too_many_refused(const Source& source) {
    return fail(Code::denied, "source " + source.name,
                "has " + std::to_string(kMostRefused) + " accounts that are refused",
                "see to those first, or choose with accounts = [...] what is copied");
  }

  // What came before and is listed no more may be damaged there, or be kept from this server.
  Status tell_vanished(const Source& source, const std::vector<SourceAccount>& listed) {
    CB_ASSIGN(const auto pulls, parts_.catalog->replication().pulls());
    for (const catalog::ReplicaPull& pull : pulls) {
      const bool is_gone = pull.source == source.name && !pull.account.empty() &&
                           is_asked_for(source, pull.account) &&
                           std::none_of(listed.begin(), listed.end(), [&](const auto& one) {
                             return one.account == pull.account;
                           });
      if (!is_gone) continue;
      const Error gone = fail(Code::not_found, "account " + pull.account,
                              "was copied before, and the source lists it no more",
                              "ask the source's operator, or leave it out with accounts = [...]");
      note(source.name, pull.account, pull.head, {}, gone.text(), false);
      note_trouble(source.name, pull.account, gone);
    }
    return {};
  }

  Status look(const Source& source, const SourceAccount& account) {
    uint64_t here = 0;
    const auto known = parts_.catalog->accounts().account_by_name(account.account);
    if (known && *known) {
      CB_ASSIGN(const auto repository, parts_.engine->of_account(account.account));
      if (repository) {
        CB_ASSIGN(const auto head, parts_.engine->head(*repository));
        here = head.sequence;
      }
    }
    const uint64_t behind = account.head > here ? account.head - here : 0;
    sum_.commits += behind;
    accounts_.push_back(
        {{"source", source.name}, {"account", account.account}, {"commits_behind", behind}});
    return {};
  }

  // Trouble with the connection ends the source's turn.
  Status copy(const Source& source, SourceRemote& remote, const SourceAccount& account) {
    AccountCopy::Parts parts;
    parts.members = {parts_.catalog, parts_.engine, parts_.notes};
    parts.source = &remote;
    parts.pace = &pace_;
    parts.goes_on = [this] { return !is_over(); };
    parts.source_name = source.name;
    parts.keeps_removed = !source.removes_vanished;
    parts.most_stored = source.most_stored.value_or(settings_.most_stored);
    AccountCopy one(parts, account);
    current_ = &one;
    const Status done = source.heals_only ? heal(one, account) : one.run();
    current_ = nullptr;
    const AccountCopy::Counts counts = one.counts();
    add(counts);
    tell(source, account, counts, done);
    const bool is_lost =
        !done && (done.error().code == Code::closed || done.error().code == Code::cancelled);
    return is_lost ? done : Status();
  }

  // What is not here is not healed.
  Status heal(AccountCopy& one, const SourceAccount& account) {
    const auto known = parts_.catalog->accounts().account_by_name(account.account);
    if (!known || !*known) return {};
    CB_ASSIGN(const auto repository, parts_.engine->of_account(account.account));
    return repository == account.repository ? one.heal() : Status();
  }

  void add(const AccountCopy::Counts& more) {
    sum_.commits += more.commits;
    sum_.blobs += more.blobs;
    sum_.bytes += more.bytes;
    sum_.healed += more.healed;
    sum_.lacking += more.lacking;
    sum_.dropped += more.dropped;
    sum_.left += more.left;
  }

  void tell(const Source& source, const SourceAccount& account, const AccountCopy::Counts& counts,
            const Status& done) {
    const bool was_stopped = !done && done.error().code == Code::cancelled;
    std::string trouble;
    if (!done && !was_stopped) trouble = done.error().text();
    if (done && counts.lacking > 0)
      trouble = std::to_string(counts.lacking) + " snapshots are not whole at the source";
    note(source.name, account.account, account.head, counts, trouble,
         done && trouble.empty() && counts.left == 0);
    accounts_.push_back({{"source", source.name},
                         {"account", account.account},
                         {"commits", counts.commits},
                         {"blobs", counts.blobs},
                         {"bytes", counts.bytes},
                         {"healed", counts.healed},
                         {"lacking", counts.lacking},
                         {"dropped", counts.dropped},
                         {"commits_left", counts.left},
                         {"trouble", trouble}});
    if (!done && !was_stopped) {
      ++refused_;
      note_trouble(source.name, account.account, done.error());
    }
    parts_.log->info("replication.account", {{"source", source.name},
                                             {"account", account.account},
                                             {"commits", counts.commits},
                                             {"blobs", counts.blobs},
                                             {"bytes", counts.bytes},
                                             {"trouble", trouble}});
  }

  void note(const std::string& source, const std::string& account, uint64_t head,
            const AccountCopy::Counts& counts, const std::string& trouble, bool is_good) {
    catalog::ReplicaPull pull;
    pull.source = source;
    pull.account = account;
    pull.tried_ns = parts_.clock->wall().count();
    pull.good_ns = is_good ? pull.tried_ns : 0;
    pull.head = head;
    pull.blobs = counts.blobs;
    pull.bytes = counts.bytes;
    pull.healed = counts.healed;
    pull.trouble = trouble;
    const Status noted = parts_.catalog->replication().note_pull(pull);
    if (!noted) parts_.log->error("replication.not-noted", {{"error", noted.error().text()}});
  }

  void note_trouble(const std::string& source, const std::string& account, const Error& error) {
    if (account.empty()) note(source, account, 0, {}, error.text(), false);
    parts_.log->warn("replication.refused",
                     {{"source", source}, {"account", account}, {"why", error.text()}});
    if (parts_.audit != nullptr)
      parts_.audit->write({call_.asked_by, "", "replication.refused",
                           "source " + source + (account.empty() ? "" : " account " + account),
                           std::string(name_of(error.code)), error.text()});
    if (first_trouble_) return;
    first_trouble_ = error;
    first_trouble_->object = "source " + source + ": " + error.object;
  }

  // --- how long it goes on
  // ------------------------------------------------------------------------

  [[nodiscard]] uint64_t bytes() const {
    return sum_.bytes + (current_ != nullptr ? current_->counts().bytes : 0);
  }

  bool is_over() {
    if (is_cancelled_ || is_short_) return true;
    const nanoseconds took = parts_.clock->monotonic() - began_;
    const auto is_spent = [&](nanoseconds most) { return most.count() > 0 && took >= most; };
    is_short_ = is_spent(call_.most_time) || is_spent(settings_.most_time) ||
                (call_.most_bytes > 0 && bytes() >= call_.most_bytes);
    is_cancelled_ = call_.progress && !call_.progress(bytes(), 0, "bytes");
    return is_cancelled_ || is_short_;
  }

  bool wait(nanoseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
      if (is_over()) return false;
      std::this_thread::sleep_for(std::min<nanoseconds>(
          kNap, std::chrono::duration_cast<nanoseconds>(end - std::chrono::steady_clock::now())));
    }
    return true;
  }

  Result<server::JobResult> result(size_t sources) {
    if (first_trouble_) return failed(std::move(*first_trouble_));
    if (is_cancelled_)
      return failed(Code::cancelled, "replication",
                    "was cancelled after " + format_size(sum_.bytes));
    server::JobResult result;
    result.summary = "copied " + std::to_string(sum_.commits) + " commits, " +
                     std::to_string(sum_.blobs) + " blobs of " + format_size(sum_.bytes);
    if (call_.dry_run) result.summary = std::to_string(sum_.commits) + " commits are not here yet";
    if (sources == 0) result.summary = "there is no source to copy from";
    if (sum_.healed > 0) result.summary += "; " + std::to_string(sum_.healed) + " blobs healed";
    if (sum_.lacking > 0)
      result.summary +=
          "; " + std::to_string(sum_.lacking) + " snapshots are not whole at their source";
    result.detail = {{"accounts", std::move(accounts_)}, {"dry_run", call_.dry_run}};
    result.is_short = is_short_ || sum_.left > 0;
    return result;
  }

  const server::JobParts& parts_;
  const Connect& connect_;
  const server::JobCall& call_;
  const server::ReplicationSettings settings_;
  const nanoseconds began_;
  EvenPace pace_;
  AccountCopy* current_ = nullptr;
  size_t refused_ = 0;  // accounts of the source whose turn it is
  AccountCopy::Counts sum_;
  Json accounts_ = Json::array();
  bool is_short_ = false, is_cancelled_ = false;
  std::optional<Error> first_trouble_;
};

}  // namespace

server::JobKind replicate_job(const server::JobParts& parts, Connect connect) {
  server::JobKind kind;
  kind.name = "replicate";
  kind.what = "Copies repositories from other servers, and heals from them what is damaged here.";
  kind.run = [parts, connect = std::move(connect)](const server::JobCall& call) {
    return ReplicateRun(parts, connect, call).run();
  };
  kind.schedule = "hourly";
  return kind;
}

Connect connect_with(plugin::Registry& registry) {
  return [&registry](const Source& source) -> Result<std::unique_ptr<SourceRemote>> {
    std::vector<plugin::Transport> stack;
    for (const char* id : {"transport-tls", "transport-tcp"}) {
      CB_ASSIGN(const config::Schema* schema, registry.schema(id));
      std::map<std::string, std::string> written;
      if (stack.empty()) written["pin"] = "[\"" + to_hex(source.pin) + "\"]";
      CB_ASSIGN(const config::Values values, config::values_from(*schema, written));
      CB_ASSIGN(plugin::Transport transport, registry.make_transport(id, values));
      stack.push_back(std::move(transport));
    }
    CB_ASSIGN(const stream::Stack transports, stream::Stack::make(std::move(stack)));
    return open_source(transports, source.login);
  };
}

}  // namespace cb::replication
