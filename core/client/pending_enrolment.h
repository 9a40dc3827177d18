// SPDX-License-Identifier: Apache-2.0
//
// What an enrolment keeps on disk from before the server hears of it until the recovery code was
// shown: <profile>/enrolment, 0600. Functions block and are thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "core/os/file_system.h"
#include "core/repository/pairing_token.h"

namespace cb::client {

struct PendingEnrolment {
  repository::TokenId token;
  Bytes repository;  // records
  Bytes certificate;
  std::vector<Bytes> slots;
  Secret device_seed;  // these three: 32 bytes each
  Secret write_key;
  Secret recovery_code;
};

os::Path pending_file(const os::Path& folder);

// Nothing when there is none; Code::corrupt names the file and says what to do.
Result<std::optional<PendingEnrolment>> load_pending(os::FileSystem& files, const os::Path& folder);
Status save_pending(os::FileSystem& files, const os::Path& folder, const PendingEnrolment& pending);

Secret encode(const PendingEnrolment& pending);
// Code::corrupt for anything that encode does not write.
Result<PendingEnrolment> decode_pending(ByteView bytes);

}  // namespace cb::client
