// SPDX-License-Identifier: Apache-2.0
//
// See collection_mark.h.
#include "core/repository/collection_mark.h"

#include <algorithm>

namespace cb::repository {
namespace {

constexpr size_t kAskedAtOnce = 256;
constexpr size_t kNodesAtOnce = 16;  // each may name a quarter of a MiB

// The last `most` of `all` at most, taken off.
template <typename T>
std::vector<T> take_last(std::vector<T>& all, size_t most) {
  const auto first = all.end() - static_cast<ptrdiff_t>(std::min(all.size(), most));
  std::vector<T> some(first, all.end());
  all.erase(first, all.end());
  return some;
}

}  // namespace

bool NumberSet::add(int64_t number) {
  const auto bit = static_cast<size_t>(number);
  const size_t page = bit / kPageBits;
  if (page >= pages_.size()) pages_.resize(page + 1);
  if (!pages_[page]) pages_[page] = std::make_unique<Page>();
  uint64_t& word = pages_[page]->words[bit % kPageBits / 64];
  const uint64_t mask = uint64_t{1} << (bit % 64);
  const bool is_new = (word & mask) == 0;
  word |= mask;
  return is_new;
}

bool NumberSet::contains(int64_t number) const {
  const auto bit = static_cast<size_t>(number);
  const size_t page = bit / kPageBits;
  if (page >= pages_.size() || !pages_[page]) return false;
  return (pages_[page]->words[bit % kPageBits / 64] >> (bit % 64) & 1) != 0;
}

Mark::Mark(catalog::Collection& rows, int64_t repository, const NumberSet& old_packs)
    : rows_(rows), repository_(repository), old_packs_(old_packs), asked_(kRemembered) {}

void Mark::ask(ByteView id) {
  catalog::Bytes32 wanted;
  std::copy_n(id.begin(), wanted.size(), wanted.begin());
  catalog::Bytes32& place = asked_[load_le<uint64_t>(wanted.data() + 8) % kRemembered];
  if (place == wanted && wanted != catalog::Bytes32{}) return;
  place = wanted;
  waiting_.push_back(wanted);
}

void Mark::ask_session(const catalog::Bytes16& session) {
  if (session == catalog::Bytes16{} || session == last_session_) return;
  last_session_ = session;
  ask(blob_of(SessionId{session}).view());
}

void Mark::take_children(ByteView children) {
  for (size_t at = 0; at + BlobId::kSize <= children.size(); at += BlobId::kSize)
    ask(children.subspan(at, BlobId::kSize));
}

// A row in a young pack is not gone below: that pack's rows are all begun from. Nothing needs a
// weak row, whatever names it.
void Mark::meet(const catalog::MarkedRow& row) {
  if (row.is_weak || !old_packs_.contains(row.pack) || !marked_.add(row.number)) return;
  ask_session(row.session);
  if (row.has_children) below_.push_back(row.number);
}

// Asks for all that waits before it goes below: so little of it waits at one time.
Status Mark::walk() {
  while (!waiting_.empty() || !below_.empty()) {
    if (between_) between_();
    if (waiting_.empty()) {
      const auto nodes = take_last(below_, kNodesAtOnce);
      CB_TRY(rows_.children_of(nodes, [this](ByteView children) { take_children(children); }));
      continue;
    }
    const auto ids = take_last(waiting_, kAskedAtOnce);
    CB_TRY(rows_.rows_of(repository_, ids, [this](const auto& row) { meet(row); }));
  }
  return {};
}

Status Mark::from(const BlobId& id) {
  ask(id.view());
  return walk();
}

Status Mark::from_pack(int64_t pack) {
  CB_TRY(rows_.read_pack(
      pack, [this](const catalog::MarkedRow& row) { ask_session(row.session); },
      [this](ByteView children) { take_children(children); }));
  return walk();
}

}  // namespace cb::repository
