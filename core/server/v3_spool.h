// SPDX-License-Identifier: Apache-2.0
//
// Packets that came before their turn, in a file without a name: any number of them costs no
// memory, and a crash leaves nothing. Used by one thread at a time; functions block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/os/file_system.h"

namespace cb::server {

class V3Spool {
 public:
  // Nothing is opened before the first packet. `budget`: most bytes that may be kept.
  V3Spool(os::FileSystem& files, os::Path folder, uint64_t budget);

  // Begins to keep a packet; one of the same number that was kept before is replaced.
  Status begin(uint16_t number);
  // Code::limit past the budget.
  Status append(ByteView content);
  Status end();

  // True as long as no packet ever came before its turn; then take() does not block.
  [[nodiscard]] bool unused() const { return file_ == nullptr; }

  // Gives the packet to `sink` piece by piece and returns true, or false when it is not here.
  Result<bool> take(uint16_t number, const std::function<Status(ByteView)>& sink);

 private:
  struct Slot {
    uint64_t offset = 0;
    uint64_t length = 0;  // plus one; 0 = no packet
  };
  Result<Slot> slot_of(uint16_t number);
  Status set_slot(uint16_t number, Slot slot);

  os::FileSystem& files_;
  os::Path folder_;
  uint64_t budget_;
  std::unique_ptr<os::File> file_;
  uint16_t number_ = 0;  // the packet being appended to
  uint64_t begin_ = 0;
  uint64_t end_;
};

}  // namespace cb::server
