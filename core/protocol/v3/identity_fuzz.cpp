// SPDX-License-Identifier: Apache-2.0
//
// Feeds any bytes to the parsers of transfer.info, me.info and priv.key. What is accepted must be
// read back the same after it was written.
#include <cstdlib>

#include "core/protocol/v3/identity_files.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cb;
  const ByteView input = std::as_bytes(std::span(data, size));
  if (const auto info = v3::parse_transfer_info(as_text(input)))
    require(*v3::parse_transfer_info(v3::format_transfer_info(*info)) == *info);
  if (const auto info = v3::parse_me_info(input)) {
    const auto again = v3::parse_me_info(v3::format_me_info(*info).view());
    require(again && again->id == info->id && again->user_name == info->user_name);
    require(equal_in_constant_time(again->private_key.view(), info->private_key.view()));
  }
  if (const auto key = v3::parse_private_key(input)) require(key->size() >= 4);
  return 0;
}
