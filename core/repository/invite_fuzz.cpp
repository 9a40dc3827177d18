// SPDX-License-Identifier: Apache-2.0
//
// Any text as an invite: what is taken has one text, which gives the same invite. The same bytes as
// a reader's lock, which has one encoding.
#include <algorithm>
#include <cstdlib>

#include "core/repository/invite.h"
#include "core/repository/slots.h"

using namespace cb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto lock = repository::decode_device_lock(as_bytes(text)))
    if (as_text(repository::encode(*lock)) != text) std::abort();
  const auto invite = repository::parse_invite(text);
  if (!invite) return 0;
  const auto again = repository::format_invite(*invite);
  if (!again) std::abort();
  std::string plain(text);
  std::erase_if(plain, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  if (*again != plain) std::abort();
  return 0;
}
