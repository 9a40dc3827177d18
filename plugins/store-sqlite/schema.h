// SPDX-License-Identifier: Apache-2.0
//
// The tables of the database file, and how a file is made or recognised. Safe beside other
// processes that do the same.
//
//   object   what is visible: name -> content
//   content  one row per object ever begun: being written, live, or dead and to be deleted
//   segment  the bytes: row number = content * kSegmentsPerContent + index from 0
#pragma once

#include <cstdint>

#include "connection.h"

namespace store_sqlite {

// Values of content.state.
enum State : int64_t { kWriting = 0, kLive = 1, kDead = 2 };

inline constexpr int64_t kSegmentsPerContent = int64_t{1} << 24;

// How one connection may wait for others, and whether a missing file is made.
struct Opening {
  std::string path;
  bool create = false;
  std::chrono::milliseconds patience{0};
};

// Makes the tables if the file is new, and checks that it is ours and of a format known here.
void prepare_file(const Opening& opening);

// A connection to a prepared file; `cache` is its page cache in bytes.
std::unique_ptr<Connection> open_connection(const Opening& opening, int64_t cache);

}  // namespace store_sqlite
