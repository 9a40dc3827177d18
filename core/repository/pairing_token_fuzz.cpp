// SPDX-License-Identifier: Apache-2.0
//
// Any text as a pairing token: what is taken has one text, which gives the same token.
#include <algorithm>
#include <cstdlib>

#include "core/repository/pairing_token.h"

using namespace cb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)repository::parse_replica_token(text);
  const auto token = repository::parse_pairing_token(text);
  if (!token) return 0;
  const auto again = repository::format_pairing_token(*token);
  if (!again) std::abort();
  std::string plain(text);
  std::erase_if(plain, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  if (*again != plain) std::abort();
  return 0;
}
