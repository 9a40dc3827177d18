// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the parser of key files. Mutations seldom have the right check, so it is put right: what
// is taken then is written and read again.
#include <cstdlib>
#include <string>

#include "core/identity/signing.h"
#include "core/rescue/rescue_key.h"

using namespace cb;

namespace {

std::string with_check(std::string text) {
  const size_t last = text.rfind("\ncheck ");
  text.resize(last == std::string::npos ? text.size() : last + 1);
  const auto hash = identity::sha256(as_bytes(text));
  return text + "check " + to_hex(ByteView(hash).first(8)) + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)rescue::parse_rescue_key(text);
  const auto key = rescue::parse_rescue_key(with_check(text));
  if (!key) return 0;
  const Secret written = rescue::format_rescue_key(*key);
  const auto again = rescue::parse_rescue_key(as_text(written.view()));
  if (!again || again->record != key->record) std::abort();
  return 0;
}
