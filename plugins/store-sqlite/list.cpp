// SPDX-License-Identifier: Apache-2.0
//
// See list.h.
#include "list.h"

#include "cyberbackup/cpp/store.hpp"
#include "store.h"

namespace store_sqlite {

namespace {

constexpr int64_t kBatch = 128;

constexpr const char* kAfter =
    "SELECT name, length, modified_ns FROM object WHERE name > ? AND name < ? ORDER BY name "
    "LIMIT ?";
constexpr const char* kFrom =
    "SELECT name, length, modified_ns FROM object WHERE name >= ? AND name < ? ORDER BY name "
    "LIMIT ?";

// The least text above all names that start with `prefix`. Names hold no byte above 'z'.
std::string end_of(std::string prefix) {
  if (prefix.empty()) return "~";
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

}  // namespace

List::List(Store& store, std::string prefix, std::string after)
    : store_(store), prefix_(std::move(prefix)), after_(std::move(after)) {}

void List::fetch() {
  batch_.clear();
  at_ = 0;
  const bool resumes = after_ >= prefix_ && !after_.empty();
  const std::string end = end_of(prefix_);
  const auto file = store_.readers().borrow();
  Query query(*file, resumes ? kAfter : kFrom);
  query.with(resumes ? after_ : prefix_).with(end).with(kBatch);
  while (query.row())
    batch_.push_back({query.text(0), static_cast<uint64_t>(query.number(1)), query.number(2)});
  last_ = batch_.size() < static_cast<size_t>(kBatch);
  if (!batch_.empty()) after_ = batch_.back().name;
}

bool List::next(cb_object& out) {
  if (at_ == batch_.size()) {
    if (last_) return false;
    fetch();
  }
  if (at_ == batch_.size()) return false;
  const Entry& entry = batch_[at_++];
  cyberbackup::sdk::set_object(out, entry.name, entry.length, entry.modified_ns);
  return true;
}

}  // namespace store_sqlite
