// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/messages.h"

namespace cb::v4 {

pb::Snapshot message_of(const repository::SnapshotInfo& info) {
  pb::Snapshot message;
  message.set_commit(field_of(encode(info.commit)));
  message.set_in_trash(info.in_trash);
  return message;
}

Result<repository::SnapshotInfo> info_of(const pb::Snapshot& message) {
  repository::SnapshotInfo info;
  CB_ASSIGN(info.commit, repository::decode_commit(view_of(message.commit())));
  info.in_trash = message.in_trash();
  return info;
}

}  // namespace cb::v4
