// SPDX-License-Identifier: Apache-2.0
//
// What came of a drill: a device restored a sample of snapshots and compared. Signed with the
// device's key; it tells numbers and ids of snapshots, never a name (docs/repository-format.md).
// Functions are pure.
#pragma once

#include <functional>
#include <vector>

#include "core/identity/signing.h"
#include "core/repository/records.h"

namespace cb::repository {

constexpr size_t kMostDrilled = 64;  // snapshots in one record

struct DrillRecord {
  DeviceId device;
  int64_t begun_ns = 0;  // by the device's clock, as the next
  int64_t ended_ns = 0;
  std::vector<BlobId> snapshots;  // that were drilled, by id
  uint64_t files_listed = 0;      // in those snapshots: what the sample was drawn from
  uint64_t files = 0;             // restored and compared
  uint64_t bytes = 0;             // of these
  uint64_t live = 0;              // of these, compared with the source itself, too
  uint64_t problems = 0;  // files that did not come back as they were, lists that are damaged
  Signature signature{};

  bool operator==(const DrillRecord&) const = default;
};

Bytes encode(const DrillRecord& record);
// Code::corrupt for anything that encode does not write, and for a record that contradicts itself.
Result<DrillRecord> decode_drill(ByteView bytes);

// Signs with the device's key, whose id the record has to name.
using DrillSigner = std::function<Result<Signature>(ByteView)>;
Status sign_drill(DrillRecord& record, const RepositoryId& repository, const DrillSigner& sign);
// Code::auth unless the device with this key signed it for this repository.
Status verify_drill(const DrillRecord& record, const RepositoryId& repository,
                    const SigningPublic& device);

}  // namespace cb::repository
