// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the decoders of all records: whatever one takes, encode writes again byte for byte. The
// first byte chooses the record.
#include <algorithm>
#include <cstdlib>

#include "core/repository/drill_record.h"
#include "core/repository/opened_blobs.h"
#include "core/repository/records.h"

using namespace cb;
using namespace cb::repository;

namespace {

ByteView view_of(const Bytes& bytes) { return bytes; }
ByteView view_of(const Secret& secret) { return secret.view(); }

template <typename Record>
void check(const Result<Record>& record, ByteView input) {
  if (!record) return;
  const auto encoded = encode(*record);
  const ByteView again = view_of(encoded);
  if (!std::equal(input.begin(), input.end(), again.begin(), again.end())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView input(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  switch (data[0]) {
    case '0':
      check(decode_repository(input), input);
      break;
    case '1':
      check(decode_session(input), input);
      break;
    case '2':
      check(decode_snapshot(input), input);
      break;
    case '3':
      check(decode_commit(input), input);
      break;
    case '4':
      check(decode_slot(input), input);
      break;
    case '5':
      check(decode_certificate(input), input);
      break;
    case '7':
      check(decode_account(input), input);
      break;
    case '8':
      check(decode_invite(input), input);
      break;
    case '9':
      check(decode_change(input), input);
      break;
    case 'a':
      check(decode_opened(input), input);
      break;
    case 'b':
      check(decode_retention(input), input);
      break;
    case 'c':
      check(decode_drill(input), input);
      break;
    case 'd':
      check(decode_replica(input), input);
      break;
    default:
      check(decode_keyring(input), input);
      break;
  }
  return 0;
}
