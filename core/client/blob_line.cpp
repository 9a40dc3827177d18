// SPDX-License-Identifier: Apache-2.0
#include "core/client/blob_line.h"

#include <algorithm>

namespace cb::client {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::kIdHeadroom;

constexpr size_t kBudget = 16 * 1024 * 1024;  // plain bytes under way
constexpr size_t kMostItems = 4096;           // small nodes have overheads of their own
constexpr size_t kMostAsked = 4096;           // ids in one question
constexpr uint64_t kSample = 16;              // one data blob of so many is verified

// The piece of a blob that is there; one for all stretches of a region.
std::shared_ptr<Piece> old_piece(const std::vector<Stretch>& laid, const BlobId& blob) {
  for (const Stretch& stretch : laid)
    if (stretch.piece->id == blob) return stretch.piece;
  auto piece = std::make_shared<Piece>();
  piece->id = blob;
  piece->placed = true;
  return piece;
}

}  // namespace

BlobLine::BlobLine(const Parts& parts) : parts_(parts) {}

BlobLine::~BlobLine() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  work_.notify_all();
  asked_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BlobLine::know(const std::vector<ShortId>& ids) {
  const std::lock_guard lock(mutex_);
  for (const ShortId& id : ids) known_.insert(id);
}

Status BlobLine::begin() {
  if (!parts_.dry_run) {
    const auto put = parts_.remote->put(parts_.sealer->record());
    if (!put) return failed(put.error());
  }
  threads_.emplace_back([this] { ask(); });
  for (unsigned i = 0; i < std::max(1u, parts_.threads); ++i)
    threads_.emplace_back([this] { work(); });
  return {};
}

Status BlobLine::data(const std::shared_ptr<Piece>& piece, Bytes buffer) {
  Item item;
  item.piece = piece;
  item.buffer = std::move(buffer);
  piece->size = static_cast<uint32_t>(item.plain().size());
  return accept(std::move(item), false);
}

Status BlobLine::region(const std::shared_ptr<Piece>& piece, Bytes buffer, uint64_t offset) {
  Item item;
  item.piece = piece;
  item.buffer = std::move(buffer);
  if (parts_.fine != nullptr && !parts_.dry_run) item.offset = offset;
  piece->size = static_cast<uint32_t>(item.plain().size());
  return accept(std::move(item), false);
}

Result<BlobId> BlobLine::blob(BlobKind kind, const std::vector<BlobId>& children,
                              const Bytes& plain) {
  CB_ASSIGN(const BlobId id, parts_.keys->id_of(kind, children, plain));
  {
    const std::lock_guard lock(mutex_);
    CB_TRY(status());
    if (known_.contains(short_id(id))) {
      ++counts_.blobs_known;
      return id;
    }
  }
  Item item;
  item.kind = kind;
  item.id = id;
  item.children = children;
  item.buffer.resize(kIdHeadroom + plain.size());
  std::copy(plain.begin(), plain.end(), item.buffer.begin() + kIdHeadroom);
  CB_TRY(accept(std::move(item), true));
  return id;
}

Status BlobLine::accept(Item item, bool is_named) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return error_ || (bytes_ < kBudget && items_ < kMostItems); });
  CB_TRY(status());
  bytes_ += item.buffer.capacity();
  ++items_;
  if (is_named) {
    named(std::move(item));
    return {};
  }
  to_name_.push_back(std::move(item));
  work_.notify_one();
  return {};
}

Status BlobLine::wait_until_placed(const Piece& piece) {
  std::unique_lock lock(mutex_);
  if (patch_ && patch_->piece().get() == &piece) end_patch();
  moved_.wait(lock, [&] { return error_ || piece.placed; });
  return status();
}

Status BlobLine::drain() {
  std::unique_lock lock(mutex_);
  while (!error_ && (items_ > 0 || patch_)) {
    if (items_ == 0) end_patch();
    moved_.wait(lock, [&] { return error_ || items_ == 0; });
  }
  return status();
}

void BlobLine::stop() {
  const std::lock_guard lock(mutex_);
  fail_with(fail(Code::cancelled, "backup", "was cancelled"));
}

BlobLineCounts BlobLine::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

Status BlobLine::status() const {
  if (error_) return failed(*error_);
  return {};
}

