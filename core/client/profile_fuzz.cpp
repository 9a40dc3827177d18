// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a profile's description, as a pending enrolment and as a pending join, whose hash is
// set right: what is taken comes back.
#include <algorithm>
#include <cstdlib>

#include "core/client/pending_enrolment.h"
#include "core/client/pending_join.h"
#include "core/client/profile.h"
#include "core/identity/signing.h"

using namespace cb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto profile = client::parse_profile_text(text, "fuzz")) {
    const std::string again = client::profile_text(*profile);
    const auto back = client::parse_profile_text(again, "fuzz");
    if (!back || client::profile_text(*back) != again) std::abort();
  }
  if (const auto pending = client::decode_pending(as_bytes(text))) {
    const Secret again = client::encode(*pending);
    if (!equal_in_constant_time(again.view(), as_bytes(text))) std::abort();
  }
  Bytes whole = to_bytes(as_bytes(text));
  const identity::Hash hash = identity::sha256(whole);
  whole.insert(whole.end(), hash.begin(), hash.end());
  if (const auto pending = client::decode_pending_join(whole)) {
    const Secret again = client::encode(*pending);
    if (!equal_in_constant_time(again.view(), whole)) std::abort();
  }
  return 0;
}
