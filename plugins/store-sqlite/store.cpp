// SPDX-License-Identifier: Apache-2.0
//
// See store.h.
#include "store.h"

#include <cerrno>

#include "cyberbackup/cpp/store.hpp"

namespace store_sqlite {

namespace sdk = cyberbackup::sdk;

namespace {

// Steps of cleaning: at the start (about 1 GiB), and with each removal (about 64 MiB).
constexpr size_t kPurgeAtStart = 64;
constexpr size_t kPurgeAtRemove = 4;

// Times that a name is looked up while others replace what it stands for.
constexpr int kLooks = 1000;

constexpr const char* kFind =
    "SELECT o.content, o.length, c.segment_size, o.modified_ns FROM object o "
    "JOIN content c ON c.id = o.content WHERE o.name = ?";
constexpr const char* kIsLive = "SELECT 1 FROM content WHERE id = ? AND state = 1";
constexpr const char* kBury =
    "UPDATE content SET state = 2 WHERE id = (SELECT content FROM object WHERE name = ?)";
constexpr const char* kRemove = "DELETE FROM object WHERE name = ?";

sdk::Failure no_such_object(std::string_view name) {
  return sdk::Failure(CB_E_NOT_FOUND, "object " + std::string(name) + " does not exist", ENOENT,
                      CB_ERROR_PERMANENT);
}

Opening opening_of(const sdk::Config& config) {
  const auto patience = std::chrono::nanoseconds(config.number(kBusyTimeout));
  return {std::string(config.text(kFile)), config.boolean(kCreate),
          std::chrono::duration_cast<std::chrono::milliseconds>(patience)};
}

// Makes the tables before anything else opens the file.
const Opening& prepared(const Opening& opening) {
  prepare_file(opening);
  return opening;
}

// Takes a number that no other open store has.
int64_t take_owner(const sdk::Host& host, LockFile& locks) {
  for (;;) {
    uint64_t number = 0;
    host.random(std::as_writable_bytes(std::span(&number, 1)));
    const auto owner = static_cast<int64_t>(number >> 3);
    if (locks.own(owner)) return owner;
  }
}

}  // namespace

Store::Store(const sdk::Host& host, const sdk::Config& config)
    : opening_(opening_of(config)),
      segment_size_(static_cast<size_t>(config.number(kSegment))),
      locks_(prepared(opening_).path),
      owner_(take_owner(host, locks_)),
      writer_(host, opening_, static_cast<uint64_t>(config.number(kLogLimit))),
      readers_(opening_, static_cast<size_t>(config.number(kReaders))),
      purger_(host, writer_, locks_) {
  purger_.bury_orphans();
  purger_.purge(kPurgeAtStart);
}

Store::Found Store::find(Connection& file, std::string_view name) {
  Query query(file, kFind);
  if (!query.with(name).row()) throw no_such_object(name);
  return {query.number(0), static_cast<uint64_t>(query.number(1)),
          static_cast<uint64_t>(query.number(2)), query.number(3)};
}

void Store::stat(std::string_view name, cb_object& out) {
  const auto file = readers_.borrow();
  const Found found = find(*file, name);
  sdk::set_object(out, name, found.length, found.modified_ns);
}

std::unique_ptr<Put> Store::put_begin(std::string_view name, uint64_t, uint32_t flags) {
  return std::make_unique<Put>(*this, std::string(name), (flags & CB_PUT_IF_ABSENT) != 0);
}

std::unique_ptr<Get> Store::get_open(std::string_view name, uint64_t offset, uint64_t length) {
  const auto file = readers_.borrow();
  for (int look = 0; look < kLooks; ++look) {
    const Found found = find(*file, name);
    if (offset > found.length || length > found.length - offset)
      throw sdk::Failure(CB_E_LIMIT,
                         "object " + std::string(name) + " has only " +
                             std::to_string(found.length) + " bytes, wanted " +
                             std::to_string(length) + " from " + std::to_string(offset),
                         0, CB_ERROR_PERMANENT);
    const uint64_t end = length == 0 ? found.length : offset + length;
    auto get = std::make_unique<Get>(*this, found.content, found.segment_size, offset, end);
    // Between the look and the pin it may have been replaced: then the name is looked up again.
    if (get->pin() && Query(*file, kIsLive).with(found.content).row()) return get;
  }
  throw sdk::Failure(CB_E_BUSY, "object " + std::string(name) + " is replaced all the time", 0,
                     CB_ERROR_RETRY);
}

void Store::remove(std::string_view name) {
  writer_.durable([&](Connection& file) {
    Query(file, kBury).with(name).run();
    if (Query(file, kRemove).with(name).run() == 0) throw no_such_object(name);
  });
  purger_.purge(kPurgeAtRemove);
}

std::unique_ptr<List> Store::list_open(std::string_view prefix, std::string_view after) {
  return std::make_unique<List>(*this, std::string(prefix), std::string(after));
}

void Store::space(cb_space& out) {
  const DiskSpace disk = writer_.disk_space();
  const auto file = readers_.borrow();
  const int64_t unused = file->number("PRAGMA freelist_count") * file->number("PRAGMA page_size");
  out.total = disk.total;
  out.free = disk.free + static_cast<uint64_t>(unused);
}

}  // namespace store_sqlite
