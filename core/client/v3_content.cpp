// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_content.h"

#include <algorithm>
#include <array>

namespace cb::client {
namespace {

constexpr size_t kMaxPadding = 16;

}  // namespace

V3Content::V3Content(os::File& file, std::string name, uint64_t size, plugin::Seal seal,
                     uint32_t chunk)
    : file_(file),
      name_(std::move(name)),
      size_(size),
      seal_(std::move(seal)),
      plain_(std::min<uint64_t>(chunk, size)),
      sealed_(plain_.size() + kMaxPadding) {}

Result<size_t> V3Content::next(ByteSpan into) {
  size_t filled = 0;
  while (filled < into.size()) {
    if (sealed_at_ == sealed_size_) {
      if (ended_) break;
      CB_TRY(refill());
    }
    const size_t part = std::min(into.size() - filled, sealed_size_ - sealed_at_);
    std::copy_n(sealed_.begin() + static_cast<ptrdiff_t>(sealed_at_), part,
                into.begin() + static_cast<ptrdiff_t>(filled));
    sealed_at_ += part;
    filled += part;
  }
  return filled;
}

Status V3Content::refill() {
  const uint64_t left = size_ - sum_.size();
  const ByteSpan chunk = std::span(plain_).first(std::min<uint64_t>(plain_.size(), left));
  CB_TRY(read_chunk(chunk));
  ended_ = chunk.size() == left;
  if (ended_) {
    std::array<std::byte, 1> more{};
    CB_ASSIGN(const size_t got, file_.read_at(more, size_));
    if (got != 0) return failed(changed("longer"));
  }
  sum_.update(chunk);
  CB_ASSIGN(sealed_size_, seal_.chunk(chunk, ended_, sealed_));
  sealed_at_ = 0;
  return {};
}

Status V3Content::read_chunk(ByteSpan into) {
  uint64_t at = sum_.size();
  while (!into.empty()) {
    CB_ASSIGN(const size_t got, file_.read_at(into, at));
    if (got == 0) return failed(changed("shorter"));
    into = into.subspan(got);
    at += got;
  }
  return {};
}

Error V3Content::changed(const char* how) const {
  return fail(Code::state, name_,
              std::string("became ") + how + " than its " + std::to_string(size_) +
                  " bytes while it was read",
              "send it again when nothing writes to it");
}

}  // namespace cb::client
