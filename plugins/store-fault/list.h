// SPDX-License-Identifier: Apache-2.0
//
// A listing of the store below, as late as ListingLag says. Used by one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "listing_lag.h"
#include "lower.h"

namespace store_fault {

class Store;

class List {
 public:
  List(Store& store, std::string prefix, LowerList below, ListingLag::View view);

  // The next object; false at the end.
  bool next(cb_object& out);

 private:
  void fetch();

  Store& store_;
  std::string prefix_;
  LowerList below_;
  ListingLag::View view_;
  uint64_t generation_;
  std::optional<cb_object> ahead_;  // of the store below
  bool ended_ = false;
};

}  // namespace store_fault
