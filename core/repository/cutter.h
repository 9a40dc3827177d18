// SPDX-License-Identifier: Apache-2.0
//
// Where content is cut: FastCDC with the repository's secret gear table (docs/repository-format.md,
// "Content"). A Cutter is constant and for any thread; a StreamCutter for one at a time.
#pragma once

#include <array>

#include "core/repository/records.h"

namespace cb::repository {

using GearTable = std::array<uint64_t, 256>;

// Code::invalid unless 64 <= min <= average <= max <= kMaxData, average is a power of two from 256
// to 2^40, and small_file is at most max.
Status check_cutting(const Cutting& sizes);

class Cutter {
 public:
  // `sizes` passed check_cutting. The table is copied.
  Cutter(const GearTable& gear, const Cutting& sizes);

  // Length of the piece that starts at data[0], at least 1; all of `data` when no cut is in it.
  // Final when it is less than data.size(), when data.size() >= max, or when the content ends
  // there.
  [[nodiscard]] size_t cut(ByteView data) const;

  [[nodiscard]] const Cutting& sizes() const { return sizes_; }

 private:
  friend class StreamCutter;
  // Goes on in a piece of which `length` bytes with gear hash `hash` were seen. Returns how many
  // bytes of `data` belong to it; `ended` says whether the piece ends with them.
  size_t advance(ByteView data, uint64_t& length, uint64_t& hash, bool& ended) const;

  GearTable gear_;
  Cutting sizes_;
  uint64_t hard_ = 0;  // masks
  uint64_t easy_ = 0;
};

// The same cuts over content that comes in any portions.
class StreamCutter {
 public:
  // `cutter` outlives this.
  explicit StreamCutter(const Cutter& cutter) : cutter_(&cutter) {}

  // Takes the bytes of `data` that still belong to the piece at hand and returns their number;
  // `ended` is set when the piece ends with them: the next byte starts another.
  size_t take(ByteView data, bool& ended);
  // The content ended, or shall be cut here.
  void restart();
  // Bytes in the piece so far.
  [[nodiscard]] uint64_t length() const { return length_; }

 private:
  const Cutter* cutter_;
  uint64_t length_ = 0;
  uint64_t hash_ = 0;
};

}  // namespace cb::repository
