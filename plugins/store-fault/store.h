// SPDX-License-Identifier: Apache-2.0
//
// The filter: every call meets the faults in force, then goes to the store below. Thread-safe; Put,
// Get and List are used by one thread at a time each and end before the store.
#pragma once

#include <memory>
#include <string_view>

#include "budget.h"
#include "cyberbackup/cpp/config.hpp"
#include "cyberbackup/cpp/host.hpp"
#include "cyberbackup/store.h"
#include "faults.h"
#include "handles.h"
#include "list.h"
#include "listing_lag.h"
#include "lower.h"

namespace store_fault {

// The options, by position in the descriptor.
enum OptionIndex : size_t { kRules, kSeed, kControl, kDelay, kBudget, kListLag, kListLagTime };

class Store {
 public:
  using Put = store_fault::Put;
  using Get = store_fault::Get;
  using List = store_fault::List;

  Store(const cyberbackup::sdk::Host& host, const cyberbackup::sdk::Config& config);

  // The rules can be read; throws CB_E_INVALID.
  static void check(const cyberbackup::sdk::Config& config);

  void stat(std::string_view name, cb_object& out);
  std::unique_ptr<Put> put_begin(std::string_view name, uint64_t hint, uint32_t flags);
  std::unique_ptr<Get> get_open(std::string_view name, uint64_t offset, uint64_t length);
  void remove(std::string_view name);
  std::unique_ptr<List> list_open(std::string_view prefix, std::string_view after);
  void space(cb_space& out);

  // For the handles.
  [[nodiscard]] const cyberbackup::sdk::Host& host() const { return host_; }
  [[nodiscard]] const Lower& lower() const { return lower_; }
  Faults& faults() { return faults_; }
  Budget& budget() { return budget_; }
  ListingLag& lag() { return lag_; }
  // Lets the budget know what is in force now.
  void refresh_budget() { budget_.set(faults_.standing().budget); }

 private:
  void remove_below(const std::string& name);

  cyberbackup::sdk::Host host_;
  Lower lower_;
  Faults faults_;
  Budget budget_;
  ListingLag lag_;
};

}  // namespace store_fault
