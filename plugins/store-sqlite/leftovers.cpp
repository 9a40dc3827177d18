// SPDX-License-Identifier: Apache-2.0
//
// store-sqlite-leftovers FILE: prints how many traces of invisible objects a store's file has
// (contents that are not live, contents and segments without an object), for tests. Fails when the
// file does not pass SQLite's own check. One thread.
#include <cstdio>
#include <string>

#include "cyberbackup/cpp/failure.hpp"
#include "schema.h"

namespace {

constexpr const char* kCount =
    "SELECT (SELECT count(*) FROM content WHERE state <> 1)"
    " + (SELECT count(*) FROM content WHERE state = 1 AND id NOT IN (SELECT content FROM object))"
    " + (SELECT count(*) FROM object WHERE content NOT IN (SELECT id FROM content))"
    " + (SELECT count(*) FROM segment WHERE id / 16777216 NOT IN (SELECT content FROM object))";
static_assert(store_sqlite::kSegmentsPerContent == 16777216);

int print_leftovers(const std::string& path) {
  using store_sqlite::Connection;
  Connection file(path, false, std::chrono::seconds(30));
  store_sqlite::Query check(file, "PRAGMA integrity_check");
  if (!check.row() || check.text(0) != "ok") return 1;
  std::printf("%lld\n", static_cast<long long>(file.number(kCount)));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    return print_leftovers(argv[1]);
  } catch (const cyberbackup::sdk::Failure& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}
