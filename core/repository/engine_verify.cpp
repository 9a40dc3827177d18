// SPDX-License-Identifier: Apache-2.0
//
// One run of verification. What is found damaged is condemned in its domain, so that nobody leans
// on it and a client sends it again, and put down as wanted.
#include "core/repository/engine_verify.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/repository/engine_mend.h"
#include "core/repository/engine_records.h"
#include "core/repository/intake.h"
#include "core/repository/pack_look.h"

namespace cb::repository {
namespace {

constexpr size_t kBatchOfPacks = 256;
constexpr size_t kMostTold = 1000;

const char* name_of_kind(uint8_t kind) {
  switch (static_cast<BlobKind>(kind)) {
    case BlobKind::data:
      return "data";
    case BlobKind::signature:
      return "signature";
    case BlobKind::recipe:
      return "recipe";
    case BlobKind::node:
      return "node";
    case BlobKind::snapshot:
      return "snapshot";
    case BlobKind::session:
      return "session record";
  }
  return "unknown";
}

class VerifyRun {
 public:
  VerifyRun(const std::shared_ptr<EngineParts>& engine, std::shared_ptr<CommitChain> chain,
            const VerifyOptions& options, const Engine::CheckProgress& progress)
      : shared_(engine),
        engine_(*engine),
        chain_(std::move(chain)),
        options_(options),
        progress_(progress),
        rows_(engine->parts.catalog->verification()),
        began_(engine->parts.clock->monotonic()),
        before_ns_((engine->parts.clock->wall() - options.max_age).count()) {}

  Result<Verified> run() {
    CB_ASSIGN(done_.healed, rows_.drop_settled(chain_->number()));
    CB_ASSIGN(due_, rows_.due(chain_->number(), before_ns_));
    if (!options_.dry_run) {
      CB_TRY(mend_lost_records());
      CB_TRY(find_missing());
      CB_TRY(read_bad());
      CB_TRY(read_old());
      CB_TRY(tell_strange());
    }
    CB_ASSIGN(const catalog::DuePacks left, rows_.due(chain_->number(), before_ns_));
    done_.left_packs = left.packs;
    done_.left_bytes = left.bytes;
    return std::move(done_);
  }

 private:
  using Rows = std::vector<catalog::PackBlob>;
  using InDomains = std::map<int64_t, std::vector<catalog::Bytes32>>;
  struct Verdict {
    InDomains bad;
    InDomains whole_again;
  };

  [[nodiscard]] std::string object_of(const catalog::VerifiedPack& pack) const {
    return pack_object(chain_->id(), PackName{pack.name});
  }
  void find(const std::string& object, const std::string& what) {
    if (done_.findings.size() < kMostTold) done_.findings.push_back(object + " " + what);
  }
  void note(const std::string& object, const std::string& what) {
    if (done_.notes.size() < kMostTold) done_.notes.push_back(object + " " + what);
  }

  Status mend_lost_records();
  Result<std::vector<PackName>> stored_packs();
  Status find_missing();
  Status read_bad();
  Status read_old();
  Status tell_strange();
  Result<bool> may_go_on(const catalog::VerifiedPack& pack);
  bool is_drawn();
  Status verify(const catalog::VerifiedPack& pack);
  Status is_damaged_alone(const Error& why);
  Result<PackLook> look_again_at(const catalog::VerifiedPack& pack, const Rows& rows);
  Result<bool> judge(const catalog::VerifiedPack& pack, const Rows& rows, const PackLook& look);
  Verdict verdict_of(const std::string& object, const Rows& rows, const PackLook& look);
  bool tell_frame(const std::string& object, const PackLook& look, bool has_bad_blobs);
  Status quarantine(int64_t domain, const std::vector<catalog::Bytes32>& ids);
  Status mend(int64_t domain, const std::vector<catalog::Bytes32>& ids);

