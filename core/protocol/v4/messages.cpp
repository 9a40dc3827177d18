// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/messages.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>

#include "core/base/utf8.h"

namespace cb::v4 {
namespace {

using repository::BlobHead;
using repository::BlobId;
using repository::BlobKind;

constexpr size_t kLongestText = 1024;
constexpr size_t kMostTags = 256;

template <typename Message>
Message message_of_head(const BlobHead& head) {
  Message message;
  message.set_id(field_of(head.id.view()));
  message.set_kind(static_cast<uint32_t>(head.kind));
  message.set_session(field_of(head.session.view()));
  message.set_children(join_ids(head.children));
  message.set_stored_size(head.stored_size);
  return message;
}

template <typename Message>
Result<BlobHead> head_of_message(const Message& message) {
  BlobHead head;
  CB_ASSIGN(head.id, id_of<BlobId>(message.id()));
  if (message.kind() < static_cast<uint32_t>(BlobKind::data) ||
      message.kind() > static_cast<uint32_t>(BlobKind::session))
    return failed(Code::corrupt, "blob " + head.id.hex(),
                  "has the unknown kind " + std::to_string(message.kind()));
  head.kind = static_cast<BlobKind>(message.kind());
  CB_ASSIGN(head.session, id_of<repository::SessionId>(message.session()));
  CB_ASSIGN(head.children, split_ids(message.children(), repository::kMaxChildren));
  if (message.stored_size() == 0 || message.stored_size() > repository::kMaxStored)
    return failed(Code::limit, "blob " + head.id.hex(),
                  "has " + std::to_string(message.stored_size()) + " stored bytes, not 1 to " +
                      std::to_string(repository::kMaxStored));
  head.stored_size = message.stored_size();
  return head;
}

// The library writes about texts that are not UTF-8 to stderr: that is for programmers, and here
// they are somebody else's. What is wrong is an error, or is cleaned; nobody may write into the log
// of a server, or on a user's screen, by sending it.
void silence_library() { static const google::protobuf::LogSilencer silencer; }

bool is_code(int32_t number) {
  return number <= static_cast<int32_t>(Code::invalid) &&
         number >= static_cast<int32_t>(Code::internal);
}

}  // namespace

Bytes encode(const google::protobuf::MessageLite& message) {
  silence_library();
  Bytes bytes(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes;
}

Status parse_into(google::protobuf::MessageLite& message, ByteView bytes) {
  if (bytes.size() > kFrameMax)
    return failed(Code::limit, "message", "has " + std::to_string(bytes.size()) + " bytes");
  silence_library();
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return failed(Code::corrupt, "message", "is not a " + message.GetTypeName());
  return {};
}

Result<std::vector<BlobId>> split_ids(const std::string& field, size_t most) {
  if (field.size() % BlobId::kSize != 0)
    return failed(Code::corrupt, "ids", "have " + std::to_string(field.size()) + " bytes");
  if (field.size() / BlobId::kSize > most)
    return failed(Code::limit, "ids",
                  "are " + std::to_string(field.size() / BlobId::kSize) + ", at most " +
                      std::to_string(most));
  std::vector<BlobId> ids(field.size() / BlobId::kSize);
  ByteView rest = as_bytes(field);
  for (BlobId& id : ids) {
    std::copy_n(rest.begin(), BlobId::kSize, id.bytes.begin());
    rest = rest.subspan(BlobId::kSize);
  }
  return ids;
}

std::string join_ids(std::span<const BlobId> ids) {
  std::string field;
  field.reserve(ids.size() * BlobId::kSize);
  for (const BlobId& id : ids) field += as_text(id.view());
  return field;
}

pb::Put put_of(const BlobHead& head) { return message_of_head<pb::Put>(head); }
pb::Blob blob_of(const BlobHead& head) {
  auto message = message_of_head<pb::Blob>(head);
  if (!head.device.is_zero()) message.set_device(field_of(head.device.view()));
  if (head.checksum) message.set_checksum(field_of(*head.checksum));
  return message;
}
Result<BlobHead> head_of(const pb::Put& message) { return head_of_message(message); }
Result<BlobHead> head_of(const pb::Blob& message) {
  CB_ASSIGN(BlobHead head, head_of_message(message));
  if (!message.device().empty()) {
    CB_ASSIGN(head.device, id_of<repository::DeviceId>(message.device()));
  }
  if (!message.checksum().empty()) {
    CB_ASSIGN(head.checksum, array_of<repository::kChecksumSize>(message.checksum()));
  }
  return head;
}

namespace {

void set_report(const repository::ChangeReport& report, pb::ChangeReport& message) {
  message.set_unchanged(report.unchanged);
  message.set_changed(report.changed);
  message.set_added(report.added);
  message.set_removed(report.removed);
  message.set_renamed(report.renamed);
  message.set_plain_bytes(report.plain_bytes);
  message.set_stored_bytes(report.stored_bytes);
}

repository::ChangeReport report_of(const pb::ChangeReport& message) {
  return {message.unchanged(), message.changed(),     message.added(),       message.removed(),
          message.renamed(),   message.plain_bytes(), message.stored_bytes()};
}

}  // namespace

pb::Commit message_of(const repository::CommitRequest& request) {
  pb::Commit message;
  message.set_commit_id(field_of(request.commit_id.view()));
  message.set_snapshot(field_of(request.snapshot.view()));
  message.set_root(field_of(request.root.view()));
  message.set_device_signature(field_of(request.device_signature));
  message.set_source(field_of(request.source.view()));
  for (const repository::KeyedHash& tag : request.tags) message.add_tags(field_of(tag.view()));
  message.set_flags(request.flags);
  message.set_files(request.files);
  message.set_bytes(request.bytes);
  if (request.report) set_report(*request.report, *message.mutable_report());
  return message;
}

Result<repository::CommitRequest> request_of(const pb::Commit& message) {
  repository::CommitRequest request;
  CB_ASSIGN(request.commit_id, id_of<repository::CommitId>(message.commit_id()));
  CB_ASSIGN(request.snapshot, id_of<BlobId>(message.snapshot()));
  CB_ASSIGN(request.root, id_of<BlobId>(message.root()));
  CB_ASSIGN(request.device_signature,
            array_of<repository::kSignatureSize>(message.device_signature()));
  CB_ASSIGN(request.source, id_of<repository::KeyedHash>(message.source()));
  if (static_cast<size_t>(message.tags_size()) > kMostTags)
    return failed(Code::limit, "commit",
                  "has " + std::to_string(message.tags_size()) + " tags, at most " +
                      std::to_string(kMostTags));
  for (const std::string& tag : message.tags()) {
    CB_ASSIGN(const auto hash, id_of<repository::KeyedHash>(tag));
    request.tags.push_back(hash);
  }
  request.flags = message.flags();
  request.files = message.files();
  request.bytes = message.bytes();
  if (message.has_report()) request.report = report_of(message.report());
  return request;
}

pb::CommitReply message_of(const repository::CommitAnswer& answer) {
  pb::CommitReply message;
  const size_t count = std::min(answer.missing.size(), kIdsMax);
  message.set_missing(join_ids(std::span(answer.missing).first(count)));
  message.set_receipt(field_of(answer.receipt));
  return message;
}

Result<repository::CommitAnswer> answer_of(const pb::CommitReply& message) {
  repository::CommitAnswer answer;
  CB_ASSIGN(answer.missing, split_ids(message.missing(), kIdsMax));
  answer.receipt = to_bytes(view_of(message.receipt()));
  return answer;
}

pb::CountsReply message_of(const repository::RemoteCounts& counts) {
  pb::CountsReply message;
  message.set_blobs(counts.blobs);
  message.set_packs(counts.packs);
  message.set_stored_bytes(counts.stored_bytes);
  message.set_snapshots(counts.snapshots);
  return message;
}

repository::RemoteCounts counts_of(const pb::CountsReply& message) {
  return {message.blobs(), message.packs(), message.stored_bytes(), message.snapshots()};
}

pb::Failure failure_of(const Error& error, bool fatal) {
  pb::Failure failure;
  failure.set_code(static_cast<int32_t>(error.code));
  failure.set_object(clean_text(error.object, kLongestText));
  failure.set_cause(clean_text(error.cause, kLongestText));
  failure.set_advice(clean_text(error.advice, kLongestText));
  failure.set_retry(static_cast<uint32_t>(error.retry));
  failure.set_fatal(fatal);
  return failure;
}

Error error_of(const pb::Failure& failure) {
  Error error;
  error.code = is_code(failure.code()) ? static_cast<Code>(failure.code()) : Code::internal;
  error.object = clean_text(failure.object(), kLongestText);
  error.cause = clean_text(failure.cause(), kLongestText);
  error.advice = clean_text(failure.advice(), kLongestText);
  if (failure.retry() <= static_cast<uint32_t>(Retry::no))
    error.retry = static_cast<Retry>(failure.retry());
  return error;
}

std::string clean_text(std::string_view text, size_t most) {
  std::string clean;
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    const bool good = next.size > 0 && !next.is_control();
    const size_t take = std::max<size_t>(next.size, 1);
    if (clean.size() + (good ? take : 1) > most) break;
    clean += good ? text.substr(0, take) : std::string_view("?");
    text.remove_prefix(take);
  }
  return clean;
}

}  // namespace cb::v4
