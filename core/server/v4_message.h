// SPDX-License-Identifier: Apache-2.0
//
// Messages of strangers and members as v4 sessions read them. Functions are pure.
#pragma once

#include "core/base/secret.h"
#include "core/protocol/v4/messages.h"
#include "core/repository/signatures.h"
#include "core/server/v4_rules.h"

namespace cb::server {

// What a client that is logged in sent and is no message breaks the rules (Code::state).
template <typename Message>
Result<Message> read_message(const Bytes& bytes) {
  auto message = v4::parse<Message>(bytes);
  if (!message) message.error().code = Code::state;
  return message;
}

inline void wipe_field(std::string& field) {
  wipe(std::as_writable_bytes(std::span(field.data(), field.size())));
}

// A secret field; the message forgets it.
inline Secret take_secret(std::string& field) {
  Secret secret(v4::view_of(field));
  wipe_field(field);
  return secret;
}

// Code::limit for more than `most`.
template <typename Fields>
Result<std::vector<repository::KeySlot>> slots_of(const Fields& fields, size_t most) {
  if (static_cast<size_t>(fields.size()) > most)
    return failed(Code::limit, "key slots", "are too many in one message");
  std::vector<repository::KeySlot> slots;
  for (const std::string& field : fields) {
    CB_ASSIGN(repository::KeySlot slot, repository::decode_slot(v4::view_of(field)));
    slots.push_back(std::move(slot));
  }
  return slots;
}

// Of an Enroll, a Join or an AddDevice.
template <typename Message>
Result<V4NewDevice> new_device_of(const Message& message, size_t most_slots) {
  V4NewDevice device;
  device.record = to_bytes(v4::view_of(message.certificate()));
  CB_ASSIGN(device.certificate, repository::decode_certificate(device.record));
  CB_ASSIGN(device.slots, slots_of(message.slots(), most_slots));
  device.device = repository::device_of(device.certificate.device);
  return device;
}

}  // namespace cb::server
