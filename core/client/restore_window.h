// SPDX-License-Identifier: Apache-2.0
//
// A stretch of a restore that is fetched at once: which blobs it needs and where their bytes go.
// Blobs that several files need are fetched once. Filled by one thread, run on several.
#pragma once

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/client/restore.h"
#include "core/client/restore_file.h"

namespace cb::client {

class RestoreWindow {
 public:
  // `extent` is no hole and goes to `offset` of the file, which expects one more piece now.
  void add(const std::shared_ptr<RestoreFile>& file, uint64_t offset,
           const repository::Extent& extent);
  // The file's last piece was added.
  void end_file();
  [[nodiscard]] bool full() const;

  // Fetches and writes everything, and is empty then. Fails with what stops the restore.
  Status run(BlobFetcher& fetcher, unsigned threads, const std::atomic<bool>& cancelled);

 private:
  struct Use {
    std::shared_ptr<RestoreFile> file;
    uint64_t file_offset = 0;
    uint64_t blob_offset = 0;
    uint64_t length = 0;
  };
  static Status write(const repository::BlobId& id, const repository::PlainBlob& blob,
                      const std::vector<Use>& uses);

  std::vector<repository::BlobId> order_;  // of first use
  std::unordered_map<repository::BlobId, std::vector<Use>, repository::IdHash> uses_;
  size_t use_count_ = 0;
  size_t pieces_of_file_ = 0;
  size_t open_files_ = 0;  // those that may have to stay open between two blobs
};

}  // namespace cb::client
