// SPDX-License-Identifier: Apache-2.0
//
// See intake.h.
#include "core/repository/intake.h"

#include "core/base/trial.h"

#include <algorithm>

namespace cb::repository {
namespace {

// So many runs of blobs are told apart in counting the durable ones.
constexpr size_t kMostRuns = 256;
// Bytes of a commit record beside its tags, with room to spare.
constexpr uint64_t kMostCommitSize = 512;

bool contains(const InFlight::Packs& packs, const InFlight::PackPtr& pack) {
  return std::find(packs.begin(), packs.end(), pack) != packs.end();
}

}  // namespace

PackIntake::~PackIntake() {
  // What fails here was never told to be durable.
  if (is_private_)
    static_cast<void>(drop());
  else if (!broken_)
    static_cast<void>(flush());
  for (OpenPack& pack : packs_) abandon(pack);
}

Status PackIntake::usable() const {
  if (broken_) return failed(*broken_);
  if (dropped_) return failed(Code::state, "intake", "was dropped");
  return {};
}

// Keeps an error that leaves a pack in an unknown state; nobody waits for such a pack.
template <typename T>
T PackIntake::noted(T result) {
  if (!result && !broken_) {
    broken_ = result.error();
    for (const OpenPack& pack : packs_)
      if (pack.place) in_flight_->abandon(pack.place);
  }
  return result;
}

bool PackIntake::Run::is_durable() const {
  const auto is_done = [](const InFlight::PackPtr& pack) {
    return pack->state() == InFlight::Pack::State::durable;
  };
  return std::all_of(mine.begin(), mine.end(), is_done) &&
         std::all_of(others.begin(), others.end(), [&](const InFlight::PackPtr& pack) {
           return is_done(pack) && !pack->is_spoilt();
         });
}

Result<int64_t> PackIntake::owner() {
  if (is_private_ && owner_ == 0) {
    CB_ASSIGN(owner_, engine_->index().new_intake(chain_->number()));
  }
  return owner_;
}

// A weak blob of this id, which whoever shares the domain can make up, does not count for another.
Result<bool> PackIntake::is_stored(const BlobHead& head) const {
  const std::array<catalog::Bytes32, 1> one = {head.id.bytes};
  CB_ASSIGN(const auto there,
            engine_->index().have(chain_->number(), view(), one, is_weak(head.kind)));
  return there[0];
}

bool PackIntake::is_mine(const InFlight::PackPtr& place) const {
  return place == packs_[0].place || place == packs_[1].place;
}

void PackIntake::lean_on(const InFlight::PackPtr& place) {
  if (contains(others_, place)) return;
  std::erase_if(others_, InFlight::is_over);
  others_.push_back(place);
}

Status PackIntake::open(OpenPack& pack, PackClass kind) {
  if (pack.writer) return {};
  PackHeader header{kind, chain_->id(), {}};
  if (domain_ == catalog::kSharedDomain) header.domain = PackDomain::shared;
  if (domain_ < catalog::kSharedDomain) {
    header.domain = PackDomain::device;
    header.device = tag_of(device_);
  }
  CB_TRY(engine_->parts.random->fill(header.name.bytes));
  CB_ASSIGN(pack.writer, PackWriter::begin(*engine_->parts.store, header));
  pack.begun = engine_->parts.clock->monotonic();
  return {};
}

Status PackIntake::begin_new(OpenBlob& blob) {
  CB_TRY(open(*blob.pack, class_of(blob.head.kind)));
  CB_TRY(put_session(*blob.pack, blob.head.session));
  return blob.pack->writer->begin_blob(blob.head);
}

// Nobody else had it when it was claimed. The index was asked before: it must be asked again if a
// pack became durable in between.
Status PackIntake::begin_claimed(OpenBlob& blob, uint64_t generation) {
  if (in_flight_->generation() != generation) {
    CB_ASSIGN(const bool stored, is_stored(blob.head));
    if (stored) {
      in_flight_->release(blob.head.id, blob.place);
      blob.pack = nullptr;
      blob.place = nullptr;
      return {};
    }
  }
  CB_TRY(set_aside(blob));
  return noted(begin_new(blob));
}

// Room in the store, and in what the device may have, for all that the blob can make its pack grow
// by. Before anything is written, so that a refusal leaves the pack as it was.
Status PackIntake::set_aside(const OpenBlob& blob) {
  const size_t children = blob.head.children.size();
  if (!stores_) CB_TRY(engine_->space.may_begin());
  CB_TRY(engine_->space.take(packed_size(children, blob.head.stored_size)));
  OpenPack& pack = *blob.pack;
  uint64_t bytes = most_packed_size(children, blob.head.stored_size);
  if (!pack.writer) {
    pack.quota = QuotaShare(quota_, quota_key());
    bytes += kPackHeaderSize + kPackEndSize;
  }
  const SessionId& session = blob.head.session;
  if (!session.is_zero() && !pack.sessions.contains(session))
    bytes += most_packed_size(0, sessions_.at(session).size());
  CB_TRY(pack.quota.take(bytes));
  stores_ = true;
  return {};
}

// Decides where the blob goes: nowhere, to another's pack, or to one that it begins in.
Status PackIntake::place(OpenBlob& blob) {
  const uint64_t generation = in_flight_->generation();
  CB_ASSIGN(const bool stored, is_stored(blob.head));
  if (stored) return {};
  OpenPack& pack = packs_[class_of(blob.head.kind) == PackClass::data ? 0 : 1];
  if (!pack.place) pack.place = std::make_shared<InFlight::Pack>(domain_);
  const InFlight::Claim claim = in_flight_->claim(blob.head.id, pack.place);
  blob.place = claim.pack;
  // Blobs here name the session, so its record must be here.
  const bool must_be_here = blob.head.kind == BlobKind::session && !is_mine(claim.pack);
  if (!claim.is_new && !must_be_here) {
    if (!is_mine(claim.pack)) lean_on(claim.pack);
    return {};
  }
  blob.place = pack.place;
  blob.pack = &pack;
  Status begun = begin_claimed(blob, generation);
  if (!begun) in_flight_->release(blob.head.id, pack.place);
  return begun;
}

Status PackIntake::begin(const BlobHead& head) {
  CB_TRY(usable());
  if (blob_) return failed(Code::state, "intake", "has a blob that is not ended");
  CB_TRY(check_head(head));
  CB_TRY(learn_session(head.session));
  OpenBlob blob;
  blob.head = head;
  CB_TRY(place(blob));
  blob_ = std::move(blob);
  return {};
}

Status PackIntake::content(ByteView stored) {
  CB_TRY(usable());
  if (!blob_) return failed(Code::state, "intake", "has no blob for this content");
  if (stored.size() > blob_->head.stored_size - blob_->taken) {
    const BlobId id = blob_->head.id;
    cut();
    return failed(Code::invalid, "blob " + id.hex(), "has more bytes than were announced");
  }
  blob_->taken += stored.size();
  if (blob_->head.kind == BlobKind::session)
    blob_->record.insert(blob_->record.end(), stored.begin(), stored.end());
  if (blob_->pack == nullptr) return {};
  return noted(blob_->pack->writer->content(stored));
}

Status PackIntake::end_new(OpenBlob& blob) {
  CB_TRY(noted(blob.pack->writer->end_blob()));
  blob.pack->children += blob.head.children.size();
  if (blob.head.kind == BlobKind::session) keep_session(blob);
  return {};
}

Status PackIntake::end() {
  CB_TRY(usable());
  if (!blob_) return failed(Code::state, "intake", "has no blob to end");
  Status right;
  if (blob_->taken != blob_->head.stored_size)
    right = failed(Code::invalid, "blob " + blob_->head.id.hex(), "has fewer bytes than announced");
  else if (blob_->head.kind == BlobKind::session)
    right = check_session(blob_->head.id, blob_->record);
  if (!right) {
    cut();
    return right;
  }
  OpenBlob blob = std::move(*blob_);
  blob_.reset();
  if (blob.pack != nullptr) CB_TRY(end_new(blob));
  ended(blob.place);
  for (OpenPack& pack : packs_) {
    const bool is_wanted = pack.place && pack.place->is_wanted();
    if (is_wanted || (&pack == blob.pack && is_full(pack))) CB_TRY(noted(close(pack)));
  }
  return {};
}

void PackIntake::cut() {
  if (!blob_) return;
  if (blob_->pack != nullptr) {
    in_flight_->release(blob_->head.id, blob_->place);
    static_cast<void>(noted(blob_->pack->writer->cut()));
  }
  blob_.reset();
}

Result<std::vector<bool>> PackIntake::have(std::span<const BlobId> ids) {
  CB_TRY(usable());
  // In this order: a pack that becomes durable leaves the one when it is in the other.
  const InFlight::Packs packs = in_flight_->find(domain_, ids);
  CB_ASSIGN(auto there, engine_->index().have(chain_->number(), view(), bytes_of(ids), false));
  for (size_t i = 0; i < ids.size(); ++i) {
    if (there[i] || !packs[i]) continue;
    there[i] = is_mine(packs[i]) || !packs[i]->is_given_up();
    if (there[i] && !is_mine(packs[i])) lean_on(packs[i]);
  }
  return there;
}

bool PackIntake::is_full(const OpenPack& pack) const {
  const EngineLimits& limits = engine_->parts.limits;
  const bool holds_data = pack.writer->header().kind == PackClass::data;
  return pack.writer->size() >= (holds_data ? limits.data_pack : limits.node_pack) ||
         pack.sessions.size() >= kMostSessions / 4 ||
         pack.writer->blobs().size() >= kMostPackBlobs || pack.children >= kMostPackChildren;
}

void PackIntake::ended(const InFlight::PackPtr& place) {
  const bool has_room = order_.size() < kMostRuns;
  const auto packs_of = [&](Run& run) -> InFlight::Packs& {
    return !place || is_mine(place) ? run.mine : run.others;
  };
  const bool is_same = !order_.empty() && (!place || contains(packs_of(order_.back()), place));
  if (order_.empty() || (!is_same && has_room)) order_.emplace_back();
  Run& run = order_.back();
  if (place && !contains(packs_of(run), place)) packs_of(run).push_back(place);
  ++run.blobs;
  count_durable();
}

void PackIntake::count_durable() {
  for (; !order_.empty() && order_.front().is_durable(); order_.pop_front())
    durable_ += order_.front().blobs;
}

Status PackIntake::add_rows(const OpenPack& pack) {
  const PackWriter& writer = *pack.writer;
  catalog::PackRow row;
  CB_ASSIGN(row.owner, owner());
  row.domain = is_private_ ? row.owner : domain_;
  row.device = device_.bytes;
  row.name = writer.header().name.bytes;
  row.pack_class = static_cast<uint8_t>(writer.header().kind);
  row.size = writer.size();
  row.digest = writer.digest();
  row.created_ns = engine_->parts.clock->wall().count();
  std::vector<catalog::BlobRow> blobs;
  blobs.reserve(writer.blobs().size());
  for (const PackedBlob& blob : writer.blobs()) blobs.push_back(row_of(blob));
  std::vector<catalog::SessionRow> sessions;
  for (const SessionId& session : pack.sessions)
    sessions.push_back({session.bytes, sessions_.at(session)});
  return engine_->index().add_pack(chain_->number(), row, blobs, sessions);
}

Status PackIntake::close(OpenPack& pack) {
  if (!pack.writer || pack.writer->blobs().empty()) {
    abandon(pack);  // only a blob that was cut, or not even that
    return {};
  }
  CB_TRY(pack.writer->finish());
  trial::passed("pack.written");
  {
    const std::shared_lock lock(chain_->epoch_mutex);
    CB_TRY(check_epochs(pack));
    CB_TRY(add_rows(pack));
  }
  trial::passed("pack.indexed");
  in_flight_->durable(pack.place);
  stored_ += pack.writer->size();
  pack.quota.keep(pack.writer->size());
  pack = {};
  count_durable();
  return {};
}

void PackIntake::abandon(OpenPack& pack) {
  if (pack.place) in_flight_->abandon(pack.place);
  pack = {};
}

Status PackIntake::flush() {
  CB_TRY(usable());
  if (blob_) return failed(Code::state, "intake", "has a blob that is not ended");
  // Children lie in data packs: those first.
  for (OpenPack& pack : packs_) CB_TRY(noted(close(pack)));
  return {};
}

Status PackIntake::close_old() {
  CB_TRY(usable());
  const auto now = engine_->parts.clock->monotonic();
  for (OpenPack& pack : packs_) {
    const bool in_use = blob_ && blob_->pack == &pack;
    const bool is_old = pack.writer && now - pack.begun >= engine_->parts.limits.pack_age;
    const bool is_wanted = pack.place && pack.place->is_wanted();
    if (!in_use && (is_old || is_wanted)) CB_TRY(noted(close(pack)));
  }
  count_durable();
  return {};
}

bool PackIntake::is_wanted() const {
  return std::any_of(packs_.begin(), packs_.end(),
                     [](const OpenPack& pack) { return pack.place && pack.place->is_wanted(); });
}

bool PackIntake::settle(std::chrono::nanoseconds patience) {
  std::erase_if(others_, InFlight::is_over);
  if (!others_.empty()) in_flight_->wait(others_, patience);
  std::erase_if(others_, InFlight::is_over);
  count_durable();
  return others_.empty();
}

Result<CommitAnswer> PackIntake::commit(const CommitRequest& request) {
  CB_TRY(flush());
  QuotaShare record(quota_, quota_key());
  CB_TRY(record.take(kMostCommitSize + request.tags.size() * KeyedHash::kSize));
  auto committed = engine_->commit(*chain_, request, device_, view().domain, stored_);
  // The store may have kept a record whose writing it called failed; then what it names must stay
  // until the record is found.
  if (!committed && engine_->may_have_record(*chain_)) owner_ = 0;
  CB_ASSIGN(CommitAnswer answer, std::move(committed));
  record.keep(answer.receipt.size());
  // Nothing is private any more, unless the answer was given before: then it is not needed. What
  // comes now is private anew.
  if (answer.missing.empty())
    static_cast<void>(remove_private());
  else
    in_flight_->give_up(std::exchange(others_, {}));
  return answer;
}

Status PackIntake::drop() {
  blob_.reset();
  for (OpenPack& pack : packs_) abandon(pack);
  order_.clear();
  dropped_ = true;
  return remove_private();
}

Status PackIntake::remove_private() {
  if (owner_ == 0) return {};
  const int64_t mine = std::exchange(owner_, 0);
  CB_ASSIGN(const auto names, engine_->index().drop_intake(mine));
  for (const catalog::Bytes16& name : names) {
    const Status gone = engine_->parts.store->remove(pack_object(chain_->id(), PackName{name}));
    if (!gone && gone.error().code != Code::not_found) return gone;
  }
  return {};
}

}  // namespace cb::repository