  std::shared_ptr<EngineParts> shared_;
  EngineParts& engine_;
  std::shared_ptr<CommitChain> chain_;
  const VerifyOptions& options_;
  const Engine::CheckProgress& progress_;
  catalog::Verification& rows_;
  const std::chrono::nanoseconds began_;
  const int64_t before_ns_;
  catalog::DuePacks due_;
  std::vector<PackName> strange_;  // objects that are no pack of everybody's
  std::set<int64_t> seen_;         // bad packs that were looked at
  Verified done_;
};

// What the catalog has of them is as good, and would be lost with it.
Status VerifyRun::mend_lost_records() {
  return mend_records(engine_, *chain_, [this](const std::string& object, const std::string& what) {
    find(object, what + ", and was written anew from the catalog");
    ++done_.mended;
  });
}

// By name.
Result<std::vector<PackName>> VerifyRun::stored_packs() {
  std::vector<PackName> there;
  CB_ASSIGN(plugin::List list, engine_.parts.store->list_open(pack_prefix(chain_->id())));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) break;
    const auto name = id_in<PackName>(object->name);
    if (name && object->name == pack_object(chain_->id(), *name)) there.push_back(*name);
  }
  std::sort(there.begin(), there.end());
  return there;
}

// A pack that is no more is told at once, however new it is: one list of the store shows it. What
// comes or goes meanwhile is looked at once more.
Status VerifyRun::find_missing() {
  CB_ASSIGN(const std::vector<PackName> there, stored_packs());
  std::vector<PackName> known;
  for (int64_t after = 0;;) {
    CB_ASSIGN(const auto packs, rows_.all_packs(chain_->number(), after, kBatchOfPacks));
    for (const catalog::VerifiedPack& pack : packs) {
      after = pack.number;
      known.push_back(PackName{pack.name});
      if (!std::binary_search(there.begin(), there.end(), known.back())) CB_TRY(verify(pack));
    }
    if (packs.size() < kBatchOfPacks) break;
  }
  std::sort(known.begin(), known.end());
  std::set_difference(there.begin(), there.end(), known.begin(), known.end(),
                      std::back_inserter(strange_));
  return {};
}

// An upload's pack lies in the store before it has a row.
Status VerifyRun::tell_strange() {
  for (const PackName& name : strange_) {
    CB_ASSIGN(const bool has_row, engine_.index().knows_pack(chain_->number(), name.bytes));
    if (has_row || !engine_.parts.store->stat(pack_object(chain_->id(), name))) continue;
    note(pack_object(chain_->id(), name),
         "is not in the index: an upload brings it, or a crash left it for the next start");
  }
  return {};
}

Status VerifyRun::read_bad() {
  for (int64_t after = 0;;) {
    CB_ASSIGN(const auto packs, rows_.bad_packs(chain_->number(), after, kBatchOfPacks));
    for (const catalog::VerifiedPack& pack : packs) {
      after = pack.number;
      if (seen_.contains(pack.number)) continue;
      CB_ASSIGN(const bool goes_on, may_go_on(pack));
      if (!goes_on) return {};
      CB_TRY(verify(pack));
    }
    if (packs.size() < kBatchOfPacks) return {};
  }
}

Status VerifyRun::read_old() {
  std::optional<catalog::VerifiedPack> last;
  while (!done_.is_short) {
    CB_ASSIGN(const auto packs, rows_.old_packs(chain_->number(), before_ns_, last, kBatchOfPacks));
    for (const catalog::VerifiedPack& pack : packs) {
      last = pack;
      if (!is_drawn()) continue;
      CB_ASSIGN(const bool goes_on, may_go_on(pack));
      if (!goes_on) return {};
      CB_TRY(verify(pack));
    }
    if (packs.size() < kBatchOfPacks) return {};
  }
  return {};
}

bool VerifyRun::is_drawn() {
  if (options_.share >= 100) return true;
  std::array<std::byte, 2> drawn{};
  if (!engine_.parts.random->fill(drawn)) return true;
  return load_le<uint16_t>(drawn.data()) % 100 < options_.share;
}

