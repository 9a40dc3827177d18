// SPDX-License-Identifier: Apache-2.0
//
// `history` has the 32 bytes of SHA-256 of each record, in order: it only grows. `chain` has the
// rest and is replaced; what `history` has past its head does not count. `receipt` is the newest
// record that came as an answer. What cannot be written is known to this process alone, and no
// reason to stop: whoever only reads must get on with a disk that is full.
#include <sys/file.h>

#include <algorithm>
#include <utility>

#include "core/base/trial.h"
#include "core/client/receipts.h"

namespace cb::client {

using repository::CommitHash;

namespace {

constexpr const char* kChain = "chain";
constexpr const char* kHistory = "history";
constexpr const char* kReceipt = "receipt";
constexpr uint64_t kLongestChain = 1 << 30;
constexpr uint64_t kLongestReceipt = 1 << 20;
constexpr const char* kForget =
    "delete the file; a server that was set back is then not noticed this once";

}  // namespace

// --- reading -------------------------------------------------------------------------------------

Status Receipts::load() {
  if (loaded_) return {};
  const os::Path path = folder_ / kChain;
  const auto bytes = os::read_file(files_, path, kLongestChain);
  if (!bytes && bytes.error().code != Code::not_found) return failed(bytes.error());
  ReceiptBook book;
  if (bytes) {
    auto decoded = decode_receipt_book(*bytes);
    if (!decoded)
      return failed(decoded.error().code, path.string(), decoded.error().cause, kForget);
    book = std::move(*decoded);
  }
  // What is left of an earlier enrolment says nothing about this repository.
  has_server_ = bytes.has_value() && book.repository == repository_;
  book_ = has_server_ ? std::move(book) : ReceiptBook{};
  book_.repository = repository_;
  CB_ASSIGN(receipt_, receipt_on_disk());
  if (book_.head.sequence > 0) {
    CB_ASSIGN(const auto history, open_history());
    history_is_whole_ = false;
    if (history) {
      CB_ASSIGN(const auto last, hash_in(history.get(), book_.head.sequence));
      history_is_whole_ = last == book_.head.hash;
    }
  }
  loaded_ = true;
  return {};
}

Result<ChainPlace> Receipts::receipt_on_disk() const {
  const os::Path path = folder_ / kReceipt;
  const auto bytes = os::read_file(files_, path, kLongestReceipt);
  if (!bytes && bytes.error().code == Code::not_found) return ChainPlace{};
  if (!bytes) return failed(bytes.error());
  const auto record = repository::decode_commit(*bytes);
  if (!record) return failed(Code::corrupt, path.string(), "is no receipt of the server", kForget);
  return place_of(*record, *bytes);
}

// Null when there is none.
Result<std::unique_ptr<os::File>> Receipts::open_history() const {
  auto file = files_.open(folder_ / kHistory, os::Open::read);
  if (!file && file.error().code == Code::not_found) return nullptr;
  return file;
}

// In `history`, or not written yet; nothing past the head or what the file lacks. Null: no file.
Result<std::optional<CommitHash>> Receipts::hash_in(os::File* history, uint64_t sequence) const {
  if (sequence == 0 || sequence > book_.head.sequence) return std::nullopt;
  const uint64_t written = book_.head.sequence - unsaved_.size();
  if (sequence > written) return unsaved_[sequence - written - 1];
  CommitHash hash;
  if (history == nullptr) return std::nullopt;
  CB_ASSIGN(const size_t got, history->read_at(hash.bytes, (sequence - 1) * CommitHash::kSize));
  if (got != CommitHash::kSize) return std::nullopt;
  return hash;
}

// --- writing -------------------------------------------------------------------------------------

// Whoever changes the files has it.
Result<std::unique_ptr<os::File>> Receipts::lock_history() const {
  CB_ASSIGN(auto history, files_.open(folder_ / kHistory, os::Open::update));
  if (::flock(history->fd(), LOCK_EX) == 0) return history;
  return failed(fail_errno(errno, (folder_ / kHistory).string(), "locking"));
}

// As another process left it; empty when there is none of this repository.
ReceiptBook Receipts::book_on_disk() const {
  const auto bytes = os::read_file(files_, folder_ / kChain, kLongestChain);
  auto book = bytes ? decode_receipt_book(*bytes) : failed(bytes.error());
  if (!book || book->repository != repository_) return {};
  return std::move(*book);
}

// Was another process told the same story since this one read the files?
Status Receipts::check_others(const Reread& fresh, const ReceiptBook& there, os::File* history) {
  const uint64_t end = fresh.book.head.sequence;
  const uint64_t first = end - fresh.hashes.size();
  const uint64_t at = std::min(there.head.sequence, end);
  if (at > first) {
    CommitHash seen = there.head.hash;
    if (at < there.head.sequence) {
      if (history == nullptr) return {};
      CB_ASSIGN(const size_t got, history->read_at(seen.bytes, (at - 1) * CommitHash::kSize));
      if (got != CommitHash::kSize) return {};
    }
    if (seen != fresh.hashes[at - first - 1]) return failed(history_forked(at));
  }
  CB_ASSIGN(const ChainPlace kept, receipt_on_disk());
  if (kept.sequence > receipt_.sequence) receipt_ = kept;
  if (kept.sequence <= first || kept.sequence > end) return {};
  if (kept.hash == fresh.hashes[kept.sequence - first - 1]) return {};
  return failed(history_forked(kept.sequence));
}

// First the history, then what refers to it. Another process may have gone further meanwhile.
Status Receipts::write(const Reread& fresh, const ReceiptBook& there, os::File& history) {
  Bytes bytes;
  for (const CommitHash& hash : fresh.hashes)
    bytes.insert(bytes.end(), hash.bytes.begin(), hash.bytes.end());
  const uint64_t first = fresh.book.head.sequence - fresh.hashes.size();
  CB_TRY(history.write_at(bytes, first * CommitHash::kSize));
  CB_TRY(history.sync());
  trial::passed("receipt.history");
  if (replaces_files_ || there.head.sequence <= fresh.book.head.sequence)
    CB_TRY(os::write_file_atomically(files_, folder_ / kChain, encode(fresh.book)));
  trial::passed("receipt.chain");
  return replaces_files_ ? remove(kReceipt) : Status();
}

Status Receipts::save(Reread fresh, bool whatever_is_there) {
  replaces_files_ = replaces_files_ || whatever_is_there;
  auto locked = lock_history();
  const ReceiptBook there = book_on_disk();
  if (!replaces_files_) {
    // Where none can write, none has to be locked out.
    std::unique_ptr<os::File> unlocked;
    if (!locked) {
      CB_ASSIGN(unlocked, open_history());
    }
    CB_TRY(check_others(fresh, there, locked ? locked->get() : unlocked.get()));
  }
  const Status written = locked ? write(fresh, there, **locked) : failed(locked.error());
  book_ = std::move(fresh.book);
  unsaved_.clear();
  if (!written) unsaved_ = std::move(fresh.hashes);
  has_server_ = history_is_whole_ = true;
  replaces_files_ = replaces_files_ && !written;
  if (!written && options_.unsaved) options_.unsaved(written.error());
  return {};
}

// Another process may have kept a newer one, or followed the chain past it.
Status Receipts::save_receipt(const ChainPlace& place, ByteView receipt) {
  auto locked = lock_history();
  if (!replaces_files_) {
    if (book_on_disk().head.sequence >= place.sequence) {
      CB_ASSIGN(const auto history, open_history());
      CommitHash seen = place.hash;
      if (history) CB_TRY(history->read_at(seen.bytes, (place.sequence - 1) * CommitHash::kSize));
      return seen == place.hash ? Status() : failed(history_forked(place.sequence));
    }
    CB_ASSIGN(const ChainPlace kept, receipt_on_disk());
    if (kept.sequence == place.sequence && kept.hash != place.hash)
      return failed(history_forked(place.sequence));
    if (kept.sequence > receipt_.sequence) receipt_ = kept;
  }
  if (place.sequence <= receipt_.sequence) return {};
  receipt_ = place;
  const Status written = locked ? os::write_file_atomically(files_, folder_ / kReceipt, receipt)
                                : failed(locked.error());
  if (!written && options_.unsaved) options_.unsaved(written.error());
  return {};
}

Status Receipts::remove(const char* name) {
  Status removed = files_.remove(folder_ / name);
  return removed || removed.error().code == Code::not_found ? Status() : removed;
}

// Of an earlier enrolment.
Status Receipts::start_files(const repository::SigningPublic& server) {
  for (const char* name : {kReceipt, kHistory}) CB_TRY(remove(name));
  ReceiptBook book;
  book.repository = repository_;
  book.server = server;
  loaded_ = false;
  return os::write_file_atomically(files_, folder_ / kChain, encode(book));
}

}  // namespace cb::client
