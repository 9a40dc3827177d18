// SPDX-License-Identifier: Apache-2.0
//
// See handles.h.
#include "handles.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "store.h"

namespace store_fault {

namespace sdk = cyberbackup::sdk;

Put::Put(Store& store, std::string name, LowerPut below)
    : store_(store),
      name_(std::move(name)),
      below_(std::move(below)),
      generation_(store.faults().generation()) {}

Put::~Put() { store_.budget().give_back(counted_); }

void Put::write(std::span<const std::byte> data) {
  const Effect effect = store_.faults().meet(Function::put_write, name_, generation_);
  store_.refresh_budget();
  if (!store_.budget().take(data.size())) throw store_.faults().no_space(name_);
  counted_ += data.size();
  if (effect.kind == Kind::torn) {
    below_.write(data.first(effect.dice % data.size()));
    throw effect.failure();
  }
  below_.write(data);
}

void Put::commit() {
  const Effect effect = store_.faults().meet(Function::put_commit, name_, generation_);
  const bool coin = (effect.dice & 1) != 0;  // had the crash done it already?
  if (effect.kind == Kind::lose) return below_.abort();
  if (effect.kind != Kind::crash || coin) commit_below();
  if (effect.kind == Kind::crash) {
    below_.abort();
    store_.faults().crash(effect);
  }
  if (effect.kind == Kind::torn) leave_part_visible(effect.dice);
  if (effect.kind == Kind::torn || effect.kind == Kind::unsaid) throw effect.failure();
}

void Put::commit_below() {
  const Standing standing = store_.faults().standing();
  cb_object replaced{};
  const bool looks = standing.budget >= 0 || standing.lag_lists > 0 || standing.lag_ns > 0;
  const bool existed = looks && store_.lower().find(name_, replaced);
  below_.commit();
  counted_ = existed ? replaced.length : 0;  // given back with this handle
  store_.faults().committed(name_);
  if (looks) store_.lag().committed(name_, existed, store_.host().monotonic_ns());
}

// Puts a beginning of what was just committed in its place, of a length that `dice` says.
void Put::leave_part_visible(uint64_t dice) {
  cb_object object{};
  if (!store_.lower().find(name_, object) || object.length == 0) return;
  uint64_t left = dice % object.length;
  LowerGet whole = store_.lower().get_open(name_, 0, 0);
  LowerPut part = store_.lower().put_begin(name_, left, 0);
  std::vector<std::byte> buffer(65536);
  while (left > 0) {
    const size_t got = whole.read({buffer.data(), std::min<size_t>(buffer.size(), left)});
    if (got == 0) break;
    part.write({buffer.data(), got});
    left -= got;
  }
  part.commit();
}

Get::Get(Store& store, std::string name, LowerGet below)
    : store_(store),
      name_(std::move(name)),
      below_(std::move(below)),
      generation_(store.faults().generation()) {}

size_t Get::read(std::span<std::byte> into) {
  const Effect effect = store_.faults().meet(Function::get_read, name_, generation_);
  cut_ = cut_ || effect.kind == Kind::cut;
  if (cut_) return 0;
  const size_t got = below_.read(into);
  if (effect.kind == Kind::flip && got > 0)
    into[effect.dice % got] ^= std::byte{1} << (effect.dice >> 61);
  return got;
}

}  // namespace store_fault
