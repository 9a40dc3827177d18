// SPDX-License-Identifier: Apache-2.0
//
// Reading packs to see whether they are whole: what is asked for and what came of it. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/repository/blob.h"

namespace cb::repository {

struct VerifyOptions {
  std::chrono::nanoseconds max_age{};    // packs that were found good more recently are left out
  uint64_t most_bytes = 0;               // to be read, but at least one pack; 0: no limit
  std::chrono::nanoseconds most_time{};  // as long, but at least one pack; 0: no limit
  unsigned share = 100;                  // per cent of the packs that are due, by chance
  bool dry_run = false;                  // only tells how many packs are due
};

struct Verified {
  uint64_t packs = 0, blobs = 0, bytes = 0;  // that were read
  uint64_t bad_packs = 0;                    // of those
  uint64_t left_packs = 0, left_bytes = 0;   // that are due still
  uint64_t newly_wanted = 0;                 // blobs that were found damaged
  uint64_t healed = 0;                       // that are whole again since the run before
  uint64_t mended = 0;                       // records that were written anew from the catalog
  std::vector<std::string> findings;         // each a sentence that names its object
  std::vector<std::string> notes;            // what is odd and harms nothing
  bool is_short = false;                     // a limit ended it
};

// A blob that was found damaged and is to be sent again.
struct WantedBlob {
  BlobId id;
  BlobKind kind = BlobKind::data;
};

struct WantedPage {
  std::vector<WantedBlob> blobs;  // by id
  bool last = false;
};

}  // namespace cb::repository
