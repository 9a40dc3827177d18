// SPDX-License-Identifier: Apache-2.0
//
// One v3 upload on its way into the store: packets in, plain bytes checksummed and sealed as they
// come. Nothing is visible before commit. Used by one thread at a time; functions block.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/protocol/v3/cksum.h"
#include "core/server/v3_archive.h"
#include "core/server/v3_cipher.h"
#include "core/server/v3_spool.h"

namespace cb::server {

// What the first packet of an upload says.
struct V3UploadPlan {
  ClientId client;
  std::string file_name;  // as it will be stored
  uint64_t cipher_size = 0;
  std::optional<uint64_t> plain_size;  // the 2023 dialect does not say it
  uint16_t total = 1;                  // packets
  bool from_zero = false;              // numbers run 0..total-1 and not 1..total
};

class V3Upload {
 public:
  // Begins the deposit. `key` opens the ciphertext.
  static Result<std::unique_ptr<V3Upload>> open(V3UploadPlan plan, const plugin::Key& key,
                                                V3Archive& archive, V3Spool spool);

  // Code::invalid for a number out of range, Code::exists for one that has been stored already.
  Status begin_packet(uint16_t number);
  // True when this packet is the next one and none is spooled: then begin_packet and end_packet do
  // not block.
  [[nodiscard]] bool in_order(uint16_t number) const;
  Status content(ByteView cipher);
  // How many bytes of content should come at once, so that the least lies in memory.
  [[nodiscard]] size_t wanted() const { return spooling_ ? V3Cipher::kChunk : cipher_.wanted(); }
  // True when this was the last missing packet; then the upload is complete.
  Result<bool> end_packet();

  [[nodiscard]] const V3UploadPlan& plan() const { return plan_; }
  [[nodiscard]] bool complete() const { return complete_; }
  // Valid when complete.
  [[nodiscard]] uint32_t cksum() const { return cksum_.value(); }
  [[nodiscard]] uint64_t plain_bytes() const { return cipher_.plain_bytes(); }

  // Makes it the newest version of its file, durably. The upload is spent.
  Status commit();

 private:
  V3Upload(V3UploadPlan plan, V3Cipher cipher, std::unique_ptr<V3Deposit> sink, V3Spool spool);
  Status feed(ByteView cipher);

  V3UploadPlan plan_;
  V3Cipher cipher_;
  v3::Cksum cksum_;
  std::unique_ptr<V3Deposit> sink_;
  V3Spool spool_;
  uint16_t next_ = 0;      // the packet whose turn it is, counted from 0
  bool spooling_ = false;  // the packet under way came before its turn
  bool complete_ = false;
};

}  // namespace cb::server