// False when a limit is reached.
Result<bool> VerifyRun::may_go_on(const catalog::VerifiedPack& pack) {
  if (progress_ && !progress_(done_.bytes, std::max(due_.bytes, done_.bytes)))
    return failed(Code::cancelled, "verification", "was stopped");
  if (done_.packs == 0) return true;
  const bool is_too_much = options_.most_bytes > 0 && done_.bytes + pack.size > options_.most_bytes;
  const bool is_too_long = options_.most_time.count() > 0 &&
                           engine_.parts.clock->monotonic() - began_ >= options_.most_time;
  done_.is_short = is_too_much || is_too_long;
  return !done_.is_short;
}

// A disk that lost a part of itself still reads the rest; a store that is away reads nothing, and
// that is no damage.
Status VerifyRun::is_damaged_alone(const Error& why) {
  if (why.code != Code::io && why.code != Code::corrupt) return failed(why);
  const auto other =
      read_object(*engine_.parts.store, record_object(chain_->id()), kMostRecordBytes);
  return other ? Status() : failed(why);
}

// What cannot be read may pass, and whose copies are called damaged for it may have no other.
Result<PackLook> VerifyRun::look_again_at(const catalog::VerifiedPack& pack, const Rows& rows) {
  constexpr int kTries = 3;
  for (int tries = 1;; ++tries) {
    auto look = look_at_pack(*engine_.parts.store, chain_->id(), pack, rows);
    if (look || look.error().code != Code::io || tries == kTries) return look;
  }
}

// A compaction must not move the rows meanwhile.
Status VerifyRun::verify(const catalog::VerifiedPack& pack) {
  const std::lock_guard upkeep(chain_->upkeep_mutex);
  CB_ASSIGN(const Rows rows, rows_.blobs(pack.number));
  auto look = look_again_at(pack, rows);
  if (!look) {
    CB_TRY(is_damaged_alone(look.error()));
    find(object_of(pack), "cannot be read: " + look.error().cause);
    look = PackLook{};
    look->is_unread = true;
    look->good.resize(rows.size());
  }
  CB_ASSIGN(const bool is_bad, judge(pack, rows, *look));
  ++done_.packs;
  done_.blobs += rows.size();
  done_.bytes += pack.size;
  if (is_bad) {
    ++done_.bad_packs;
    seen_.insert(pack.number);
  }
  return rows_.set_verified(pack.number, is_bad, engine_.parts.clock->wall().count());
}

// Is the pack bad?
Result<bool> VerifyRun::judge(const catalog::VerifiedPack& pack, const Rows& rows,
                              const PackLook& look) {
  const std::string object = object_of(pack);
  if (look.is_gone) {
    CB_ASSIGN(const bool is_known, engine_.index().knows_pack(chain_->number(), pack.name));
    if (!is_known) return false;  // it was just removed
    if (rows.empty()) {
      note(object, "is not in the store, and nothing needs it");
      return false;
    }
    find(object, "is not in the store");
  }
  const Verdict verdict = verdict_of(object, rows, look);
  for (const auto& [domain, ids] : verdict.bad) CB_TRY(quarantine(domain, ids));
  for (const auto& [domain, ids] : verdict.bad) CB_TRY(mend(domain, ids));
  for (const auto& [domain, ids] : verdict.whole_again) {
    CB_ASSIGN(const uint64_t absolved, rows_.absolve(chain_->number(), domain, ids));
    done_.healed += absolved;
  }
  const bool is_frame_bad = tell_frame(object, look, !verdict.bad.empty());
  return look.is_gone || look.is_unread || !verdict.bad.empty() || is_frame_bad;
}

