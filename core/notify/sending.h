// SPDX-License-Identifier: Apache-2.0
//
// The three ways of sending, for Target alone. Settings have been checked. Functions block and are
// thread-safe.
#pragma once

#include "core/notify/target.h"

namespace cb::notify {

struct Try {
  const Parcel& parcel;
  std::string object;  // the target, for errors
  int64_t now_ns = 0;
  std::chrono::nanoseconds timeout{};
  const IsCancelled& is_cancelled;
};

// `body`: null: every field.
Status send_webhook(const WebhookSettings& to, const Template* body, const Try& one);
Status send_mail(const SmtpSettings& to, const Template& subject, const Template& body,
                 const Try& one);
Status run_command(const CommandSettings& to, const Try& one);

// Every field of a notice as JSON, on one line.
std::string json_of(const Parcel& parcel);

// A mail as it goes over the wire, lines ended by CR LF; nothing in it can add a header.
struct Mail {
  std::string from;
  std::vector<std::string> to;
  std::string subject;
  std::string body;
  std::string id;
  std::string kind;
  int64_t now_ns = 0;
};
std::string text_of(const Mail& mail);

// Checks of settings; the error's object is the key. `host_of` is what may be shown of an address.
Status check_webhook(const WebhookSettings& settings);
Status check_mail(const SmtpSettings& settings);
Status check_command(const CommandSettings& settings);
std::string host_of(const WebhookSettings& settings);

}  // namespace cb::notify
