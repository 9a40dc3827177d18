// SPDX-License-Identifier: Apache-2.0
#include "core/client/blob_line.h"

#include <algorithm>

namespace cb::client {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::kIdHeadroom;

constexpr size_t kBudget = 24 * 1024 * 1024;  // plain bytes under way
constexpr size_t kMostItems = 4096;           // small nodes have overheads of their own
constexpr size_t kMostAsked = 4096;           // ids in one question
constexpr uint64_t kSample = 16;              // one data blob of so many is verified

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
  bytes_ += item.buffer.size();
  ++items_;
  if (is_named) {
    named(std::move(item));
    return {};
  }
  to_name_.push_back(std::move(item));
  work_.notify_one();
  return {};
}

Status BlobLine::wait_until_named(const Piece& piece) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return error_ || piece.named; });
  return status();
}

Status BlobLine::drain() {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return error_ || items_ == 0; });
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
  if (item.piece) {
    item.piece->id = item.id;
    item.piece->named = true;
  }
  if (known_.insert(short_id(item.id))) {
    to_ask_.push_back(std::move(item));
    asked_.notify_one();
  } else {
    ++counts_.blobs_known;
    leave(item);
  }
  moved_.notify_all();
}

void BlobLine::leave(const Item& item) {
  bytes_ -= item.buffer.size();
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

Status BlobLine::send(const Item& item) {
  if (parts_.dry_run) {
    const std::lock_guard lock(mutex_);
    ++counts_.blobs_new;
    counts_.bytes_sent += item.plain().size();
    return {};
  }
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
    lock.lock();
    if (!there) return fail_with(there.error());
    if (there->size() != items.size())
      return fail_with(fail(Code::corrupt, "server", "answered for another number of blobs"));
    for (size_t i = 0; i < items.size(); ++i) {
      if ((*there)[i]) {
        ++counts_.blobs_known;
        leave(items[i]);
      } else {
        to_send_.push_back(std::move(items[i]));
      }
    }
    work_.notify_all();
  }
}

}  // namespace cb::client
