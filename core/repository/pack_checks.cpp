// SPDX-License-Identifier: Apache-2.0
//
// CRC-32C by table; record headers are small.
#include "core/repository/pack_checks.h"

#include <xxhash.h>

#include <cstdlib>

namespace cb::repository {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = (value & 1) != 0 ? (value >> 1) ^ kPolynomial : value >> 1;
    table[i] = value;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

}  // namespace

uint32_t crc32c(ByteView bytes) {
  uint32_t value = 0xffffffff;
  for (const std::byte b : bytes)
    value = kTable[(value ^ std::to_integer<uint32_t>(b)) & 0xff] ^ (value >> 8);
  return value ^ 0xffffffff;
}

struct Checksum::State {
  State() : handle(XXH3_createState()) {
    if (handle == nullptr) std::abort();  // out of memory for half a kilobyte
  }
  ~State() { XXH3_freeState(handle); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  XXH3_state_t* handle;
};

Checksum::Checksum() : state_(std::make_unique<State>()) { reset(); }
Checksum::~Checksum() = default;
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;

void Checksum::reset() { XXH3_128bits_reset(state_->handle); }

void Checksum::update(ByteView bytes) {
  XXH3_128bits_update(state_->handle, bytes.data(), bytes.size());
}

ChecksumBytes Checksum::value() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->handle));
  ChecksumBytes bytes;
  static_assert(sizeof canonical.digest == kChecksumSize);
  std::memcpy(bytes.data(), canonical.digest, kChecksumSize);
  return bytes;
}

}  // namespace cb::repository
