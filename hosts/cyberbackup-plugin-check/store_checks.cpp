// SPDX-License-Identifier: Apache-2.0
//
// What every store must do.
#include "hosts/cyberbackup-plugin-check/store_checks.h"

#include "cyberbackup/store.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"

namespace cb::check {
namespace {

constexpr Applies kStores = {.interface_id = CB_STORE_INTERFACE};
constexpr Applies kWithRange = {.interface_id = CB_STORE_INTERFACE, .with = CB_STORE_RANGE};
constexpr Applies kWithoutRange = {.interface_id = CB_STORE_INTERFACE, .without = CB_STORE_RANGE};
constexpr Applies kDurable = {.interface_id = CB_STORE_INTERFACE, .with = CB_STORE_DURABLE};
constexpr std::chrono::seconds kLong(60);
constexpr std::chrono::seconds kVeryLong(240);

Check store_check(std::string_view name, std::string_view sentence,
                  Result<Verdict> (*run)(Subject&), Applies applies = kStores,
                  std::chrono::seconds timeout = kLong) {
  return {.name = name,
          .sentence = sentence,
          .group = Group::store,
          .run = run,
          .applies = applies,
          .timeout = timeout};
}

}  // namespace

std::vector<Check> store_checks() {
  return {
      store_check("put-get", "What was put comes back byte for byte, and stat tells its size.",
                  store_put_get),
      store_check("zero-length", "An object may be empty, and a write of nothing is none.",
                  store_zero_length),
      store_check("range-reads", "A range delivers its bytes and no others.", store_range_reads,
                  kWithRange),
      store_check("range-past-end", "A range that does not wholly exist is refused at once.",
                  store_range_past_end, kWithRange),
      store_check("range-refused", "Without RANGE, only whole objects are read.",
                  store_range_refused, kWithoutRange),
      store_check("remove", "What was removed is gone, once; its neighbours stay.", store_remove),
      store_check("open-get-stays",
                  "An open get delivers its object though that is replaced or removed.",
                  store_open_get_stays),
      store_check("abort-leaves-nothing",
                  "An aborted put leaves no object, the old one as it was, and no waste.",
                  store_abort_leaves_nothing),
      store_check("invisible-before-commit",
                  "Before its commit no stat, get, remove or list sees an object.",
                  store_invisible_before_commit),
      store_check("if-absent-race", "Of two writers with IF_ABSENT one wins, at commit.",
                  store_if_absent_race),
      store_check("unknown-flags", "Flags of put_begin that nobody knows are refused.",
                  store_unknown_flags),
      store_check("list-order-and-prefix",
                  "Listings come in the order of bytes, of one prefix, after one name.",
                  store_list_order_and_prefix),
      store_check("list-during-writes",
                  "What exists throughout a listing comes once, whatever comes and goes.",
                  store_list_during_writes),
      store_check("hostile-names", "Names that are none are refused by the plugin itself.",
                  store_hostile_names),
      store_check("kill-during-put",
                  "Killed at any moment, it keeps all that was committed, and nothing by halves.",
                  store_kill_during_put, kDurable),
      store_check("no-space", "A full disk fails the put and nothing else.", store_no_space),
      store_check("many-objects", "Ten thousand objects are listed and found.", store_many_objects,
                  kStores, kVeryLong),
  };
}

}  // namespace cb::check
