// SPDX-License-Identifier: Apache-2.0
//
// The note of copies that an owner verified (docs/repository-format.md, "Opened"). Functions are
// pure.
#pragma once

#include <vector>

#include "core/repository/ids.h"

namespace cb::repository {

// Copies that an owner verified, by the packs that they lie in. The server's own note, not signed.
struct OpenedBlobs {
  struct InPack {
    PackName pack;
    std::vector<BlobId> blobs;

    bool operator==(const InPack&) const = default;
  };
  std::vector<InPack> packs;

  bool operator==(const OpenedBlobs&) const = default;
};

Bytes encode(const OpenedBlobs& record);
// Code::corrupt for anything that encode does not write, Code::unsupported for another version.
Result<OpenedBlobs> decode_opened(ByteView bytes);

}  // namespace cb::repository
