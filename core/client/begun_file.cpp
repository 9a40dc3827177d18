// SPDX-License-Identifier: Apache-2.0
#include "core/client/begun_file.h"

#include <algorithm>
#include <utility>

namespace cb::client {
namespace {

using repository::BlobId;

// Some ten MiB of memory; of a larger file, the rest is read again.
constexpr size_t kMostStretches = 128 * 1024;
constexpr size_t kMostAskedAtOnce = 4096;  // ids in one question

void add_ids(const Stretch& stretch, std::vector<BlobId>& ids) {
  if (!stretch.piece) return;
  if (stretch.piece->parts.empty()) ids.push_back(stretch.piece->id);
  for (const Stretch& part : stretch.piece->parts) ids.push_back(part.piece->id);
}

bool ends_piece(const Stretch& stretch) {
  return !stretch.piece || stretch.offset + stretch.length == stretch.piece->size;
}

}  // namespace

BegunFile::BegunFile(std::string path, const SourceStat& stat, int64_t scan_began_ns)
    : path_(std::move(path)), stat_(stat), is_settled_(client::is_settled(stat, scan_began_ns)) {}

void BegunFile::begin_again() { again_ = stretches_.size(); }

void BegunFile::add(const Stretch& stretch) {
  if (again_ > 0) {
    --again_;
    return;
  }
  if (stretches_.size() >= kMostStretches) return;
  stretches_.push_back(stretch);
  length_ += stretch.length;
}

// The most of the first `end` stretches whose last piece is whole. A hole may lie inside a piece.
size_t BegunFile::whole_before(size_t end) const {
  for (size_t last = end; last > 0; --last) {
    const Stretch& stretch = stretches_[last - 1];
    if (stretch.piece && ends_piece(stretch)) return last;
  }
  return 0;
}

Status BegunFile::keep_durable(const HaveBlobs& have) {
  size_t there = 0;
  while (there < stretches_.size()) {
    std::vector<BlobId> ids;
    std::vector<size_t> ends;  // of the ids of each stretch
    for (size_t i = there; i < stretches_.size() && ids.size() < kMostAskedAtOnce; ++i) {
      add_ids(stretches_[i], ids);
      ends.push_back(ids.size());
    }
    CB_ASSIGN(const std::vector<bool> found, have(ids));
    const auto missing =
        static_cast<size_t>(std::find(found.begin(), found.end(), false) - found.begin());
    const auto kept = std::upper_bound(ends.begin(), ends.end(), missing) - ends.begin();
    there += static_cast<size_t>(kept);
    if (missing < ids.size()) break;
  }
  stretches_.resize(whole_before(there));
  length_ = 0;
  for (const Stretch& stretch : stretches_) length_ += stretch.length;
  return {};
}

bool BegunFile::is_of(const std::string& path, const SourceStat& stat) const {
  return is_settled_ && path_ == path && stat_ == stat;
}

}  // namespace cb::client
