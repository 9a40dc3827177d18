// SPDX-License-Identifier: Apache-2.0
//
// The file is a record in the notation of docs/repository-format.md, with SHA-256 of itself at its
// end:
//   version=1 uint ‖ invite[16] ‖ account bytes ‖ repository bytes ‖ certificate bytes ‖
//   list of slot bytes ‖ reader lock bytes ‖ device seed[32] ‖ write key bytes ‖ hash[32]
#include "core/client/pending_join.h"

#include <algorithm>

#include "core/client/key_file.h"
#include "core/identity/signing.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"

namespace cb::client {
namespace {

constexpr uint64_t kLongestPending = 1 << 20;

}  // namespace

os::Path join_file(const os::Path& folder) { return folder / "joining"; }

Secret encode(const PendingJoin& pending) {
  repository::RecordWriter writer;
  writer.uint(1);
  writer.fixed(pending.invite.view());
  writer.text(pending.account);
  writer.bytes(pending.repository);
  writer.bytes(pending.certificate);
  writer.list(pending.slots, [&](const Bytes& slot) { writer.bytes(slot); });
  writer.bytes(pending.reader_lock);
  // What is secret comes last, with room made for it: growing would leave copies behind.
  writer.reserve(writer.written().size() + 2 * identity::kSeedSize + 8 + sizeof(identity::Hash));
  writer.fixed(pending.device_seed.view());
  writer.bytes(pending.write_key.view());
  writer.fixed(identity::sha256(writer.written()));
  Secret encoded(writer.written());
  wipe(writer.span());
  return encoded;
}

Result<PendingJoin> decode_pending_join(ByteView bytes) {
  if (bytes.size() < sizeof(identity::Hash))
    return failed(Code::corrupt, "pending join", "is cut off");
  const ByteView content = bytes.first(bytes.size() - sizeof(identity::Hash));
  const identity::Hash hash = identity::sha256(content);
  if (!std::equal(hash.begin(), hash.end(), bytes.end() - sizeof(identity::Hash)))
    return failed(Code::corrupt, "pending join", "does not fit its hash");
  repository::RecordReader reader(content, "pending join");
  reader.version();
  PendingJoin pending;
  pending.invite = reader.id<repository::InviteId>();
  pending.account = reader.text();
  pending.repository = to_bytes(reader.bytes());
  pending.certificate = to_bytes(reader.bytes());
  const size_t slots = reader.count(1);
  for (size_t i = 0; i < slots && reader.ok(); ++i)
    pending.slots.push_back(to_bytes(reader.bytes()));
  pending.reader_lock = to_bytes(reader.bytes());
  pending.device_seed = Secret(reader.raw(identity::kSeedSize));
  pending.write_key = Secret(reader.bytes());
  CB_TRY(reader.done());
  return pending;
}

Result<std::optional<PendingJoin>> load_pending_join(os::FileSystem& files,
                                                     const os::Path& folder) {
  const os::Path path = join_file(folder);
  const auto content = os::read_secret_file(files, path, kLongestPending);
  if (!content && content.error().code == Code::not_found) return std::optional<PendingJoin>();
  if (!content) return failed(content.error());
  auto pending = decode_pending_join(content->view());
  if (pending) return std::optional<PendingJoin>(std::move(*pending));
  return failed(Code::corrupt, path.string(), "is damaged",
                "delete the file and ask the owner for another invite");
}

Status save_pending_join(os::FileSystem& files, const os::Path& folder,
                         const PendingJoin& pending) {
  CB_TRY(make_lasting_folder(files, folder));
  return keep_file(files, join_file(folder), encode(pending).view());
}

}  // namespace cb::client