// What a collection condemned, or an owner, may be damaged as it likes. Weak blobs are put down as
// wanted, too, so that they come back with a disk that does; nobody is asked for them.
VerifyRun::Verdict VerifyRun::verdict_of(const std::string& object, const Rows& rows,
                                         const PackLook& look) {
  Verdict verdict;
  for (size_t i = 0; i < rows.size(); ++i) {
    const catalog::PackBlob& row = rows[i];
    if (look.good[i] && row.is_wanted) verdict.whole_again[row.domain].push_back(row.blob.id);
    if (look.good[i] || (row.is_condemned && !row.is_wanted)) continue;
    verdict.bad[row.domain].push_back(row.blob.id);
    const bool is_asked_for = !is_weak(static_cast<BlobKind>(row.blob.kind));
    if (!row.is_wanted && is_asked_for) ++done_.newly_wanted;
    if (!look.is_gone && !look.is_unread)
      find(object, "has a damaged blob " + BlobId{row.blob.id}.hex() + " (" +
                       name_of_kind(row.blob.kind) + ")");
  }
  return verdict;
}

// Is the pack's frame damaged by itself? Damage to a blob spoils the digest, too.
bool VerifyRun::tell_frame(const std::string& object, const PackLook& look, bool has_bad_blobs) {
  const bool is_explained = look.has_damaged_garbage || has_bad_blobs;
  for (const SessionId& session : look.lost_records)
    find(object, "has a damaged record of session " + session.hex());
  for (const std::string& damage : look.damage) {
    if (is_explained)
      note(object, damage);
    else
      find(object, damage);
  }
  return !look.lost_records.empty() || (!is_explained && !look.damage.empty());
}

// Not while a commit looks at what is there.
Status VerifyRun::quarantine(int64_t domain, const std::vector<catalog::Bytes32>& ids) {
  const std::lock_guard lock(chain_->mutex);
  const int64_t now = engine_.parts.clock->wall().count();
  CB_TRY(rows_.want(chain_->number(), domain, ids, now));
  return engine_.index().condemn(chain_->number(), domain, ids);
}

// Session records the server can put anew itself.
Status VerifyRun::mend(int64_t domain, const std::vector<catalog::Bytes32>& ids) {
  for (const catalog::Bytes32& id : ids) {
    const auto session = session_of(BlobId{id});
    if (!session) continue;
    const Status mended = mend_session(shared_, chain_, domain, *session);
    if (mended) {
      note("session " + session->hex(), "has its record in a new pack");
      continue;
    }
    if (mended.error().code == Code::cancelled) return mended;
    find("session " + session->hex(), "has lost its record: " + mended.error().cause);
  }
  return {};
}

}  // namespace

Status mend_session(const std::shared_ptr<EngineParts>& engine,
                    const std::shared_ptr<CommitChain>& chain, int64_t domain,
                    const SessionId& session) {
  CB_ASSIGN(const auto record, engine->index().session(chain->number(), 0, session.bytes));
  if (!record)
    return failed(Code::not_found, "session " + session.hex(), "is not in the catalog either");
  CB_ASSIGN(const auto device, engine->index().device_of(domain));
  PackIntake intake(engine, chain, device ? DeviceId{*device} : DeviceId(), domain, false,
                    nullptr);  // a record that is lost is mended whatever its device may store
  BlobHead head;
  head.id = blob_of(session);
  head.kind = BlobKind::session;
  head.stored_size = static_cast<uint32_t>(record->size());
  CB_TRY(intake.begin(head));
  CB_TRY(intake.content(*record));
  CB_TRY(intake.end());
  return intake.flush();
}

Result<Verified> verify_packs(const std::shared_ptr<EngineParts>& engine,
                              const std::shared_ptr<CommitChain>& chain,
                              const VerifyOptions& options, const Engine::CheckProgress& progress) {
  return VerifyRun(engine, chain, options, progress).run();
}

Result<WantedPage> list_wanted(EngineParts& engine, const CommitChain& chain, const Viewer& viewer,
                               const BlobId& after, size_t most) {
  CB_ASSIGN(const int64_t domain, engine.domain_of(chain, viewer));
  CB_ASSIGN(const auto rows, engine.parts.catalog->verification().wanted(chain.number(), {domain},
                                                                         after.bytes, most));
  WantedPage page;
  for (const catalog::WantedBlob& row : rows)
    page.blobs.push_back({BlobId{row.id}, static_cast<BlobKind>(row.kind)});
  page.last = rows.size() < most;
  return page;
}

}  // namespace cb::repository
