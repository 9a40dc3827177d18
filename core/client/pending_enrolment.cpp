// SPDX-License-Identifier: Apache-2.0
//
// The file is a record in the notation of docs/repository-format.md, with SHA-256 of itself at its
// end:
//   version=1 uint ‖ token[16] ‖ repository bytes ‖ certificate bytes ‖ list of slot bytes ‖
//   device seed[32] ‖ write key[32] ‖ recovery code[32] ‖ hash[32]
#include "core/client/pending_enrolment.h"

#include <algorithm>

#include "core/client/key_file.h"
#include "core/identity/signing.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"

namespace cb::client {
namespace {

constexpr size_t kKeySize = 32;
constexpr uint64_t kLongest = 1 << 20;

tl::unexpected<Error> damaged(const os::Path& path) {
  return failed(Code::corrupt, path.string(), "is damaged",
                "if the server took this enrolment, ask the operator to remove the account and "
                "give a new token; then delete the file and enrol again");
}

}  // namespace

os::Path pending_file(const os::Path& folder) { return folder / "enrolment"; }

Secret encode(const PendingEnrolment& pending) {
  repository::RecordWriter writer;
  writer.uint(1);
  writer.fixed(pending.token.view());
  writer.bytes(pending.repository);
  writer.bytes(pending.certificate);
  writer.list(pending.slots, [&](const Bytes& slot) { writer.bytes(slot); });
  // What is secret comes last, with room made for it: growing would leave copies behind.
  writer.reserve(writer.written().size() + 3 * kKeySize + sizeof(identity::Hash));
  writer.fixed(pending.device_seed.view());
  writer.fixed(pending.write_key.view());
  writer.fixed(pending.recovery_code.view());
  writer.fixed(identity::sha256(writer.written()));
  Secret encoded(writer.written());
  wipe(writer.span());
  return encoded;
}

Result<PendingEnrolment> decode_pending(ByteView bytes) {
  if (bytes.size() < sizeof(identity::Hash))
    return failed(Code::corrupt, "pending enrolment", "is cut off");
  const ByteView content = bytes.first(bytes.size() - sizeof(identity::Hash));
  const identity::Hash hash = identity::sha256(content);
  if (!std::equal(hash.begin(), hash.end(), bytes.end() - sizeof(identity::Hash)))
    return failed(Code::corrupt, "pending enrolment", "does not fit its hash");
  repository::RecordReader reader(content, "pending enrolment");
  reader.version();
  PendingEnrolment pending;
  pending.token = reader.id<repository::TokenId>();
  pending.repository = to_bytes(reader.bytes());
  pending.certificate = to_bytes(reader.bytes());
  const size_t slots = reader.count(1);
  for (size_t i = 0; i < slots && reader.ok(); ++i)
    pending.slots.push_back(to_bytes(reader.bytes()));
  pending.device_seed = Secret(reader.raw(kKeySize));
  pending.write_key = Secret(reader.raw(kKeySize));
  pending.recovery_code = Secret(reader.raw(kKeySize));
  CB_TRY(reader.done());
  return pending;
}

Result<std::optional<PendingEnrolment>> load_pending(os::FileSystem& files,
                                                     const os::Path& folder) {
  const os::Path path = pending_file(folder);
  const auto content = os::read_secret_file(files, path, kLongest);
  if (!content && content.error().code == Code::not_found) return std::optional<PendingEnrolment>();
  if (!content) return failed(content.error());
  auto pending = decode_pending(content->view());
  if (!pending) return damaged(path);
  return std::optional<PendingEnrolment>(std::move(*pending));
}

Status save_pending(os::FileSystem& files, const os::Path& folder,
                    const PendingEnrolment& pending) {
  CB_TRY(make_lasting_folder(files, folder));
  return keep_file(files, pending_file(folder), encode(pending).view());
}

}  // namespace cb::client
