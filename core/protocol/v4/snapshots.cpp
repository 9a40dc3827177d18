// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/messages.h"

namespace cb::v4 {

pb::Snapshot message_of(const repository::SnapshotInfo& info) {
  pb::Snapshot message;
  message.set_commit(field_of(encode(info.commit)));
  message.set_in_trash(info.in_trash);
  message.set_presence(static_cast<uint32_t>(info.presence));
  return message;
}

Result<repository::SnapshotInfo> info_of(const pb::Snapshot& message) {
  repository::SnapshotInfo info;
  CB_ASSIGN(info.commit, repository::decode_commit(view_of(message.commit())));
  info.in_trash = message.in_trash();
  if (message.presence() > static_cast<uint32_t>(repository::Presence::absent))
    return failed(Code::corrupt, "snapshot " + info.commit.snapshot.hex(),
                  "is at a place that there is not");
  info.presence = static_cast<repository::Presence>(message.presence());
  return info;
}

}  // namespace cb::v4
