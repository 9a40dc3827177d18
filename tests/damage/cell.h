// SPDX-License-Identifier: Apache-2.0
//
// The words of the table: what is damaged, how, and what is expected then. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cb::damage {

// What is damaged. In the order of the documentation.
enum class Place : uint8_t {
  // Objects of the store.
  repository_record,
  key_slot,
  certificate,
  account_note,
  retention_note,
  opened_note,
  session_object,
  change_note,
  old_commit,
  newest_commit,
  set_aside,
  data_pack,
  pack_header,
  record_head,
  big_blob,
  old_blob,
  shared_blob,
  patch,
  signature,
  packed_session,
  footer,
  pack_end,
  node_pack,
  node,
  old_node,
  snapshot_blob,
  v3_pack,
  v3_note,
  v3_slot,
  store_layout,
  store_file,
  // Files of the daemon.
  catalog,
  catalog_blob,
  catalog_commit,
  catalog_account,
  catalog_log,
  audit_record,
  event,
  server_key,
  signing_key,
  tls_key,
  tls_certificate,
  configuration,
  // Files of a device.
  profile,
  device_key,
  write_key,
  reader_key,
  chain,
  history,
  receipt,
  scan_cache,
  journal,
  fine_index,
  pending,
  witness,
  key_file,
};
constexpr size_t kPlaces = static_cast<size_t>(Place::key_file) + 1;

enum class Kind : uint8_t { bit, zeros, noise, cut, missing, swapped, doubled, old };
constexpr size_t kKinds = static_cast<size_t>(Kind::old) + 1;

enum class Store : uint8_t { files, sqlite };
// In which of them a row of the table counts.
enum class In : uint8_t { both, files, sqlite };

// Who looks. A set of them is a number.
enum Looker : uint32_t {
  nobody = 0,
  check = 1 << 0,         // cyberbackupd check
  read_check = 1 << 1,    // cyberbackupd check --read-data
  rescue = 1 << 2,        // cyberbackup-rescue check
  start = 1 << 3,         // the daemon does not start, or logs an error
  client = 1 << 4,        // a client's command that only connects, and reads its own files
  client_check = 1 << 5,  // cyberbackup check --read-data
  restore_old = 1 << 6,   // restore of a snapshot from before the newest change
  restore_new = 1 << 7,   // restore of the newest snapshot
  verify = 1 << 8,        // the job verify
  backup = 1 << 9,        // the next backup
  audit = 1 << 10,        // cyberbackupd audit verify
  legacy = 1 << 11,       // cyberbackupd legacy export
  use = 1 << 12,          // the command that the file is for (enroll, check --against)
};

// What makes it well again.
enum class Cure : uint8_t {
  none_needed,  // nothing is wrong
  itself,       // the daemon's start, or the next command of the client
  verify,       // the job verify
  backup,       // the next backup
  compact,      // the job compact
  rebuild,      // cyberbackupd rebuild-catalog
  advice,       // what the message says: the file is deleted or brought back
  nothing,      // old snapshots lack what was damaged; it comes from elsewhere
};

// Is the next backup fine, and restores as what was saved?
enum class Next : uint8_t {
  fine,
  after_cure,  // it ends with the message, and is fine after the cure
};

struct Cell {
  Place place{};
  Kind kind{};
  uint32_t seen_by = nobody;  // exactly these
  Cure cure = Cure::none_needed;
  Next next = Next::fine;
  // What the messages have to name: a text, or $target (the object or file), $blob, $path.
  std::string_view names = {};
  // Why nothing is to be seen, or, with `cannot_be`, why there is no such damage.
  std::string_view why = {};
  bool cannot_be = false;
  In in = In::both;

  [[nodiscard]] bool is_about(Store store) const {
    return in == In::both || (in == In::files) == (store == Store::files);
  }
};

// A row: who notices, what mends it, what the messages name.
constexpr Cell seen(Place place, Kind kind, uint32_t by, Cure cure, std::string_view names,
                    In in = In::both) {
  return {place, kind, by, cure, Next::fine, names, {}, false, in};
}
// The same of damage that stops backups until it is mended.
constexpr Cell stops(Place place, Kind kind, uint32_t by, Cure cure, std::string_view names,
                     In in = In::both) {
  return {place, kind, by, cure, Next::after_cure, names, {}, false, in};
}
// Nobody has to notice it.
constexpr Cell harmless(Place place, Kind kind, std::string_view why, In in = In::both) {
  return {place, kind, nobody, Cure::none_needed, Next::fine, {}, why, false, in};
}
// There is no such damage.
constexpr Cell cannot_be(Place place, Kind kind, std::string_view why) {
  return {place, kind, nobody, Cure::none_needed, Next::fine, {}, why, true, In::both};
}

std::string_view name_of(Place place);
std::string_view name_of(Kind kind);
std::string_view name_of(Cure cure);
// Does a house with this store have it?
bool is_in(Place place, Store store);

}  // namespace cb::damage
