// SPDX-License-Identifier: Apache-2.0
//
// The stream below a TLS session, as OpenSSL wants to see it. Used on the stream's strand.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "cyberbackup/transport.h"
#include "owned.h"

namespace transport_tls {

// What passed between OpenSSL and the stream below; outlives the BIO.
struct Lower {
  explicit Lower(const cb_lower& stream) : below(stream) {}

  const cb_lower& below;
  cb_status read_want = CB_OK;   // what the last read of the stream below wanted
  cb_status write_want = CB_OK;  // what its last write wanted
  cb_status failure = CB_OK;     // the failure of the stream below, once there was one
  int os_errno = 0;
  uint32_t failure_flags = 0;
  std::string message;
  bool ended = false;            // the stream below came to its end
  std::vector<std::byte> first;  // what was read before there was a session: it reads this first
  bool gathers = false;          // what OpenSSL writes waits for flush()
  std::vector<std::byte> unsent;
  size_t sent = 0;  // bytes of `unsent`

  // Sends what waits, as far as the stream below takes it: CB_OK when nothing is left, a want, or
  // a failure, which is kept.
  cb_status flush();

  // Keeps what went wrong below.
  void keep(cb_status status, const cb_error& error);
};

// A BIO over `lower`, which it borrows. Throws CB_E_NO_MEMORY.
BioPtr make_lower_bio(Lower& lower);

}  // namespace transport_tls
