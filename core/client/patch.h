// SPDX-License-Identifier: Apache-2.0
//
// A data blob that is being made of what is new in several regions of big files. Used by one thread
// at a time.
#pragma once

#include <memory>

#include "core/client/piece.h"
#include "core/repository/blob_signature.h"

namespace cb::client {

class Patch {
 public:
  Patch();

  // Adds a piece, and tells at which offset it lies.
  uint32_t add(ByteView bytes, const repository::PieceHash& hash);
  // A stretch of a region begins in it.
  void note_stretch() { ++stretches_; }
  // Is it to be stored now? When it is large, has very many pieces, or many stretches lie in it.
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] bool is_empty() const { return signature_.pieces.empty(); }
  [[nodiscard]] const std::shared_ptr<Piece>& piece() const { return piece_; }

  // Headroom and content.
  Bytes take_buffer() { return std::move(buffer_); }
  repository::BlobSignature take_signature() { return std::move(signature_); }

 private:
  std::shared_ptr<Piece> piece_;
  Bytes buffer_;
  repository::BlobSignature signature_;
  size_t stretches_ = 0;
};

}  // namespace cb::client
