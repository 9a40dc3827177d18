// SPDX-License-Identifier: Apache-2.0
//
// Stores: what was put is what is read, in whole and in part, and until it is removed.
#include "core/plugin/instance.h"
#include "hosts/cyberbackup-plugin-check/store_checks.h"
#include "hosts/cyberbackup-plugin-check/store_objects.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

using plugin::Function;
using plugin::Tag;

bool replaces_objects(const plugin::Store& store) {
  return (store.capabilities() & CB_STORE_ATOMIC_REPLACE) != 0;
}

Status expect_absent(plugin::Store& store, const std::string& name) {
  CB_TRY(expect_refusal(store.stat(name), Code::not_found, "stat of an absent object"));
  CB_TRY(expect_refusal(store.get_open(name), Code::not_found, "get_open of an absent object"));
  return expect_refusal(store.remove(name), Code::not_found, "remove of an absent object");
}

// The room of a read may be of any size.
Status read_in_steps(plugin::Store& store, const std::string& name, const Bytes& content) {
  for (const size_t step : {1777U, 65536U, 3'000'000U}) {
    CB_ASSIGN(plugin::Get get, store.get_open(name));
    CB_ASSIGN(const Bytes back, read_all(get, step));
    CB_TRY(expect(back == content, name + ", read into " + std::to_string(step) +
                                       " bytes at a time, came back with other bytes"));
  }
  return {};
}

}  // namespace

