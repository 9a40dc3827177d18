// SPDX-License-Identifier: Apache-2.0
#include "core/server/verify_job.h"

#include "core/base/units.h"
#include "core/repository/catalog_rebuild.h"

namespace cb::server {
namespace {

using report::Json;
using repository::RepositoryId;

constexpr size_t kMostTold = 1000;

struct Held {
  RepositoryId id;
  int64_t number = 0;
  std::string account;
};

Result<std::vector<Held>> repositories_of(catalog::Catalog& catalog,
                                          const std::optional<std::string>& account) {
  CB_ASSIGN(const auto accounts, catalog.accounts().accounts());
  CB_ASSIGN(const auto rows, catalog.index().repositories());
  std::vector<Held> all;
  for (const catalog::RepositoryRow& row : rows) {
    Held one{RepositoryId{row.id}, row.number, ""};
    for (const catalog::Account& known : accounts)
      if (known.number == row.account) one.account = known.name;
    if (!account || one.account == *account) all.push_back(std::move(one));
  }
  return all;
}

// One run over all repositories: each has its share of what is left of the budget.
class Verifying {
 public:
  Verifying(const JobParts& parts, const JobCall& call)
      : parts_(parts), call_(call), began_(parts.clock->monotonic()) {}

  Result<JobResult> run() {
    CB_ASSIGN(const std::vector<Held> all, repositories_of(*parts_.catalog, call_.account));
    for (size_t i = 0; i < all.size(); ++i) {
      const Status done = verify(all[i], all.size() - i);
      if (!done) return failed(done.error());
    }
    return result();
  }

 private:
  Status verify(const Held& held, uint64_t left);
  [[nodiscard]] repository::VerifyOptions options(uint64_t left) const;
  void take(const Held& held, const repository::Verified& verified);
  void tell(const Held& held, size_t findings, const Result<repository::Verified>& verified,
            uint64_t wanted);
  Result<JobResult> result();

  const JobParts& parts_;
  const JobCall& call_;
  const std::chrono::nanoseconds began_;
  repository::Verified sum_;
  uint64_t repositories_ = 0;
  uint64_t wanted_ = 0;
  Json findings_ = Json::array();
  Json notes_ = Json::array();
};

repository::VerifyOptions Verifying::options(uint64_t left) const {
  repository::VerifyOptions options;
  options.max_age = parts_.upkeep().verify_age;
  options.dry_run = call_.dry_run;
  if (call_.most_bytes > 0)
    options.most_bytes =
        std::max<uint64_t>(1, (call_.most_bytes - std::min(call_.most_bytes, sum_.bytes)) / left);
  if (call_.most_time.count() > 0) {
    const auto spent = parts_.clock->monotonic() - began_;
    options.most_time = std::max<std::chrono::nanoseconds>(
        std::chrono::nanoseconds(1), (call_.most_time - spent) / static_cast<int64_t>(left));
  }
  return options;
}

// One that cannot be used is told, and the others have their turn.
Status Verifying::verify(const Held& held, uint64_t left) {
  const auto verified =
      parts_.engine->verify(held.id, options(left), [this](uint64_t done, uint64_t total) {
        return !call_.progress || call_.progress(sum_.bytes + done, sum_.bytes + total, "bytes");
      });
  if (!verified && !repository::is_damage(verified.error().code)) return failed(verified.error());
  ++repositories_;
  const size_t findings = findings_.size();
  if (verified)
    take(held, *verified);
  else
    findings_.push_back({{"account", held.account}, {"finding", verified.error().text()}});
  CB_ASSIGN(const uint64_t wanted,
            parts_.catalog->verification().count_wanted(held.number, {catalog::kOpenDomain, true}));
  wanted_ += wanted;
  if (!call_.dry_run) tell(held, findings_.size() - findings, verified, wanted);
  return {};
}

// Once, until all is whole again; and again when more was found damaged.
void Verifying::tell(const Held& held, size_t findings,
                     const Result<repository::Verified>& verified, uint64_t wanted) {
  if (parts_.alarms == nullptr) return;
  const std::string name = std::string(event::kDamage) + " " + held.account;
  if (findings == 0 && wanted == 0) parts_.alarms->clear(name);
  if (findings == 0) return;
  if (verified && verified->newly_wanted > 0) parts_.alarms->clear(name);
  Event event;
  event.kind = event::kDamage;
  event.account = held.account;
  event.subject = "verification found damage in " + held.account;
  event.text = report::text_of(findings_.back(), "finding") + " (" + std::to_string(findings) +
               " findings; " + std::to_string(wanted) +
               " damaged blobs wait for a backup to send them again). See: cyberbackupd job "
               "history verify";
  event.severity = Severity::alarm;
  parts_.alarms->raise(name, std::move(event));
}

void Verifying::take(const Held& held, const repository::Verified& verified) {
  sum_.packs += verified.packs;
  sum_.blobs += verified.blobs;
  sum_.bytes += verified.bytes;
  sum_.bad_packs += verified.bad_packs;
  sum_.left_packs += verified.left_packs;
  sum_.left_bytes += verified.left_bytes;
  sum_.newly_wanted += verified.newly_wanted;
  sum_.healed += verified.healed;
  sum_.mended += verified.mended;
  sum_.is_short = sum_.is_short || verified.is_short;
  for (const std::string& finding : verified.findings) {
    parts_.log->error("verify.damage", {{"account", held.account}, {"finding", finding}});
    if (findings_.size() < kMostTold)
      findings_.push_back({{"account", held.account}, {"finding", finding}});
  }
  for (const std::string& note : verified.notes)
    if (notes_.size() < kMostTold) notes_.push_back({{"account", held.account}, {"note", note}});
}

Result<JobResult> Verifying::result() {
  const auto count = [](uint64_t number, const char* what) {
    return std::to_string(number) + " " + what;
  };
  JobResult result;
  result.is_short = sum_.is_short;
  result.summary =
      call_.dry_run
          ? "would read " + count(sum_.left_packs, "packs, ") + format_size(sum_.left_bytes)
          : "read " + count(sum_.packs, "packs, ") + format_size(sum_.bytes) + ": " +
                (findings_.empty() ? std::string("all whole")
                                   : count(findings_.size(), "findings"));
  if (sum_.healed > 0) result.summary += ", " + count(sum_.healed, "blobs healed");
  if (sum_.mended > 0) result.summary += ", " + count(sum_.mended, "records written anew");
  if (wanted_ > 0)
    result.summary += ", " + count(wanted_, "damaged blobs wait for a backup to send them again");
  result.detail = {{"repositories", repositories_},
                   {"packs", sum_.packs},
                   {"blobs", sum_.blobs},
                   {"bytes", sum_.bytes},
                   {"bad_packs", sum_.bad_packs},
                   {"left_packs", sum_.left_packs},
                   {"left_bytes", sum_.left_bytes},
                   {"newly_wanted", sum_.newly_wanted},
                   {"healed", sum_.healed},
                   {"mended", sum_.mended},
                   {"wanted", wanted_},
                   {"findings", findings_},
                   {"notes", notes_}};
  return result;
}

}  // namespace

JobKind verify_job(const JobParts& parts) {
  JobKind kind{"verify", "reads packs to see whether they are whole; what is not, is wanted again",
               [parts](const JobCall& call) { return Verifying(parts, call).run(); },
               "daily 04:00"};
  kind.writes = false;
  return kind;
}

}  // namespace cb::server
