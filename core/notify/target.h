// SPDX-License-Identifier: Apache-2.0
//
// Where notices go: a web address, a mail server or a program; which of them, and in which words.
// A Target never changes and may be used by several threads.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "core/base/secret.h"
#include "core/notify/template.h"
#include "core/notify/throttle.h"

namespace cb::notify {

// A POST of JSON.
struct WebhookSettings {
  Secret url;      // http or https; kept as a secret, whoever gave it: many services take who knows
                   // it for a friend
  Secret token;    // for "Authorization: Bearer"; may be empty
  std::string ca;  // PEM file of who signs the server's certificate; empty: the system's
  std::string body;        // template of JSON; empty: every field of the notice
  bool is_secret = false;  // the address was given as one: it goes over no network in clear
};

enum class MailTls { starttls, tls, none };

struct SmtpSettings {
  std::string server;  // HOST or HOST:PORT
  MailTls tls = MailTls::starttls;
  std::string ca;
  std::string user;  // empty: does not log in
  Secret password;
  std::string from;
  std::vector<std::string> to;
  std::string subject;  // templates; empty: usual ones
  std::string body;
};

// Gets the JSON of a webhook on its input, and fields as CYBERBACKUP_* in its environment.
struct CommandSettings {
  std::vector<std::string> command;  // an absolute path and arguments; no shell reads them
};

struct TargetSettings {
  std::string name;
  std::vector<std::string> kinds;  // "job.failed", or "job.*"; empty: all
  Severity least = Severity::warning;
  Rate rate{6, std::chrono::hours(1)};
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);  // of one try
  std::chrono::nanoseconds give_up = std::chrono::hours(24);    // after so long without success
  std::variant<WebhookSettings, SmtpSettings, CommandSettings> way;
};

// Equal in every field, secrets too?
bool is_same(const TargetSettings& a, const TargetSettings& b);

using IsCancelled = std::function<bool()>;

class Target {
 public:
  // Code::invalid, with the key that is wrong as the error's object, for what cannot work: an
  // address that is none, a password that would go over the network in clear, a program that is not
  // there, an unknown placeholder.
  static Result<std::shared_ptr<const Target>> make(TargetSettings settings);

  [[nodiscard]] const TargetSettings& settings() const { return settings_; }
  [[nodiscard]] const std::string& name() const { return settings_.name; }
  // "webhook to hooks.example.org"; never a secret.
  [[nodiscard]] std::string description() const;
  [[nodiscard]] bool wants(const Notice& notice) const;

  // One try; blocks for at most the timeout. `now_ns` is the date of a mail. Retry::no when another
  // try cannot help. The error names the target and no secret.
  [[nodiscard]] Status send(const Parcel& parcel, int64_t now_ns,
                            const IsCancelled& is_cancelled) const;

 private:
  explicit Target(TargetSettings settings) : settings_(std::move(settings)) {}
  Status check();
  TargetSettings settings_;
  std::optional<Template> subject_, body_;
};

// The usual subject and text of a mail.
inline constexpr const char* kUsualSubject = "[{server}] {severity}: {subject}";
inline constexpr const char* kUsualBody =
    "{text}\n\n{kind}, {severity}, {when}\nserver {server}\n{details}\n";

}  // namespace cb::notify
