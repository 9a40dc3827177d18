// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/store_objects.h"

#include <algorithm>
#include <cstring>

#include "hosts/cyberbackup-plugin-check/guarded_memory.h"

namespace cb::check {
namespace {

// SplitMix64's mixer.
uint64_t mixed(uint64_t word) {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9U;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebU;
  return word ^ (word >> 31);
}

}  // namespace

Bytes pattern(uint64_t number, size_t size, uint64_t offset) {
  Bytes bytes(size);
  const uint64_t start = mixed(number + 1);
  size_t at = 0;
  while (at < size) {
    const uint64_t place = offset + at;
    const uint64_t word = mixed(start + place / sizeof(uint64_t) * 0x9e3779b97f4a7c15U);
    const size_t skip = place % sizeof word;
    const size_t some = std::min(sizeof word - skip, size - at);
    std::memcpy(bytes.data() + at, reinterpret_cast<const std::byte*>(&word) + skip, some);
    at += some;
  }
  return bytes;
}

Status write_pieces(plugin::Put& put, ByteView content) {
  size_t piece = 1;
  while (!content.empty()) {
    const size_t some = std::min(piece, content.size());
    GuardedMemory room(content.first(some));
    room.forbid_writing();
    CB_TRY(put.write(room.span()));
    content = content.subspan(some);
    piece = piece * 7 % 262'139 + 1;
  }
  return {};
}

Status put_object(plugin::Store& store, std::string_view name, ByteView content, bool if_absent) {
  CB_ASSIGN(plugin::Put put, store.put_begin(name, content.size(), if_absent));
  CB_TRY(write_pieces(put, content));
  return put.commit();
}

Result<Bytes> read_all(plugin::Get& get, size_t step) {
  const GuardedMemory room(step);
  Bytes all;
  while (true) {
    CB_ASSIGN(const size_t n, get.read(room.span()));
    if (n == 0) break;
    all.insert(all.end(), room.data(), room.data() + n);
  }
  CB_ASSIGN(const size_t more, get.read(room.span()));
  CB_TRY(expect(more == 0, "get_read gave bytes after it had answered END"));
  CB_TRY(expect(room.canaries_stand(), "get_read wrote before the buffer"));
  return all;
}

Result<Bytes> get_object(plugin::Store& store, std::string_view name, uint64_t offset,
                         uint64_t length) {
  CB_ASSIGN(plugin::Get get, store.get_open(name, offset, length));
  return read_all(get);
}

Result<std::vector<plugin::StoredObject>> list_objects(plugin::Store& store,
                                                       std::string_view prefix,
                                                       std::string_view after) {
  CB_ASSIGN(plugin::List list, store.list_open(prefix, after));
  std::vector<plugin::StoredObject> all;
  while (true) {
    CB_ASSIGN(const auto next, list.next());
    if (!next) break;
    all.push_back(*next);
  }
  CB_ASSIGN(const auto more, list.next());
  CB_TRY(expect(!more, "list_next gave an object after it had answered END"));
  return all;
}

Result<std::vector<std::string>> list_names(plugin::Store& store, std::string_view prefix,
                                            std::string_view after) {
  CB_ASSIGN(const auto objects, list_objects(store, prefix, after));
  std::vector<std::string> names;
  for (const plugin::StoredObject& object : objects) names.push_back(object.name);
  return names;
}

Status expect_object(plugin::Store& store, const std::string& name, ByteView content) {
  CB_ASSIGN(const Bytes back, get_object(store, name));
  const std::string what = "object " + name + " of " + std::to_string(content.size()) + " bytes";
  CB_TRY(expect(back.size() == content.size(),
                what + " came back with " + std::to_string(back.size()) + " bytes"));
  return expect(std::equal(back.begin(), back.end(), content.begin()),
                what + " came back with other bytes");
}

Status wrongly_ended(const std::string& what, const std::string& how, Code wanted) {
  return found_wrong(what + " " + how + " where it must fail as " + std::string(name_of(wanted)));
}

}  // namespace cb::check
