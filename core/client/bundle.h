// SPDX-License-Identifier: Apache-2.0
//
// Content on its way into pieces: the stream of one big file, or the one that small files share,
// and how much of each shared blob is in use. Used by one thread at a time.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/client/blob_line.h"
#include "core/client/piece.h"
#include "core/repository/cutter.h"

namespace cb::client {

// Cuts what is appended and hands the pieces over.
class PieceStream {
 public:
  // What is cut: contents that share pieces, or one file with its own, which may lean on others.
  enum class Content { shared, of_one_file };

  // Both outlive the stream.
  PieceStream(const repository::Cutter& cutter, BlobLine& line, Content content)
      : line_(line),
        cut_(cutter),
        content_(content),
        usual_(cutter.sizes().average * 3 / 2),
        most_(repository::kIdHeadroom + cutter.sizes().max) {}

  // Adds to `to` where the bytes lie.
  Status append(ByteView data, std::vector<Stretch>& to);
  // A hole of the file, which is not stored. Adds it to `to`.
  void skip(uint64_t length, std::vector<Stretch>& to);
  // What is open becomes a piece of its own.
  Status end();
  // The next file begins, or goes on there, between two of its pieces.
  void begin_file(uint64_t position) { position_ = position; }

 private:
  void open();
  Status hand_over();

  BlobLine& line_;
  repository::StreamCutter cut_;
  Content content_;
  uint64_t position_ = 0;     // in the file
  uint64_t piece_began_ = 0;  // likewise
  size_t usual_;              // bytes that a piece seldom exceeds
  size_t most_;               // that a buffer can need
  std::shared_ptr<Piece> piece_;
  Bytes buffer_;
};

// Adds a hole, or makes the last one longer.
void append_hole(uint64_t length, std::vector<Stretch>& to);

// Counts how much of the blobs with small files the snapshot being made uses. When it is less than
// half of one, the next backup stores those files anew.
class BundleTable {
 public:
  // What the last backup found.
  explicit BundleTable(const std::vector<BundleUse>& last);

  // Is little of this blob in use?
  [[nodiscard]] bool wasteful(const repository::BlobId& blob) const;
  // A small file uses `length` bytes of a blob that has `size` bytes, or as many at least.
  void use(const repository::BlobId& blob, uint64_t length, uint32_t size);
  // For the next backup.
  [[nodiscard]] std::vector<BundleUse> uses() const;

 private:
  struct Use {
    uint32_t size = 0;
    uint32_t used = 0;
    bool wasteful = false;
  };
  std::unordered_map<ShortId, Use, repository::IdHash> table_;
};

}  // namespace cb::client
