// SPDX-License-Identifier: Apache-2.0
//
// What an owner's device asks about retention over a v4 session.
#include "core/client/v4_session_state.h"

namespace cb::client {
namespace {

repository::RetentionRecord::Rules retention_rules_of(const v4::pb::RetentionRules& info) {
  return {to_bytes(as_bytes(info.source())), v4::clean_text(info.rules(), 8 * 1024), info.set_ns(),
          v4::clean_text(info.set_by(), 256)};
}

}  // namespace

Result<repository::RetentionRecord> V4Session::retention() {
  CB_ASSIGN(const Bytes bytes, state_->ask(v4::Request::retention, {}, v4::Response::retention,
                                           state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::RetentionReply>(bytes));
  repository::RetentionRecord record;
  for (const auto& info : reply.rules()) record.rules.push_back(retention_rules_of(info));
  for (const auto& info : reply.pins()) {
    CB_ASSIGN(const auto snapshot, v4::id_of<repository::BlobId>(info.snapshot()));
    record.pins.push_back(
        {snapshot, info.until_ns(), v4::clean_text(info.reason(), 256), 0, std::string()});
  }
  return record;
}

Result<V4Session::RetentionSet> V4Session::set_retention(ByteView source,
                                                         const std::string& rules) {
  v4::pb::SetRetention message;
  message.set_source(v4::field_of(source));
  message.set_rules(rules);
  CB_ASSIGN(const Bytes bytes, state_->ask(v4::Request::set_retention, v4::encode(message),
                                           v4::Response::set_retention, state_->limits.flush));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::SetRetentionReply>(bytes));
  return RetentionSet{v4::clean_text(reply.rules().rules(), 8 * 1024), reply.request()};
}

}  // namespace cb::client
