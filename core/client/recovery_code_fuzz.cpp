// SPDX-License-Identifier: Apache-2.0
//
// Any text as a recovery code: what is taken comes back from its own text.
#include <cstdlib>

#include "core/client/recovery_code.h"

using namespace cb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto code = client::parse_recovery_code(text);
  if (!code) return 0;
  if (code->size() != 32 || !client::looks_like_recovery_code(text)) std::abort();
  const auto again = client::parse_recovery_code(client::format_recovery_code(code->view()));
  if (!again || !equal_in_constant_time(again->view(), code->view())) std::abort();
  return 0;
}
