// SPDX-License-Identifier: Apache-2.0
#include "core/client/patch.h"

#include "core/repository/keys.h"

namespace cb::client {
namespace {

constexpr size_t kPatchSize = 1024 * 1024;  // bytes
constexpr size_t kMostPieces = 16 * 1024;   // short ones; their hashes have to fit a signature
constexpr size_t kMostInPatch = 256;

}  // namespace

Patch::Patch() : piece_(std::make_shared<Piece>()) { buffer_.resize(repository::kIdHeadroom); }

uint32_t Patch::add(ByteView bytes, const repository::PieceHash& hash) {
  const auto offset = static_cast<uint32_t>(buffer_.size() - repository::kIdHeadroom);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  signature_.add(static_cast<uint32_t>(bytes.size()), hash);
  return offset;
}

bool Patch::is_full() const {
  return buffer_.size() >= kPatchSize || signature_.pieces.size() >= kMostPieces ||
         stretches_ >= kMostInPatch;
}

}  // namespace cb::client
