// SPDX-License-Identifier: Apache-2.0
//
// The file is a record in the notation of docs/repository-format.md, with SHA-256 of itself at its
// end:
//   version=1 uint ‖ client[16] ‖ repository bytes ‖ certificate bytes ‖ list of slot bytes ‖
//   server slot[16] ‖ device seed[32] ‖ recovery code[32] ‖ write key[32] ‖ hash[32]
// Before the server handed anything over, the repository is empty and the rest of it is zero.
#include "core/client/pending_migration.h"

#include <algorithm>

#include "core/client/key_file.h"
#include "core/identity/signing.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"

namespace cb::client {
namespace {

constexpr size_t kMigrationSecret = 32;
constexpr uint64_t kLongestMigration = 1 << 20;

tl::unexpected<Error> damaged_migration(const os::Path& path) {
  return failed(Code::corrupt, path.string(), "is damaged",
                "bring it back from a copy; if the server never took this migration, delete it and "
                "migrate again");
}

}  // namespace

os::Path migration_file(const os::Path& folder) { return folder / "migration"; }

Secret encode(const PendingMigration& pending) {
  repository::RecordWriter writer;
  writer.uint(1);
  writer.fixed(pending.client.view());
  writer.bytes(pending.repository);
  writer.bytes(pending.certificate);
  writer.list(pending.slots, [&](const Bytes& slot) { writer.bytes(slot); });
  writer.fixed(pending.server_slot.view());
  // What is secret comes last, with room made for it: growing would leave copies behind.
  writer.reserve(writer.written().size() + 3 * kMigrationSecret + sizeof(identity::Hash));
  writer.fixed(pending.device_seed.view());
  writer.fixed(pending.recovery_code.view());
  const Secret none(kMigrationSecret);
  writer.fixed(pending.has_keys() ? pending.write_key.view() : none.view());
  writer.fixed(identity::sha256(writer.written()));
  Secret encoded(writer.written());
  wipe(writer.span());
  return encoded;
}

Result<PendingMigration> decode_migration(ByteView bytes) {
  if (bytes.size() < sizeof(identity::Hash))
    return failed(Code::corrupt, "pending migration", "is cut off");
  const ByteView content = bytes.first(bytes.size() - sizeof(identity::Hash));
  const identity::Hash hash = identity::sha256(content);
  if (!std::equal(hash.begin(), hash.end(), bytes.end() - sizeof(identity::Hash)))
    return failed(Code::corrupt, "pending migration", "does not fit its hash");
  repository::RecordReader reader(content, "pending migration");
  reader.version();
  PendingMigration pending;
  pending.client = reader.id<ClientId>();
  pending.repository = to_bytes(reader.bytes());
  pending.certificate = to_bytes(reader.bytes());
  const size_t slots = reader.count(1);
  for (size_t i = 0; i < slots && reader.ok(); ++i)
    pending.slots.push_back(to_bytes(reader.bytes()));
  pending.server_slot = reader.id<repository::SlotId>();
  pending.device_seed = Secret(reader.raw(kMigrationSecret));
  pending.recovery_code = Secret(reader.raw(kMigrationSecret));
  pending.write_key = Secret(reader.raw(kMigrationSecret));
  CB_TRY(reader.done());
  return pending;
}

Result<std::optional<PendingMigration>> load_migration(os::FileSystem& files,
                                                       const os::Path& folder) {
  const os::Path path = migration_file(folder);
  const auto content = os::read_secret_file(files, path, kLongestMigration);
  if (!content && content.error().code == Code::not_found) return std::optional<PendingMigration>();
  if (!content) return failed(content.error());
  auto pending = decode_migration(content->view());
  if (!pending) return damaged_migration(path);
  return std::optional<PendingMigration>(std::move(*pending));
}

Status save_migration(os::FileSystem& files, const os::Path& folder,
                      const PendingMigration& pending) {
  CB_TRY(make_lasting_folder(files, folder));
  return keep_file(files, migration_file(folder), encode(pending).view());
}

}  // namespace cb::client
