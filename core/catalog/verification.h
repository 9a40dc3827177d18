// SPDX-License-Identifier: Apache-2.0
//
// Which packs are to be read to see whether they are whole, and which blobs were found damaged and
// are wanted again. Abstract; thread-safe; functions block and belong on a worker. Each function
// is one transaction. Times are nanoseconds since 1970 UTC; `repository` is a repository's number.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/catalog/index.h"

namespace cb::catalog {

// A pack of everybody that is not on its way out.
struct VerifiedPack {
  int64_t number = 0;
  Bytes16 name{};
  uint8_t pack_class = 0;
  uint64_t size = 0;
  Bytes16 digest{};
  int64_t verified_ns = 0;  // when it was last read whole and good; 0: never
  bool is_bad = false;      // it was not, the last time
};

// How many packs are to be read.
struct DuePacks {
  uint64_t packs = 0;
  uint64_t bytes = 0;
};

// A blob that the index finds in a pack.
struct PackBlob {
  BlobRow blob;
  int64_t domain = 0;
  bool is_condemned = false;
  bool is_wanted = false;  // it was found damaged
};

struct WantedBlob {
  Bytes32 id{};
  uint8_t kind = 0;
  int64_t since_ns = 0;
};

class Verification {
 public:
  virtual ~Verification() = default;

  // Those that were found bad, whose number is past `after`, by number; at most `most`.
  virtual Result<std::vector<VerifiedPack>> bad_packs(int64_t repository, int64_t after,
                                                      size_t most) = 0;
  // Others that were not found good since `before_ns`, the oldest first, behind `after` (which may
  // have changed since); at most `most`.
  virtual Result<std::vector<VerifiedPack>> old_packs(int64_t repository, int64_t before_ns,
                                                      const std::optional<VerifiedPack>& after,
                                                      size_t most) = 0;
  // All, whose number is past `after`, by number; at most `most`.
  virtual Result<std::vector<VerifiedPack>> all_packs(int64_t repository, int64_t after,
                                                      size_t most) = 0;
  // What the first two have in all.
  virtual Result<DuePacks> due(int64_t repository, int64_t before_ns) = 0;
  // What came of reading a pack; may be lost with a crash. Not an error for one that is gone.
  virtual Status set_verified(int64_t pack, bool is_bad, int64_t now_ns) = 0;

  // By offset, with their children.
  virtual Result<std::vector<PackBlob>> blobs(int64_t pack) = 0;

  // Blobs of a domain that are to be sent again from the time that they are condemned there, until
  // they are sent; those that are not there are passed over. Durable.
  virtual Status want(int64_t repository, int64_t domain, std::span<const Bytes32> ids,
                      int64_t now_ns) = 0;
  // What is wanted of who has this view, and that it has no other copy of; with `any`, all. By id,
  // each once, past `after`; at most `most`.
  virtual Result<std::vector<WantedBlob>> wanted(int64_t repository, const View& view,
                                                 const Bytes32& after, size_t most) = 0;
  // How many that are, up to a hundred thousand.
  virtual Result<uint64_t> count_wanted(int64_t repository, const View& view) = 0;
  // Blobs that are whole all the same: they are missing, and wanted, no more. How many of `ids`
  // were wanted there.
  virtual Result<uint64_t> absolve(int64_t repository, int64_t domain,
                                   std::span<const Bytes32> ids) = 0;
  // Forgets what came again, or is needed no more. How many.
  virtual Result<uint64_t> drop_settled(int64_t repository) = 0;
};

}  // namespace cb::catalog
