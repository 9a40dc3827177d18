// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/cell.h"

namespace cb::damage {
namespace {

constexpr std::array<std::string_view, kPlaces> kPlaceNames = {
    "repository record",
    "key slot",
    "device certificate",
    "account note",
    "retention note",
    "note of opened copies",
    "session record that rotation made",
    "change that was broken off",
    "commit record, an old one",
    "commit record, the newest",
    "record that was set aside",
    "data pack",
    "data pack: header",
    "data pack: record of a blob",
    "data pack: piece of a big file",
    "data pack: piece of a big file that changed since",
    "data pack: blob of small files",
    "data pack: patch",
    "data pack: signature",
    "data pack: session record",
    "data pack: footer",
    "data pack: end",
    "pack of file lists",
    "file list of the newest snapshot",
    "file list of an old snapshot",
    "snapshot blob",
    "pack of an old client",
    "note of an old client",
    "key slot of an old client",
    "store-fs: `layout`",
    "store-sqlite: the file",
    "`catalog.sqlite`",
    "catalog: row of a blob",
    "catalog: row of a commit",
    "catalog: row of an account",
    "catalog: log after a crash",
    "audit log: a record",
    "`notify/`: an event that waits",
    "`keys/server.key`",
    "`keys/signing.key`",
    "`keys/tls.key`",
    "`keys/tls.crt`",
    "`cyberbackupd.toml`",
    "`profile.json`",
    "`device.key`",
    "`write.key`",
    "`reader.key`",
    "`chain`",
    "`history`",
    "`receipt`",
    "scan cache",
    "journal of a backup",
    "index of signatures",
    "`enrolment`, pending",
    "witness file",
    "exported key file",
};

constexpr std::array<std::string_view, kKinds> kKindNames = {
    "one bit", "page of zeros", "page of noise", "cut short",
    "missing", "swapped",       "doubled",       "old version"};

}  // namespace

std::string_view name_of(Place place) { return kPlaceNames[static_cast<size_t>(place)]; }

std::string_view name_of(Kind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string_view name_of(Cure cure) {
  switch (cure) {
    case Cure::none_needed:
      return "nothing to mend";
    case Cure::itself:
      return "mends itself";
    case Cure::verify:
      return "`verify` mends it";
    case Cure::backup:
      return "the next backup mends it";
    case Cure::compact:
      return "`compact` mends it";
    case Cure::rebuild:
      return "`rebuild-catalog` mends it";
    case Cure::advice:
      return "bring it back, as the message says";
    case Cure::nothing:
      return "old snapshots lack it";
  }
  return {};
}

bool is_in(Place place, Store store) {
  if (place == Place::store_layout) return store == Store::files;
  if (place == Place::store_file) return store == Store::sqlite;
  // Each store has these in its own way; the rest lies outside of it.
  return place <= Place::v3_slot || store == Store::files;
}

}  // namespace cb::damage
