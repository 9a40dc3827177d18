// SPDX-License-Identifier: Apache-2.0
//
// Writes one pack into the store, blob by blob and piece by piece. It becomes visible, whole and
// durable, by finish() alone. Used by one thread at a time. After an error only its end helps.
#pragma once

#include <memory>

#include "core/plugin/store.h"
#include "core/repository/pack.h"

namespace cb::repository {

class PackWriter {
 public:
  static Result<std::unique_ptr<PackWriter>> begin(plugin::Store& store, const PackHeader& header);

  // The head was checked; then content of head.stored_size bytes, then end_blob.
  Status begin_blob(const BlobHead& head);
  // Code::invalid past the announced size.
  Status content(ByteView stored);
  // Code::invalid when bytes are lacking.
  Status end_blob();
  // Leaves a void record instead of the blob that was begun.
  Status cut();

  // Footer, end, commit. The writer is spent; a blob that was begun is cut.
  Status finish();

  [[nodiscard]] const PackHeader& header() const { return header_; }
  // Blobs that are whole, in order.
  [[nodiscard]] const std::vector<PackedBlob>& blobs() const { return blobs_; }
  [[nodiscard]] uint64_t size() const { return size_; }
  // Valid after finish().
  [[nodiscard]] const ChecksumBytes& digest() const { return digest_; }

 private:
  PackWriter(plugin::Put put, const PackHeader& header) : put_(std::move(put)), header_(header) {}
  Status write(ByteView bytes);
  Status write_out(ByteView bytes);

  plugin::Put put_;
  PackHeader header_;
  Bytes waiting_;  // small writes are joined
  std::vector<PackedBlob> blobs_;
  PackedBlob open_;
  bool is_open_ = false;
  uint64_t taken_ = 0;  // stored bytes of the open blob
  uint64_t size_ = 0;
  Checksum whole_, blob_;
  ChecksumBytes digest_{};
};

}  // namespace cb::repository
