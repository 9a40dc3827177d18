// SPDX-License-Identifier: Apache-2.0
//
// See list.h.
#include "list.h"

#include <string_view>
#include <utility>

#include "store.h"

namespace store_fault {

List::List(Store& store, std::string prefix, LowerList below, ListingLag::View view)
    : store_(store),
      prefix_(std::move(prefix)),
      below_(std::move(below)),
      view_(std::move(view)),
      generation_(store.faults().generation()) {}

// Fetches the next object that is not hidden, unless one waits.
void List::fetch() {
  while (!ahead_ && !ended_) {
    cb_object object{};
    object.size = sizeof(object);
    if (!below_.next(object))
      ended_ = true;
    else if (!view_.hidden.contains(object.name))
      ahead_ = object;
  }
}

bool List::next(cb_object& out) {
  store_.faults().meet(Function::list_next, prefix_, generation_);
  fetch();
  if (!view_.ghosts.empty()) {
    const auto ghost = view_.ghosts.begin();
    const int order = ahead_ ? ghost->first.compare(ahead_->name) : -1;
    if (order < 0) out = ghost->second;
    if (order <= 0) view_.ghosts.erase(ghost);
    if (order < 0) return true;
  }
  if (!ahead_) return false;
  out = *std::exchange(ahead_, std::nullopt);
  return true;
}

}  // namespace store_fault
