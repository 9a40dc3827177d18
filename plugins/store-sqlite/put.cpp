// SPDX-License-Identifier: Apache-2.0
//
// See put.h.
#include "put.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "cyberbackup/cpp/failure.hpp"
#include "store.h"

namespace store_sqlite {

namespace sdk = cyberbackup::sdk;

namespace {

// Steps of cleaning that a commit does on the way: more than it can add itself.
constexpr size_t kPurgeSteps = 4;

constexpr const char* kBeginContent =
    "INSERT INTO content (state, owner, segment_size) VALUES (0, ?, ?)";
constexpr const char* kInsertSegment = "INSERT INTO segment (id, data) VALUES (?, ?)";
constexpr const char* kCurrent = "SELECT content FROM object WHERE name = ?";
constexpr const char* kReplace =
    "INSERT OR REPLACE INTO object (name, content, length, modified_ns) VALUES (?, ?, ?, ?)";
constexpr const char* kSetState = "UPDATE content SET state = ? WHERE id = ?";

int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace

Put::Put(Store& store, std::string name, bool if_absent)
    : store_(store),
      name_(std::move(name)),
      if_absent_(if_absent),
      segment_size_(store.segment_size()) {}

Put::~Put() {
  if (content_ == 0) return;
  store_.purger().abandon(content_);
  store_.purger().purge(kPurgeSteps);
}

void Put::write(std::span<const std::byte> data) {
  written_ += data.size();
  while (!data.empty()) {
    if (buffered_ == 0 && data.size() >= segment_size_) {
      write_segment(data.first(segment_size_));
      data = data.subspan(segment_size_);
      continue;
    }
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<std::byte[]>(segment_size_);
    const size_t step = std::min(segment_size_ - buffered_, data.size());
    std::memcpy(buffer_.get() + buffered_, data.data(), step);
    data = data.subspan(step);
    buffered_ += step;
    if (buffered_ < segment_size_) continue;
    write_segment({buffer_.get(), buffered_});
    buffered_ = 0;
  }
}

void Put::write_segment(std::span<const std::byte> segment) {
  store_.writer().require_room(segment.size());
  int64_t content = content_;
  store_.writer().quick([&](Connection& file) {
    if (content == 0) content = begin_content(file);
    insert_segment(file, content, segment);
  });
  content_ = content;
  ++segments_;
}

int64_t Put::begin_content(Connection& file) {
  Query(file, kBeginContent).with(store_.owner()).with(static_cast<int64_t>(segment_size_)).run();
  return ::sqlite3_last_insert_rowid(file.get());
}

void Put::insert_segment(Connection& file, int64_t content, std::span<const std::byte> segment) {
  Query(file, kInsertSegment).with(content * kSegmentsPerContent + segments_).with(segment).run();
}

void Put::publish(Connection& file, int64_t content) {
  int64_t former = 0;
  {
    Query query(file, kCurrent);
    if (query.with(name_).row()) former = query.number(0);
  }
  if (former != 0 && if_absent_)
    throw sdk::Failure(CB_E_EXISTS, "object " + name_ + " exists already", EEXIST,
                       CB_ERROR_PERMANENT);
  Query(file, kReplace)
      .with(name_)
      .with(content)
      .with(static_cast<int64_t>(written_))
      .with(now_ns())
      .run();
  Query(file, kSetState).with(int64_t{kLive}).with(content).run();
  if (former != 0) Query(file, kSetState).with(int64_t{kDead}).with(former).run();
}

void Put::commit() {
  store_.writer().require_room(buffered_);
  store_.writer().durable([&](Connection& file) {
    const int64_t content = content_ != 0 ? content_ : begin_content(file);
    if (buffered_ > 0) insert_segment(file, content, {buffer_.get(), buffered_});
    publish(file, content);
  });
  content_ = 0;
  store_.purger().purge(kPurgeSteps);
}

}  // namespace store_sqlite
