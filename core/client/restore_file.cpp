// SPDX-License-Identifier: Apache-2.0
#include "core/client/restore_file.h"

namespace cb::client {

using repository::BlobId;
using repository::BlobKind;
using repository::Entry;
using repository::Extent;

namespace {

// Of smaller files nothing is kept: fetching them again costs less than looking after them.
constexpr uint64_t kWorthKeeping = 1024 * 1024;  // bytes

}  // namespace

bool stops_restore(const Error& error) {
  return error.code == Code::no_space || error.code == Code::cancelled ||
         error.code == Code::closed || error.code == Code::no_memory;
}

RestoreFile::RestoreFile(const Host& host, Entry entry, std::string source_path)
    : host_(host), entry_(std::move(entry)), source_path_(std::move(source_path)) {}
RestoreFile::~RestoreFile() = default;

Status RestoreFile::begin() {
  const std::lock_guard lock(mutex_);
  if (file_) return {};
  CB_ASSIGN(file_, host_.target->begin_file(entry_));
  return {};
}

bool RestoreFile::has_already(uint64_t offset, const Extent& extent) {
  const bool whole = extent.offset == 0 && extent.length <= repository::kMaxData;
  if (!whole || !is_resumed()) return false;
  Bytes there(extent.length);
  const auto read = file_->read_at(there, offset);
  if (!read || *read != there.size() || !is_content(there, extent.blob)) return false;
  if (host_.verify && !remember(offset, there)) return false;
  host_.wrote(extent.length);
  return true;
}

bool RestoreFile::is_resumed() {
  if (!host_.resume || entry_.size < kWorthKeeping || lost_) return false;
  return begin() && file_->resumed();
}

// The id proves it, whatever happened to the file in between.
bool RestoreFile::is_content(ByteView bytes, const BlobId& blob) const {
  const auto id = host_.keys->id_of(BlobKind::data, {}, bytes);
  return id && *id == blob;
}

Status RestoreFile::write_piece(uint64_t offset, ByteView bytes) {
  if (!lost_) {
    if (const Status done = try_write(offset, bytes); !done) return lose_piece(done.error());
    host_.wrote(bytes.size());
  }
  return piece_ended();
}

Status RestoreFile::try_write(uint64_t offset, ByteView bytes) {
  CB_TRY(begin());
  CB_TRY(file_->write_at(offset, bytes));
  return host_.verify ? remember(offset, bytes) : Status();
}

Status RestoreFile::remember(uint64_t offset, ByteView bytes) {
  CB_ASSIGN(const BlobId id, host_.keys->id_of(BlobKind::data, {}, bytes));
  const std::lock_guard lock(mutex_);
  written_.push_back({offset, bytes.size(), id});
  return {};
}

Status RestoreFile::lose_piece(const Error& error) {
  lose(error);
  if (stops_restore(error)) return tl::unexpected<Error>(error);
  return piece_ended();
}

void RestoreFile::lose(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = error;
  lost_ = true;
}

Status RestoreFile::piece_ended() {
  if (--open_pieces_ > 0) return {};
  if (!lost_) {
    if (const Status done = complete(); !done) lose(done.error());
  }
  if (!lost_) {
    host_.restored(*this);
    return {};
  }
  const std::lock_guard lock(mutex_);
  file_.reset();
  if (stops_restore(*error_)) return tl::unexpected<Error>(*error_);
  host_.failed(*this, *error_);
  return {};
}

Status RestoreFile::complete() {
  CB_TRY(begin());
  if (host_.verify) CB_TRY(read_back());
  CB_TRY(file_->finish());
  file_.reset();
  return {};
}

Status RestoreFile::read_back() {
  CB_TRY(file_->sync());
  Bytes there;
  for (const Written& piece : written_) {
    there.resize(piece.length);
    CB_ASSIGN(const size_t read, file_->read_at(there, piece.offset));
    there.resize(read);
    CB_ASSIGN(const BlobId id, host_.keys->id_of(BlobKind::data, {}, there));
    if (read != piece.length || id != piece.id)
      return failed(
          Code::corrupt, entry_.path,
          "reads back differently from what was written, at byte " + std::to_string(piece.offset),
          "look at the disk of the target");
  }
  return {};
}

void RestoreFile::keep_for_later() {
  const std::lock_guard lock(mutex_);
  if (file_ && entry_.size >= kWorthKeeping) file_->keep();
}

}  // namespace cb::client
