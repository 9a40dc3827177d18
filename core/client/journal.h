// SPDX-License-Identifier: Apache-2.0
//
// Where an earlier backup got to. The cache that a backup writes is its journal until it is
// committed: what stands in it was named, not necessarily kept. So after an interruption only those
// files are taken over whose every blob the repository has. Used by one thread at a time.
#pragma once

#include <functional>

#include "core/client/cache.h"

namespace cb::client {

// The files of one source set's cache.
struct CacheFiles {
  os::Path cache;    // of the last backup that was committed
  os::Path journal;  // of the running one
  os::Path kept;     // what was taken over from interrupted ones
  os::Path lock;
  os::Path fine;  // the index of signatures

  static CacheFiles of(const os::Path& folder, const repository::KeyedHash& source);
};

using HaveBlobs = std::function<Result<std::vector<bool>>(std::span<const repository::BlobId>)>;

// Merges the journal with what was kept before, and keeps the files whose blobs are all there; the
// journal is removed. Returns how many files are kept. Fails only when `have` does, or when the
// disk is full.
Result<uint64_t> keep_durable(os::FileSystem& files, const CacheFiles& places,
                              const CacheHeader& header, const HaveBlobs& have);

// Several caches side by side, read in step with a walk.
class OldEntries {
 public:
  // Earlier ones are asked first.
  void add(std::unique_ptr<CacheReader> reader);
  // The entry with this path and stat, if one is to be trusted. Paths rise from call to call.
  std::optional<CachedEntry> find(const std::string& path, const SourceStat& stat);
  // Was there a file of the last path asked for, whatever it was like?
  [[nodiscard]] bool knew() const { return knew_; }
  // The last file that was there and was not asked for; empty while there is none.
  [[nodiscard]] const std::string& passed() const { return passed_; }

 private:
  struct Source {
    std::unique_ptr<CacheReader> reader;
    std::optional<CachedEntry> next;
  };
  void pass(Source& source, const std::string& path);

  std::vector<Source> sources_;
  bool knew_ = false;
  std::string passed_;
};

}  // namespace cb::client
