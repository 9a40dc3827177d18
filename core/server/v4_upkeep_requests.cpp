// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session answers about session records, the chain of commits, and copies that nobody
// vouches for. All on workers.
#include "core/server/v4_message.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using repository::BlobId;
using repository::DeviceId;
using v4::Response;

// So many bytes of records make an answer, but for a single record that is longer.
constexpr size_t kPage = 128 * 1024;
constexpr size_t kOfEntry = 32;  // that a record needs beside itself
constexpr size_t kMostSessions = 512;
constexpr size_t kMostCommits = 512;
constexpr size_t kMostCopies = 2048;
constexpr size_t kMostWanted = 2048;

}  // namespace

Result<V4Session::Answer> V4Session::sessions(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::Sessions>(message));
  repository::SessionId after;
  if (!said.after().empty()) {
    CB_ASSIGN(after, v4::id_of<repository::SessionId>(said.after()));
  }
  CB_ASSIGN(const auto found, shared_.parts.engine->sessions(member_->repository, said.epoch(),
                                                             after, kMostSessions));
  v4::pb::SessionsReply reply;
  size_t size = 0;
  for (const repository::SessionEntry& entry : found) {
    const size_t more = entry.record.size() + kOfEntry;
    if (size > 0 && size + more > kPage) break;
    auto* info = reply.add_sessions();
    info->set_session(v4::field_of(entry.session.view()));
    info->set_record(v4::field_of(entry.record));
    size += more;
  }
  reply.set_last(found.size() < kMostSessions &&
                 static_cast<size_t>(reply.sessions_size()) == found.size());
  return Answer{Response::sessions, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::put_sessions(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::PutSessions>(message));
  std::vector<repository::SessionEntry> entries;
  for (const auto& info : said.sessions()) {
    repository::SessionEntry entry;
    CB_ASSIGN(entry.session, v4::id_of<repository::SessionId>(info.session()));
    entry.record = to_bytes(v4::view_of(info.record()));
    entries.push_back(std::move(entry));
  }
  CB_TRY(shared_.owners->put_sessions(*member_, entries));
  audit("v4.sessions.put", "sessions", std::to_string(entries.size()));
  return Answer{Response::done, v4::encode(v4::pb::Done())};
}

Result<V4Session::Answer> V4Session::chain(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::Chain>(message));
  return chain_page(member_->repository, said.sequence());
}

Result<V4Session::Answer> V4Session::chain_page(const repository::RepositoryId& repository,
                                                uint64_t sequence) const {
  CB_ASSIGN(const std::vector<Bytes> found,
            shared_.parts.engine->commits(repository, sequence, kMostCommits));
  v4::pb::ChainReply reply;
  size_t size = 0;
  for (const Bytes& commit : found) {
    if (size > 0 && size + commit.size() + kOfEntry > kPage) break;
    reply.add_commits(v4::field_of(commit));
    size += commit.size() + kOfEntry;
  }
  reply.set_last(found.size() < kMostCommits &&
                 static_cast<size_t>(reply.commits_size()) == found.size());
  return Answer{Response::chain, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::copies(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::Copies>(message));
  CB_ASSIGN(const repository::CopyPage page,
            shared_.parts.engine->copies(member_->repository, said.after(), kMostCopies));
  v4::pb::CopiesReply reply;
  for (const repository::BlobCopy& copy : page.copies) {
    auto* info = reply.add_copies();
    info->set_id(v4::field_of(copy.id.view()));
    info->set_kind(static_cast<uint32_t>(copy.kind));
    info->set_device(v4::field_of(copy.device.view()));
  }
  reply.set_cursor(page.cursor);
  reply.set_last(page.last);
  return Answer{Response::copies, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::wanted(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::Wanted>(message));
  BlobId after;
  if (!said.after().empty()) {
    CB_ASSIGN(after, v4::id_of<BlobId>(said.after()));
  }
  CB_ASSIGN(
      const repository::WantedPage page,
      shared_.parts.engine->wanted(member_->repository, member_->viewer(), after, kMostWanted));
  std::vector<BlobId> ids;
  v4::pb::WantedReply reply;
  for (const repository::WantedBlob& blob : page.blobs) {
    ids.push_back(blob.id);
    reply.mutable_kinds()->push_back(static_cast<char>(blob.kind));
  }
  reply.set_ids(v4::join_ids(ids));
  reply.set_last(page.last);
  return Answer{Response::wanted, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::signatures(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::Signatures>(message));
  CB_ASSIGN(const repository::SignaturePage page,
            shared_.parts.engine->signatures(member_->repository, member_->viewer(), said.before(),
                                             v4::kIdsMax));
  v4::pb::SignaturesReply reply;
  reply.set_ids(v4::join_ids(page.ids));
  reply.set_next(page.next);
  reply.set_last(page.last);
  return Answer{Response::signatures, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::verified(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::Verified>(message));
  CB_ASSIGN(const auto device, v4::id_of<DeviceId>(said.device()));
  CB_ASSIGN(const std::vector<BlobId> ids, v4::split_ids(said.ids(), v4::kIdsMax));
  CB_ASSIGN(const repository::Viewer whose, shared_.accounts->viewer_of(*member_, device));
  // Removing data takes the passphrase; so a device alone condemns nothing that owners put.
  if (said.bad() && (whose.device.is_zero() || whose.role == repository::Role::owner))
    return failed(Code::denied, "copies", "that an owner put are vouched for already",
                  "only copies of writers' devices are condemned");
  CB_TRY(shared_.parts.engine->verified(member_->repository, whose, ids, said.bad()));
  audit(said.bad() ? "v4.copies.condemned" : "v4.copies.verified", "copies",
        std::to_string(ids.size()) + " of device " + device.hex());
  return Answer{Response::done, v4::encode(v4::pb::Done())};
}

}  // namespace cb::server
