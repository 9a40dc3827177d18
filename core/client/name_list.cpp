// SPDX-License-Identifier: Apache-2.0
#include "core/client/name_list.h"

#include <algorithm>

namespace cb::client {

std::string_view NameList::at(uint32_t place) const {
  return {text_.data() + place + 3, static_cast<size_t>(static_cast<uint8_t>(text_[place + 1])) |
                                        static_cast<size_t>(static_cast<uint8_t>(text_[place + 2]))
                                            << 8};
}

std::string_view NameList::name(size_t i) const { return at(places_[i]); }

os::NameKind NameList::kind(size_t i) const { return static_cast<os::NameKind>(text_[places_[i]]); }

size_t NameList::bytes() const {
  return sizeof(*this) + text_.capacity() + places_.capacity() * sizeof(uint32_t);
}

void NameList::add(std::string_view name, os::NameKind kind) {
  places_.push_back(static_cast<uint32_t>(text_.size()));
  text_ += static_cast<char>(kind);
  text_ += static_cast<char>(name.size() & 0xff);
  text_ += static_cast<char>(name.size() >> 8);
  text_ += name;
}

void NameList::sort() {
  std::sort(places_.begin(), places_.end(),
            [this](uint32_t a, uint32_t b) { return at(a) < at(b); });
}

void NameList::keep_smaller_half() {
  sort();
  NameList half;
  half.cut_ = true;
  for (size_t i = 0; i < std::max<size_t>(size() / 2, 1); ++i) half.add(name(i), kind(i));
  half.text_.reserve(text_.size());
  half.places_.reserve(size());
  *this = std::move(half);
}

Result<NameList> NameList::read(os::Folder& folder, const std::string& after, size_t limit) {
  NameList list;
  std::string last;  // of those that are kept, once some were dropped
  CB_TRY(folder.each_name([&](std::string_view name, os::NameKind kind) {
    if (!after.empty() && name <= after) return;
    if (list.cut_ && name > last) return;
    list.add(name, kind);
    const size_t used = list.text_.size() + list.size() * sizeof(uint32_t);
    if (used <= limit || list.size() < 2) return;
    list.keep_smaller_half();
    last = list.name(list.size() - 1);
  }));
  list.sort();
  return list;
}

}  // namespace cb::client
