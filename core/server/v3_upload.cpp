// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_upload.h"

#include <utility>

namespace cb::server {

Result<std::unique_ptr<V3Upload>> V3Upload::open(V3UploadPlan plan, const plugin::Key& key,
                                                 V3Archive& archive, V3Spool spool) {
  CB_ASSIGN(plugin::Open opener, key.open({}, {}));
  CB_ASSIGN(std::unique_ptr<V3Deposit> sink, archive.begin(plan.client, plan.file_name));
  V3Cipher cipher(std::move(opener), plan.cipher_size, plan.plain_size);
  return std::unique_ptr<V3Upload>(
      new V3Upload(std::move(plan), std::move(cipher), std::move(sink), std::move(spool)));
}

V3Upload::V3Upload(V3UploadPlan plan, V3Cipher cipher, std::unique_ptr<V3Deposit> sink,
                   V3Spool spool)
    : plan_(std::move(plan)),
      cipher_(std::move(cipher)),
      sink_(std::move(sink)),
      spool_(std::move(spool)) {}

Status V3Upload::begin_packet(uint16_t number) {
  const int index = plan_.from_zero ? number : number - 1;
  if (index < 0 || index >= plan_.total)
    return failed(Code::invalid, plan_.file_name,
                  "packet " + std::to_string(number) + " of " + std::to_string(plan_.total));
  if (index < next_)
    return failed(Code::exists, plan_.file_name,
                  "packet " + std::to_string(number) + " came twice");
  spooling_ = index > next_;
  return spooling_ ? spool_.begin(static_cast<uint16_t>(index)) : Status{};
}

bool V3Upload::in_order(uint16_t number) const {
  return spool_.unused() && number == next_ + (plan_.from_zero ? 0 : 1);
}

Status V3Upload::content(ByteView cipher) {
  return spooling_ ? spool_.append(cipher) : feed(cipher);
}

Result<bool> V3Upload::end_packet() {
  if (spooling_) {
    CB_TRY(spool_.end());
    return false;
  }
  ++next_;
  while (next_ < plan_.total) {
    CB_ASSIGN(const bool found, spool_.take(next_, [this](ByteView piece) { return feed(piece); }));
    if (!found) return false;
    ++next_;
  }
  CB_TRY(cipher_.finish());
  complete_ = true;
  return true;
}

Status V3Upload::feed(ByteView cipher) {
  return cipher_.feed(cipher, [this](ByteView plain) {
    cksum_.update(plain);
    return sink_->write(plain);
  });
}

Status V3Upload::commit() {
  if (!complete_) return failed(Code::state, plan_.file_name, "is not complete");
  return sink_->commit(cksum());
}

}  // namespace cb::server
