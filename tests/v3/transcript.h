// SPDX-License-Identifier: Apache-2.0
//
// A recorded v3 session from tests/data/legacy/transcripts: the bytes of both directions and the
// facts of its README. Plain values.
#pragma once

#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/id.h"

namespace cb::server {

struct RecordedMessage {
  bool from_client = false;
  uint16_t code = 0;
  Bytes bytes;  // header, payload and, in the 2023 dialect, the content behind it
};

struct Transcript {
  std::string name;
  std::vector<RecordedMessage> messages;  // as the server received and sent them
  Bytes plain;
  Bytes private_key;  // DER
  std::string user_name;
  std::string file_name;
  std::vector<ClientId> request_ids;
  std::vector<ClientId> response_ids;
  bool sha1 = false;
  Bytes aes_key;
  uint32_t plain_cksum = 0;
};

// Reads one session by the name of its folder. Throws std::runtime_error when it cannot.
Transcript load_transcript(const std::string& name);

// The folders' names.
std::vector<std::string> transcript_names();

}  // namespace cb::server