Result<Verdict> store_put_get(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_TRY(expect_refusal(store.stat("put-get/none"), Code::not_found, "stat of an absent object"));
  CB_TRY(expect_refusal(store.get_open("put-get/none"), Code::not_found,
                        "get_open of an absent object"));
  for (const size_t size : {1U, 100U, 4096U, 65536U, 65537U, 3'145'735U}) {
    const Bytes content = subject.random_bytes(size);
    const std::string name = "put-get/" + std::to_string(size);
    CB_TRY(put_object(store, name, content));
    CB_TRY(expect_object(store, name, content));
    CB_ASSIGN(const plugin::StoredObject told, store.stat(name));
    CB_TRY(expect(told.name == name && told.length == size,
                  "stat of " + name + " tells " + told.name + " with " +
                      std::to_string(told.length) + " bytes"));
  }
  const Bytes content = subject.random_bytes(200'001);
  CB_TRY(put_object(store, "put-get/steps", content));
  CB_TRY(read_in_steps(store, "put-get/steps", content));
  if (!replaces_objects(store)) return passed();
  const Bytes shorter = subject.random_bytes(77);
  CB_TRY(put_object(store, "put-get/steps", shorter));
  CB_TRY(expect_object(store, "put-get/steps", shorter));
  return passed();
}

Result<Verdict> store_zero_length(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_TRY(put_object(store, "zero/empty", {}));
  CB_ASSIGN(const plugin::StoredObject told, store.stat("zero/empty"));
  CB_TRY(expect(told.length == 0,
                "stat tells " + std::to_string(told.length) + " bytes for an object without any"));
  CB_TRY(expect_object(store, "zero/empty", {}));
  CB_ASSIGN(const auto names, list_names(store, "zero/"));
  CB_TRY(expect(names == std::vector<std::string>{"zero/empty"}, "the list lacks an empty object"));

  // A write of nothing, which the host's own code never hands on.
  plugin::Instance& instance = *store.instance();
  const auto& ops = instance.ops<cb_store_ops>();
  cb_put* put = nullptr;
  const std::byte unread{};
  CB_TRY(instance.gate().call(Function{"put_begin", Tag::blocking}, ops.put_begin,
                              instance.handle(), "zero/written", uint64_t{0}, uint32_t{0}, &put));
  const auto written = instance.gate().call(Function{"put_write", Tag::blocking}, ops.put_write,
                                            put, static_cast<const void*>(&unread), size_t{0});
  const auto done =
      instance.gate().call(Function{"put_commit", Tag::blocking}, ops.put_commit, put);
  CB_TRY(written);
  CB_TRY(done);
  CB_TRY(expect_object(store, "zero/written", {}));
  return passed();
}

Result<Verdict> store_range_reads(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  constexpr uint64_t kSize = 1'000'003;
  constexpr uint64_t kNumber = 5;
  CB_TRY(put_object(store, "ranged", pattern(kNumber, kSize)));
  for (int i = 0; i < 200; ++i) {
    const uint64_t offset = subject.random()() % kSize;
    const uint64_t length =
        1 + subject.random()() % std::min<uint64_t>(kSize - offset, i % 2 == 0 ? 50 : 400'000);
    CB_ASSIGN(const Bytes back, get_object(store, "ranged", offset, length));
    CB_TRY(expect(back == pattern(kNumber, length, offset),
                  std::to_string(length) + " bytes from " + std::to_string(offset) +
                      " did not come back as they are, but " + std::to_string(back.size()) +
                      " bytes"));
  }
  CB_ASSIGN(const Bytes rest, get_object(store, "ranged", kSize - 4));
  CB_TRY(expect(rest == pattern(kNumber, 4, kSize - 4),
                "a length of 0 did not deliver what is left from the offset"));
  CB_ASSIGN(const Bytes nothing, get_object(store, "ranged", kSize));
  CB_TRY(expect(nothing.empty(), "bytes came from an offset that is the object's size"));
  return passed();
}

Result<Verdict> store_range_past_end(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_TRY(put_object(store, "short", pattern(1, 1000)));
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  constexpr std::pair<uint64_t, uint64_t> kRanges[] = {
      {1001, 0},  {1000, 1},  {0, 1001},  {999, 2},       {500, 501},
      {kMost, 0}, {kMost, 2}, {1, kMost}, {kMost, kMost}, {kMost - 999, 1000}};
  for (const auto& [offset, length] : kRanges) {
    const auto opened = store.get_open("short", offset, length);
    const std::string what = "get_open of " + std::to_string(length) + " bytes from " +
                             std::to_string(offset) + " of an object of 1000";
    CB_TRY(expect_refusal(opened, Code::limit, what));
    CB_TRY(expect(opened.error().retry == Retry::no, what + " is not marked as permanent"));
  }
  return passed();
}

Result<Verdict> store_range_refused(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_TRY(put_object(store, "whole", pattern(1, 1000)));
  CB_TRY(expect_refusal(store.get_open("whole", 1, 0), Code::unsupported, "get_open from byte 1"));
  CB_TRY(expect_refusal(store.get_open("whole", 0, 9), Code::unsupported, "get_open of 9 bytes"));
  CB_TRY(expect_object(store, "whole", pattern(1, 1000)));
  return passed();
}

Result<Verdict> store_remove(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_TRY(expect_absent(store, "a/b"));
  for (const char* name : {"a", "a/b", "a/b/c", "ab"})
    CB_TRY(put_object(store, name, pattern(1, 30'001)));
  CB_TRY(store.remove("a/b"));
  CB_TRY(expect_absent(store, "a/b"));
  CB_ASSIGN(const auto names, list_names(store));
  CB_TRY(expect(names == std::vector<std::string>{"a", "a/b/c", "ab"},
                "removing a/b left other names than a, a/b/c and ab"));
  for (const char* name : {"a", "a/b/c", "ab"})
    CB_TRY(expect_object(store, name, pattern(1, 30'001)));
  CB_TRY(put_object(store, "a/b", pattern(2, 5)));
  CB_TRY(expect_object(store, "a/b", pattern(2, 5)));
  return passed();
}

Result<Verdict> store_open_get_stays(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  constexpr size_t kFirst = 2'000'001;
  constexpr size_t kSecond = 1'000'001;
  CB_TRY(put_object(store, "read", pattern(1, kFirst)));
  CB_ASSIGN(plugin::Get first, store.get_open("read"));
  if (replaces_objects(store)) {
    CB_TRY(put_object(store, "read", pattern(2, kSecond)));
  } else {
    CB_TRY(store.remove("read"));
    CB_TRY(put_object(store, "read", pattern(2, kSecond)));
  }
  CB_ASSIGN(plugin::Get second, store.get_open("read"));
  CB_TRY(store.remove("read"));
  CB_ASSIGN(const Bytes old, read_all(first));
  CB_TRY(expect(old == pattern(1, kFirst),
                "a get opened before its object was replaced did not deliver the old one"));
  CB_ASSIGN(const Bytes removed, read_all(second));
  CB_TRY(expect(removed == pattern(2, kSecond),
                "a get opened before its object was removed did not deliver it"));
  CB_TRY(expect_refusal(store.get_open("read"), Code::not_found, "get_open after remove"));
  return passed();
}

}  // namespace cb::check
