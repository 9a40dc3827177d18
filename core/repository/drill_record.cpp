// SPDX-License-Identifier: Apache-2.0
#include "core/repository/drill_record.h"

#include <algorithm>

#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

constexpr uint64_t kDrillVersion = 1;

void write_unsigned_drill(RecordWriter& to, const DrillRecord& record) {
  to.uint(kDrillVersion);
  to.fixed(record.device.view());
  to.sint(record.begun_ns);
  to.sint(record.ended_ns);
  to.list(record.snapshots, [&to](const BlobId& id) { to.fixed(id.view()); });
  to.uint(record.files_listed);
  to.uint(record.files);
  to.uint(record.bytes);
  to.uint(record.live);
  to.uint(record.problems);
}

Bytes drill_signed_part(const DrillRecord& record, const RepositoryId& repository) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/drill/1"));
  to.fixed(repository.view());
  write_unsigned_drill(to, record);
  return to.take();
}

// What makes no sense whoever signed it.
std::string_view drill_flaw(const DrillRecord& record) {
  if (record.ended_ns < record.begun_ns) return "ended before it began";
  if (record.snapshots.empty() || record.snapshots.size() > kMostDrilled)
    return "names no snapshot, or too many";
  if (std::adjacent_find(record.snapshots.begin(), record.snapshots.end(),
                         std::greater_equal<>()) != record.snapshots.end())
    return "has snapshots in another order";
  if (record.files > record.files_listed || record.live > record.files)
    return "has more files than there are";
  return {};
}

}  // namespace

Bytes encode(const DrillRecord& record) {
  RecordWriter to;
  write_unsigned_drill(to, record);
  to.fixed(record.signature);
  return to.take();
}

Result<DrillRecord> decode_drill(ByteView bytes) {
  RecordReader from(bytes, "drill record");
  DrillRecord record;
  from.version();
  record.device = from.id<DeviceId>();
  record.begun_ns = from.sint();
  record.ended_ns = from.sint();
  record.snapshots.resize(from.count(BlobId::kSize));
  for (BlobId& id : record.snapshots) id = from.id<BlobId>();
  record.files_listed = from.uint();
  record.files = from.uint();
  record.bytes = from.uint();
  record.live = from.uint();
  record.problems = from.uint();
  record.signature = from.fixed<kSignatureSize>();
  if (const std::string_view flaw = drill_flaw(record); from.ok() && !flaw.empty())
    from.refuse(flaw);
  CB_TRY(from.done());
  return record;
}

Status sign_drill(DrillRecord& record, const RepositoryId& repository, const DrillSigner& sign) {
  CB_ASSIGN(record.signature, sign(drill_signed_part(record, repository)));
  return {};
}

Status verify_drill(const DrillRecord& record, const RepositoryId& repository,
                    const SigningPublic& device) {
  if (record.device == device_of(device) &&
      identity::verify(device, drill_signed_part(record, repository), record.signature))
    return {};
  return failed(Code::auth, "drill record", "is not signed by device " + device_of(device).hex());
}

}  // namespace cb::repository
