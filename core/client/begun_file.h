// SPDX-License-Identifier: Apache-2.0
//
// How far a backup got with a big file when its connection was lost, so that the next connection
// goes on there: without it, each would read the file from its beginning, and over a link that
// breaks more often than that takes, none would ever get to its end. Kept in memory alone. Used by
// one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "core/client/journal.h"
#include "core/client/piece.h"
#include "core/client/scanner.h"

namespace cb::client {

class BegunFile {
 public:
  // Of a file with this path and stat, found by a scan that began then (is_settled).
  BegunFile(std::string path, const SourceStat& stat, int64_t scan_began_ns);

  // Another pass adds from the beginning; what is here already is the same.
  void begin_again();
  // Where the next bytes of the file lie; all pieces of it are placed.
  void add(const Stretch& stretch);
  // Keeps the beginning of which the repository has everything, up to the end of a piece. Fails
  // only when `have` does.
  Status keep_durable(const HaveBlobs& have);

  // Is it this file, as it was? Not when it may have changed without a trace in its stat.
  [[nodiscard]] bool is_of(const std::string& path, const SourceStat& stat) const;
  [[nodiscard]] const std::vector<Stretch>& stretches() const { return stretches_; }
  // Bytes of the file that they are.
  [[nodiscard]] uint64_t length() const { return length_; }

 private:
  [[nodiscard]] size_t whole_before(size_t end) const;

  std::string path_;
  SourceStat stat_;
  bool is_settled_;
  std::vector<Stretch> stretches_;
  uint64_t length_ = 0;
  size_t again_ = 0;  // stretches that are still to be added a second time
};

}  // namespace cb::client
