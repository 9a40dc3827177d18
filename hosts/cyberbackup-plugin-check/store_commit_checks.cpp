// SPDX-License-Identifier: Apache-2.0
//
// Stores: commit is the only visible moment.
#include <barrier>
#include <optional>
#include <thread>

#include "core/plugin/instance.h"
#include "hosts/cyberbackup-plugin-check/store_checks.h"
#include "hosts/cyberbackup-plugin-check/store_objects.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

using plugin::Function;
using plugin::Tag;
using Names = std::vector<std::string>;

bool replaces(const plugin::Store& store) {
  return (store.capabilities() & CB_STORE_ATOMIC_REPLACE) != 0;
}

// What the files in a folder hold together; those that go meanwhile count as nothing.
uint64_t bytes_below(const os::Path& folder) {
  uint64_t sum = 0;
  std::error_code none;
  for (auto entry = std::filesystem::recursive_directory_iterator(folder, none);
       !none && entry != std::filesystem::recursive_directory_iterator(); entry.increment(none)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone)) continue;
    const uint64_t size = entry->file_size(gone);
    if (!gone) sum += size;
  }
  return sum;
}

Status abort_one(plugin::Store& store, const std::string& name, size_t size) {
  CB_ASSIGN(plugin::Put put, store.put_begin(name));
  CB_TRY(write_pieces(put, pattern(9, size)));
  put.abort();
  return {};
}

// Several puts side by side, one of which is given up.
Status abort_one_of_several(plugin::Store& store) {
  constexpr size_t kPuts = 5;
  constexpr size_t kGivenUp = 3;
  constexpr size_t kStep = 77'777;
  std::vector<plugin::Put> puts;
  for (size_t i = 0; i < kPuts; ++i) {
    CB_ASSIGN(plugin::Put put, store.put_begin("several/" + std::to_string(i)));
    puts.push_back(std::move(put));
  }
  for (size_t step = 0; step < 4; ++step)
    for (size_t i = 0; i < kPuts; ++i) CB_TRY(puts[i].write(pattern(i, kStep, step * kStep)));
  puts[kGivenUp].abort();
  for (size_t i = 0; i < kPuts; ++i)
    if (i != kGivenUp) CB_TRY(puts[i].commit());
  CB_ASSIGN(const Names names, list_names(store, "several/"));
  CB_TRY(expect(names == Names{"several/0", "several/1", "several/2", "several/4"},
                "of five puts side by side, one of them aborted, the list tells " +
                    std::to_string(names.size())));
  for (const size_t i : {0U, 1U, 2U, 4U})
    CB_TRY(expect_object(store, "several/" + std::to_string(i), pattern(i, 4 * kStep)));
  return {};
}

// Aborted puts may make a store grow at first, but not for ever.
Result<Verdict> wastes_nothing(Subject& subject, plugin::Store& store) {
  constexpr uint64_t kMiB = 1 << 20;
  constexpr uint64_t kPuts = 40;
  uint64_t before = 0;
  for (uint64_t i = 0; i < 2 * kPuts; ++i) {
    if (i == kPuts) before = bytes_below(subject.scratch());
    CB_TRY(abort_one(store, "gone/" + std::to_string(i), kMiB));
  }
  const uint64_t after = bytes_below(subject.scratch());
  if (after < before + kPuts * kMiB / 2) return passed();
  return warned("after " + std::to_string(kPuts) + " more aborted puts of 1 MiB the store takes " +
                std::to_string((after - before) / kMiB) + " MiB more");
}

// What the one writer of a race put, if it won.
struct Racer {
  std::optional<Error> wrong;
  bool won = false;
};

Racer race(plugin::Store& store, const std::string& name, ByteView content, std::barrier<>& start) {
  auto put = store.put_begin(name, 0, true);
  std::optional<Error> wrong;
  if (!put) {
    wrong = put.error();
  } else if (const Status written = write_pieces(*put, content); !written) {
    wrong = written.error();
  }
  start.arrive_and_wait();
  if (wrong) return {std::move(wrong), false};
  const Status done = put->commit();
  if (!done && done.error().code != Code::exists) return {done.error(), false};
  return {std::nullopt, done.has_value()};
}

