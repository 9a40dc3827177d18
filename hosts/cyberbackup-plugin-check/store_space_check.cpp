// SPDX-License-Identifier: Apache-2.0
//
// Stores: a disk that runs full.
#include "hosts/cyberbackup-plugin-check/store_checks.h"
#include "hosts/cyberbackup-plugin-check/store_disk.h"
#include "hosts/cyberbackup-plugin-check/store_objects.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

constexpr uint64_t kDisk = uint64_t{24} << 20;
constexpr size_t kSize = 1'000'001;
constexpr uint64_t kMoreThanFits = 32;

std::string name_of_fill(uint64_t i) { return "fill/" + std::to_string(i); }

// One put that must end as no-space when it fails; true when it did not fail.
Result<bool> put_or_full(plugin::Store& store, uint64_t i) {
  CB_ASSIGN(plugin::Put put, store.put_begin(name_of_fill(i), kSize));
  const Status written = write_pieces(put, pattern(i, kSize));
  const Status done = written ? put.commit() : written;
  if (done) return true;
  const std::string which = written ? "put_commit" : "put_write";
  CB_TRY(expect_refusal(done, Code::no_space, which + " on a full disk"));
  if (written) return false;
  CB_TRY(expect_refusal(put.write(pattern(i, 10)), Code::state,
                        "put_write after one that had failed"));
  CB_TRY(expect_refusal(put.commit(), Code::state, "put_commit after a put_write that had failed"));
  return false;
}

// Puts until the disk is full; how many objects there are.
Result<uint64_t> fill(plugin::Store& store) {
  for (uint64_t i = 0; i < kMoreThanFits; ++i) {
    CB_ASSIGN(const bool fits, put_or_full(store, i));
    if (!fits) return i;
  }
  return kMoreThanFits;
}

Status expect_filled(plugin::Store& store, uint64_t count) {
  CB_ASSIGN(const auto names, list_names(store, "fill/"));
  CB_TRY(expect(names.size() == count, "after " + std::to_string(count) +
                                           " commits and one that failed the list tells " +
                                           std::to_string(names.size()) + " objects"));
  for (uint64_t i = 0; i < count; ++i)
    CB_TRY(expect_object(store, name_of_fill(i), pattern(i, kSize)));
  return expect_refusal(store.stat(name_of_fill(count)), Code::not_found,
                        "stat of what did not fit");
}

}  // namespace

Result<Verdict> store_no_space(Subject& subject) {
  const auto disk = MemoryDisk::mount(subject.scratch(), kDisk);
  if (!disk) return skipped("no small disk can be mounted here: " + disk.error().cause);
  uint64_t count = 0;
  for (int cycle = 0; cycle < 2; ++cycle) {
    CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
    CB_ASSIGN(count, fill(store));
    CB_TRY(expect_filled(store, count));
    if (count == kMoreThanFits)
      return skipped("it keeps more than the disk of 24 MiB holds on which it should be");
    for (uint64_t i = 0; i < count; ++i) CB_TRY(store.remove(name_of_fill(i)));
    CB_TRY(put_object(store, "small", pattern(7, 100'000)));
    CB_TRY(expect_object(store, "small", pattern(7, 100'000)));
    CB_TRY(store.remove("small"));
  }
  CB_TRY(subject.make<plugin::Store>());
  return passed(std::to_string(count) + " objects of 1 MB fitted in 24 MiB");
}

}  // namespace cb::check
