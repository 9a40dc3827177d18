// SPDX-License-Identifier: Apache-2.0
//
// The sources of the simulated year: what lies on them from day to day, and who they are. A file is
// a row of pieces; the bytes of a piece follow from its number, so that a snapshot of the model
// costs little and every byte of a restored one can be checked. Used by one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/repository/engine.h"
#include "core/repository/entry.h"

namespace cb::year {

// The same on every system, unlike the distributions of <random>.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t draw();
  uint64_t below(uint64_t end) { return draw() % end; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// Bytes of a piece.
Bytes content_of(uint64_t piece);

struct PathOrder {
  bool operator()(const std::string& one, const std::string& other) const {
    return repository::compare_paths(one, other) < 0;
  }
};
using Files = std::map<std::string, std::vector<uint64_t>, PathOrder>;

class Source {
 public:
  // `number` from 0: every fifth has a big file that changes in places.
  Source(uint64_t seed, size_t number, size_t account, repository::Viewer device,
         uint64_t pieces_of_image);

  // A day of work: some pieces change, a file comes or goes; now and then much of it at once.
  void work();
  [[nodiscard]] const Files& files() const { return files_; }

  [[nodiscard]] std::string name() const;  // for messages

  size_t number = 0;
  size_t account = 0;
  repository::Viewer device;
  repository::KeyedHash hash;  // of its paths
  uint64_t backups = 0;        // that were begun
  int64_t still_until_ns = 0;  // nothing changes before

 private:
  uint64_t new_piece();
  void add_file();

  Dice dice_;
  Files files_;
  uint64_t next_file_ = 0;
};

}  // namespace cb::year