Status race_once(plugin::Store& store, uint64_t round) {
  const std::string name = "race/" + std::to_string(round);
  const Bytes contents[] = {pattern(2 * round, 1000), pattern(2 * round + 1, 50'001)};
  std::barrier<> start(2);
  Racer other;
  std::thread thread([&] { other = race(store, name, contents[1], start); });
  const Racer own = race(store, name, contents[0], start);
  thread.join();
  for (const Racer* racer : {&own, static_cast<const Racer*>(&other)})
    if (racer->wrong) return failed(*racer->wrong);
  CB_TRY(expect(own.won || other.won, "of two writers with IF_ABSENT none won"));
  CB_TRY(expect(!own.won || !other.won, "two writers with IF_ABSENT both won one name"));
  return expect_object(store, name, contents[own.won ? 0 : 1]);
}

}  // namespace

Result<Verdict> store_abort_leaves_nothing(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_TRY(abort_one(store, "gone", 1'500'000));
  CB_TRY(abort_one(store, "gone", 0));
  CB_TRY(expect_refusal(store.stat("gone"), Code::not_found, "stat after an abort"));
  CB_ASSIGN(const Names names, list_names(store));
  CB_TRY(expect(names.empty(), "after an abort the list tells of an object"));
  CB_TRY(put_object(store, "kept", pattern(1, 1000)));
  CB_TRY(abort_one(store, "kept", 2000));
  CB_TRY(expect_object(store, "kept", pattern(1, 1000)));
  CB_TRY(abort_one_of_several(store));
  plugin::Instance& instance = *store.instance();
  const auto& ops = instance.ops<cb_store_ops>();
  instance.gate().end(Function{"put_abort", Tag::blocking}, ops.put_abort,
                      static_cast<cb_put*>(nullptr));
  instance.gate().end(Function{"get_close", Tag::blocking}, ops.get_close,
                      static_cast<cb_get*>(nullptr));
  instance.gate().end(Function{"list_close", Tag::blocking}, ops.list_close,
                      static_cast<cb_list*>(nullptr));

  return wastes_nothing(subject, store);
}

Result<Verdict> store_invisible_before_commit(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_ASSIGN(plugin::Put put, store.put_begin("later"));
  CB_TRY(write_pieces(put, pattern(1, 1'000'000)));
  CB_TRY(expect_refusal(store.stat("later"), Code::not_found, "stat before commit"));
  CB_TRY(expect_refusal(store.get_open("later"), Code::not_found, "get_open before commit"));
  CB_ASSIGN(const Names before, list_names(store));
  CB_TRY(expect(before.empty(), "the list tells of an object before its commit"));
  CB_TRY(put.commit());
  CB_TRY(expect_object(store, "later", pattern(1, 1'000'000)));
  CB_ASSIGN(const Names after, list_names(store));
  CB_TRY(expect(after == Names{"later"}, "the list lacks an object after its commit"));
  if (!replaces(store)) return passed();
  CB_ASSIGN(plugin::Put next, store.put_begin("later"));
  CB_TRY(write_pieces(next, pattern(2, 700'000)));
  CB_ASSIGN(const plugin::StoredObject told, store.stat("later"));
  CB_TRY(expect(told.length == 1'000'000, "stat tells of a replacement before its commit"));
  CB_TRY(expect_object(store, "later", pattern(1, 1'000'000)));
  CB_TRY(next.commit());
  CB_TRY(expect_object(store, "later", pattern(2, 700'000)));
  return passed();
}

Result<Verdict> store_if_absent_race(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_ASSIGN(plugin::Put early, store.put_begin("once", 0, true));
  CB_TRY(write_pieces(early, pattern(1, 500'000)));
  CB_TRY(put_object(store, "once", pattern(2, 300), true));
  CB_TRY(expect_refusal(early.commit(), Code::exists, "the later commit of one name"));
  CB_TRY(expect_refusal(put_object(store, "once", pattern(3, 5), true), Code::exists,
                        "a put with IF_ABSENT of a name that is there"));
  CB_TRY(expect_object(store, "once", pattern(2, 300)));
  CB_TRY(store.remove("once"));
  CB_TRY(put_object(store, "once", pattern(4, 20), true));
  constexpr uint64_t kRounds = 60;
  for (uint64_t round = 0; round < kRounds; ++round) CB_TRY(race_once(store, round));
  return passed();
}

Result<Verdict> store_unknown_flags(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  plugin::Instance& instance = *store.instance();
  const auto& ops = instance.ops<cb_store_ops>();
  for (const uint32_t flags : {0x80000000U, 2U, 3U}) {
    cb_put* put = nullptr;
    const auto came = instance.gate().call(Function{"put_begin", Tag::blocking}, ops.put_begin,
                                           instance.handle(), "flags", uint64_t{0}, flags, &put);
    if (put != nullptr)
      instance.gate().end(Function{"put_abort", Tag::blocking}, ops.put_abort, put);
    CB_TRY(
        expect_refusal(came, Code::unsupported, "put_begin with flags " + std::to_string(flags)));
  }
  return passed();
}

}  // namespace cb::check
