// SPDX-License-Identifier: Apache-2.0
//
// What a load run is asked to do, and the content that it sends. Plain data.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.h"

namespace cb::bench {

struct LoadPlan {
  uint32_t clients = 250;
  uint64_t size = 8 << 20;        // plain bytes of each upload
  uint32_t idle_connections = 0;  // held open beside the uploads
  std::string host = "127.0.0.1";
  uint16_t port = 1256;
  int daemon = 0;           // process id of the daemon, 0 = unknown
  bool text = false;        // compressible content
  std::string cipher_file;  // where the first client's ciphertext and key are left, "" = nowhere
};

// `size` plain bytes, random-looking or lines of a log; the same each time.
Bytes make_content(uint64_t size, bool text);

}  // namespace cb::bench
