// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session answers about rules of retention and pinned snapshots. All on workers.
#include "core/server/v4_message.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

// So many bytes of rules and pins make an answer.
constexpr size_t kRetentionPage = 128 * 1024;

void fill_rules(v4::pb::RetentionRules& to, const SourceRules& rules) {
  to.set_source(v4::field_of(rules.source));
  to.set_rules(retention::text_of(rules.rules));
  to.set_set_ns(rules.set_ns);
  to.set_set_by(v4::clean_text(rules.set_by, 256));
}

}  // namespace

Result<V4Session::Answer> V4Session::retention() {
  RetentionBook& book = *shared_.parts.retention;
  CB_ASSIGN(const auto rules, book.rules(member_->repository));
  CB_ASSIGN(const auto pins, book.pins(member_->repository));
  v4::pb::RetentionReply reply;
  size_t size = 0;
  for (const SourceRules& one : rules) {
    if (size > kRetentionPage) break;
    fill_rules(*reply.add_rules(), one);
    size += reply.rules().rbegin()->ByteSizeLong();
  }
  for (const catalog::PinRow& one : pins) {
    if (size > kRetentionPage) break;
    auto* pin = reply.add_pins();
    pin->set_snapshot(v4::field_of(one.snapshot));
    pin->set_until_ns(one.until_ns);
    pin->set_reason(v4::clean_text(one.reason, 256));
    size += pin->ByteSizeLong();
  }
  reply.set_cut(static_cast<size_t>(reply.rules_size()) < rules.size() ||
                static_cast<size_t>(reply.pins_size()) < pins.size());
  return Answer{v4::Response::retention, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::set_retention(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::SetRetention>(message));
  const SourceKey source = to_bytes(v4::view_of(said.source()));
  constexpr size_t kSource = repository::DeviceId::kSize + repository::KeyedHash::kSize;
  if (!source.empty() && source.size() != kSource)
    return failed(Code::invalid, "source", "is not named by a device and a hash");
  RetentionBook& book = *shared_.parts.retention;
  RetentionBook::Change change;
  if (said.rules().empty()) {
    CB_ASSIGN(change, book.remove_rules(member_->repository, source));
  } else {
    CB_ASSIGN(const retention::Rules rules, retention::parse_rules(said.rules()));
    CB_ASSIGN(change, book.set_rules(member_->repository, source, rules,
                                     "device " + member_->device.hex()));
  }
  audit("v4.retention.set", "rules",
        (source.empty() ? std::string("repository") : to_hex(source)) + ": " +
            retention::text_of(change.now.rules) +
            (change.request ? ", request " + std::to_string(*change.request) : std::string()));
  v4::pb::SetRetentionReply reply;
  fill_rules(*reply.mutable_rules(), change.now);
  reply.set_request(static_cast<uint64_t>(change.request.value_or(0)));
  return Answer{v4::Response::set_retention, v4::encode(reply)};
}

}  // namespace cb::server
