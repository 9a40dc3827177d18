// SPDX-License-Identifier: Apache-2.0
//
// Deletes the segments of contents that are dead, in steps that are short transactions, and gives
// much unused space back to the system. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "cyberbackup/cpp/host.hpp"
#include "lock_file.h"
#include "writer.h"

namespace store_sqlite {

class Purger {
 public:
  Purger(const cyberbackup::sdk::Host& host, Writer& writer, LockFile& locks);

  // Declares dead what owners that are gone left unfinished.
  void bury_orphans();

  // Declares a content of this store dead. When that fails it is tried again by later purges.
  void abandon(int64_t content) noexcept;

  // Does up to `steps` steps. Failures are logged: what is left is done later.
  void purge(size_t steps) noexcept;

 private:
  struct Dead {
    int64_t content = 0;
    int64_t segment_size = 0;
  };

  bool step();
  bool delete_some(const Dead& dead);
  bool shrink_some();
  void bury_abandoned();
  std::vector<Dead> find_dead();

  cyberbackup::sdk::Host host_;
  Writer& writer_;
  LockFile& locks_;
  std::mutex mutex_;
  std::vector<int64_t> abandoned_;  // under mutex_
};

}  // namespace store_sqlite