void BlobLine::fail_with(Error error) {
  if (!error_) error_ = std::move(error);
  work_.notify_all();
  asked_.notify_all();
  moved_.notify_all();
}

// Its id is known: is the blob?
void BlobLine::named(Item item) {
  const ShortId id = short_id(item.id);
  if (item.piece) item.piece->id = item.id;
  if (const auto other = undecided_.find(id); other != undecided_.end()) {
    ++counts_.blobs_known;
    if (item.offset)
      other->second.others.push_back(item.piece);
    else
      other->second.must_be_whole = true;
    if (!item.offset) place(item);
    leave(item);
    return;
  }
  if (!known_.insert(id)) {
    ++counts_.blobs_known;
    place(item);
    leave(item);
    return;
  }
  if (item.offset)
    undecided_.try_emplace(id);
  else
    place(item);
  to_ask_.push_back(std::move(item));
  asked_.notify_one();
}

// It is a blob, or lies in parts: whoever waits for it may go on, and who has the same content.
void BlobLine::place(const Item& item) {
  if (!item.piece) return;
  item.piece->placed = true;
  if (const auto same = undecided_.find(short_id(item.id));
      item.offset && same != undecided_.end()) {
    for (const auto& other : same->second.others) {
      other->parts = item.piece->parts;
      other->placed = true;
    }
    undecided_.erase(same);
  }
  moved_.notify_all();
}

void BlobLine::leave(const Item& item) {
  bytes_ -= item.buffer.capacity();
  --items_;
  moved_.notify_all();
}

void BlobLine::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return ending_ || error_ || !to_name_.empty() || !to_send_.empty(); });
    if (ending_ || error_) return;
    const bool naming = !to_name_.empty();
    auto& queue = naming ? to_name_ : to_send_;
    Item item = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    const Status done = naming ? name(item) : send(item);
    lock.lock();
    if (!done)
      fail_with(done.error());
    else if (naming)
      named(std::move(item));
    else
      leave(item);
  }
}

Status BlobLine::name(Item& item) {
  CB_ASSIGN(item.id, parts_.keys->id_in_place(item.kind, item.children, item.buffer));
  return {};
}

Status BlobLine::send(Item& item) {
  if (parts_.dry_run) {
    const std::lock_guard lock(mutex_);
    ++counts_.blobs_new;
    counts_.bytes_sent += item.plain().size();
    return {};
  }
  if (item.offset) return send_region(item);
  CB_TRY(put_whole(item));
  return item.patch ? put_signature(parts_.fine->describe(item.id, std::move(*item.patch)))
                    : Status();
}

Status BlobLine::send_region(Item& item) {
  auto anchors = parts_.fine->anchors(item.plain());
  if (!item.is_there) {
    CB_ASSIGN(const auto parts, parts_.fine->match(item.id, item.plain(), anchors));
    {
      const std::lock_guard lock(mutex_);
      for (PatchMending::Made& made : parts_.fine->mended()) mend_patch(std::move(made));
      if (!parts.empty() && lay_out(item, parts)) return {};
      place(item);
    }
    CB_TRY(put_whole(item));
  }
  return put_signature(
      parts_.fine->describe(item.id, item.plain(), *item.offset, std::move(anchors)));
}

// False when it has to be stored as a blob after all.
bool BlobLine::lay_out(const Item& item, const std::vector<RegionPart>& parts) {
  const ShortId id = short_id(item.id);
  if (undecided_.at(id).must_be_whole) return false;
  std::vector<Stretch>& laid = item.piece->parts;
  uint64_t at = 0;
  for (const RegionPart& part : parts) {
    Stretch stretch{part.length, nullptr, part.offset};
    if (part.blob) {
      stretch.piece = old_piece(laid, *part.blob);
    } else {
      if (!patch_) patch_ = std::make_unique<Patch>();
      if (laid.empty() || laid.back().piece != patch_->piece()) patch_->note_stretch();
      stretch.piece = patch_->piece();
      stretch.offset = patch_->add(item.plain().subspan(at, part.length), part.hash);
    }
    at += part.length;
    const bool goes_on = !laid.empty() && laid.back().piece == stretch.piece &&
                         laid.back().offset + laid.back().length == stretch.offset;
    if (goes_on)
      laid.back().length += stretch.length;
    else
      laid.push_back(std::move(stretch));
    if (patch_ && patch_->is_full()) end_patch();
  }
  laid.shrink_to_fit();
  // There is no blob of this id.
  known_.erase(id);
  place(item);
  return true;
}

