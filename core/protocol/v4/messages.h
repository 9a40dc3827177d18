// SPDX-License-Identifier: Apache-2.0
//
// Messages of protocol v4 to bytes and back, and to the values that the engines use. Functions are
// pure. What comes from a peer: Code::corrupt when it is no such message or a field has the wrong
// size, Code::limit when there are too many of something.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "core/protocol/v4/codes.h"
#include "core/protocol/v4/messages.pb.h"
#include "core/repository/blob.h"
#include "core/repository/remote.h"

namespace cb::v4 {

namespace pb = cyberbackup::v4;

Bytes encode(const google::protobuf::MessageLite& message);

// Fills `message`, which is empty before.
Status parse_into(google::protobuf::MessageLite& message, ByteView bytes);

template <typename Message>
Result<Message> parse(ByteView bytes) {
  Message message;
  CB_TRY(parse_into(message, bytes));
  return message;
}

// Bytes fields as views and back.
inline ByteView view_of(const std::string& field) { return as_bytes(field); }
inline std::string field_of(ByteView bytes) { return std::string(as_text(bytes)); }
template <typename IdType>
Result<IdType> id_of(const std::string& field) {
  return IdType::from_bytes(as_bytes(field));
}
// A field of fixed size: a public key, a signature, a hash.
template <size_t Size>
Result<std::array<std::byte, Size>> array_of(const std::string& field) {
  CB_ASSIGN(const auto id, (Id<struct FieldTag, Size>::from_bytes(as_bytes(field))));
  return id.bytes;
}

// A field of ids, 32 bytes each; at most `most`.
Result<std::vector<repository::BlobId>> split_ids(const std::string& field, size_t most);
std::string join_ids(std::span<const repository::BlobId> ids);

// Heads of blobs in both directions. The kind is one of the format, there are at most
// kMaxChildren children, and 1 to kMaxStored stored bytes.
pb::Put put_of(const repository::BlobHead& head);
pb::Blob blob_of(const repository::BlobHead& head);
Result<repository::BlobHead> head_of(const pb::Put& message);
Result<repository::BlobHead> head_of(const pb::Blob& message);

pb::Commit message_of(const repository::CommitRequest& request);
Result<repository::CommitRequest> request_of(const pb::Commit& message);
pb::CommitReply message_of(const repository::CommitAnswer& answer);
Result<repository::CommitAnswer> answer_of(const pb::CommitReply& message);
pb::CountsReply message_of(const repository::RemoteCounts& counts);
repository::RemoteCounts counts_of(const pb::CountsReply& message);
pb::Snapshot message_of(const repository::SnapshotInfo& info);
Result<repository::SnapshotInfo> info_of(const pb::Snapshot& message);

// Errors on the wire. Texts are cut to 1 KiB, and made UTF-8 without control characters in both
// directions; a code that is not in the list becomes Code::internal.
pb::Failure failure_of(const Error& error, bool fatal);
Error error_of(const pb::Failure& failure);

// A text that a peer sent, fit for logs and screens.
std::string clean_text(std::string_view text, size_t most);

}  // namespace cb::v4