// Hands the patch over, past the budget: whoever waits for room waits for this.
void BlobLine::end_patch() {
  if (!patch_) return;
  Item item;
  item.piece = patch_->piece();
  item.buffer = patch_->take_buffer();
  item.patch = patch_->take_signature();
  patch_.reset();
  item.piece->size = static_cast<uint32_t>(item.plain().size());
  bytes_ += item.buffer.capacity();
  ++items_;
  to_name_.push_back(std::move(item));
  work_.notify_one();
}

// As a patch is handed over; whether it is missing is asked as of any blob.
void BlobLine::mend_patch(PatchMending::Made made) {
  Item item;
  item.piece = std::make_shared<Piece>();
  item.buffer = std::move(made.buffer);
  item.piece->size = static_cast<uint32_t>(item.plain().size());
  bytes_ += item.buffer.capacity();
  ++items_;
  to_name_.push_back(std::move(item));
  work_.notify_one();
}

Status BlobLine::put_whole(Item& item) {
  bool verify = parts_.verify == Verify::all;
  if (parts_.verify == Verify::sample) {
    const std::lock_guard lock(mutex_);
    verify = item.kind != BlobKind::data || sent_++ % kSample == 0;
  }
  CB_ASSIGN(auto sealed,
            parts_.sealer->seal(item.kind, item.id, item.children, item.plain(), verify));
  const uint64_t size = sealed.stored.size();
  const auto put = parts_.remote->put(std::move(sealed));
  if (!put) return failed(put.error());
  const std::lock_guard lock(mutex_);
  ++counts_.blobs_new;
  counts_.bytes_sent += size;
  if (item.kind != repository::BlobKind::data) return {};
  counts_.data_plain += item.plain().size();
  counts_.data_stored += size;
  return {};
}

// Puts the signature of a data blob that was put.
Status BlobLine::put_signature(Result<repository::StoredBlob> signature) {
  if (!signature) return failed(std::move(signature).error());
  const uint64_t size = signature->stored.size();
  const auto put = parts_.remote->put(std::move(*signature));
  if (!put) return failed(put.error());
  const std::lock_guard lock(mutex_);
  counts_.bytes_sent += size;
  return {};
}

// Which of the regions that are there the fine grain knows nothing of: they came from a run that
// was cut off, or from elsewhere.
Result<std::vector<bool>> BlobLine::undescribed(const std::vector<Item>& items,
                                                const std::vector<bool>& there) {
  if (there.size() != items.size())
    return failed(Code::corrupt, "server", "answered for another number of blobs");
  std::vector<bool> lacking(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    if (!there[i] || !items[i].offset) continue;
    CB_ASSIGN(const bool lacks, parts_.fine->lacks(items[i].id));
    lacking[i] = lacks;
  }
  return lacking;
}

// With the mutex held.
void BlobLine::answered(Item item, bool is_there, bool lacks_signature) {
  if (is_there) {
    ++counts_.blobs_known;
    place(item);
    item.is_there = true;
  }
  if (is_there && !lacks_signature)
    leave(item);
  else
    to_send_.push_back(std::move(item));
}

// One question at a time: what comes in meanwhile makes up the next one.
void BlobLine::ask() {
  std::unique_lock lock(mutex_);
  while (true) {
    asked_.wait(lock, [&] { return ending_ || error_ || !to_ask_.empty(); });
    if (ending_ || error_) return;
    std::vector<Item> items;
    std::vector<BlobId> ids;
    while (!to_ask_.empty() && ids.size() < kMostAsked) {
      ids.push_back(to_ask_.front().id);
      items.push_back(std::move(to_ask_.front()));
      to_ask_.pop_front();
    }
    lock.unlock();
    const auto there = parts_.remote->have(ids);
    const auto lacking = there ? undescribed(items, *there) : failed(there.error());
    lock.lock();
    if (!lacking) return fail_with(lacking.error());
    for (size_t i = 0; i < items.size(); ++i)
      answered(std::move(items[i]), (*there)[i], (*lacking)[i]);
    work_.notify_all();
  }
}

}  // namespace cb::client
