// SPDX-License-Identifier: Apache-2.0
#include "core/notify/target.h"

#include <algorithm>

#include "core/notify/sending.h"
#include "core/report/json.h"

namespace cb::notify {
namespace {

bool is_same_secret(const Secret& a, const Secret& b) {
  return equal_in_constant_time(a.view(), b.view());
}

bool is_same_way(const WebhookSettings& a, const WebhookSettings& b) {
  return is_same_secret(a.url, b.url) && is_same_secret(a.token, b.token) && a.ca == b.ca &&
         a.body == b.body && a.is_secret == b.is_secret;
}

bool is_same_way(const SmtpSettings& a, const SmtpSettings& b) {
  return std::tie(a.server, a.tls, a.ca, a.user, a.from, a.to, a.subject, a.body) ==
             std::tie(b.server, b.tls, b.ca, b.user, b.from, b.to, b.subject, b.body) &&
         is_same_secret(a.password, b.password);
}

bool is_same_way(const CommandSettings& a, const CommandSettings& b) {
  return a.command == b.command;
}

// "job.*" matches "job.failed", "*" everything.
bool matches(const std::string& pattern, const std::string& kind) {
  if (pattern.ends_with('*'))
    return kind.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  return pattern == kind;
}

Status check_kinds(const std::vector<std::string>& kinds) {
  constexpr const char* kAllowed = "abcdefghijklmnopqrstuvwxyz-.";
  for (const std::string& kind : kinds) {
    const std::string stem = kind.ends_with('*') ? kind.substr(0, kind.size() - 1) : kind;
    if (kind.empty() || stem.find_first_not_of(kAllowed) != std::string::npos)
      return failed(Code::invalid, "kinds", "'" + kind + "' is no kind of event",
                    "write it like \"job.failed\", or \"job.*\" for all of them");
  }
  return {};
}

// A template that its target can use; `key` names it in errors.
Result<Template> parse_template(const char* key, const std::string& text) {
  auto parsed = Template::parse(text);
  if (parsed) return parsed;
  Error error = std::move(parsed).error();
  error.object = key;
  return failed(std::move(error));
}

Status check_json(const Template& body) {
  Parcel example;
  example.notice.text = "a \"text\"\nof two lines";
  if (report::parse_json(body.fill(example.values(), in_json))) return {};
  return failed(Code::invalid, "body", "is not JSON once its placeholders are filled in",
                R"(write it like {"text": "{subject}"}, with placeholders inside quotes)");
}

}  // namespace

bool is_same(const TargetSettings& a, const TargetSettings& b) {
  const bool is_same_rest = std::tie(a.name, a.kinds, a.least, a.rate, a.timeout, a.give_up) ==
                            std::tie(b.name, b.kinds, b.least, b.rate, b.timeout, b.give_up);
  if (!is_same_rest || a.way.index() != b.way.index()) return false;
  return std::visit(
      [&b](const auto& way) {
        return is_same_way(way, std::get<std::decay_t<decltype(way)>>(b.way));
      },
      a.way);
}

Result<std::shared_ptr<const Target>> Target::make(TargetSettings settings) {
  std::shared_ptr<Target> target(new Target(std::move(settings)));
  CB_TRY(target->check());
  return target;
}

Status Target::check() {
  CB_TRY(check_kinds(settings_.kinds));
  if (const auto* webhook = std::get_if<WebhookSettings>(&settings_.way)) {
    CB_TRY(check_webhook(*webhook));
    if (webhook->body.empty()) return {};
    CB_ASSIGN(body_, parse_template("body", webhook->body));
    return check_json(*body_);
  }
  if (const auto* mail = std::get_if<SmtpSettings>(&settings_.way)) {
    CB_TRY(check_mail(*mail));
    CB_ASSIGN(subject_,
              parse_template("subject", mail->subject.empty() ? kUsualSubject : mail->subject));
    CB_ASSIGN(body_, parse_template("body", mail->body.empty() ? kUsualBody : mail->body));
    return {};
  }
  return check_command(std::get<CommandSettings>(settings_.way));
}

std::string Target::description() const {
  if (const auto* webhook = std::get_if<WebhookSettings>(&settings_.way))
    return "webhook to " + host_of(*webhook);
  if (const auto* mail = std::get_if<SmtpSettings>(&settings_.way))
    return "mail by " + mail->server;
  return "command " + std::get<CommandSettings>(settings_.way).command.at(0);
}

bool Target::wants(const Notice& notice) const {
  if (notice.severity < settings_.least) return false;
  const auto& kinds = settings_.kinds;
  return kinds.empty() || std::any_of(kinds.begin(), kinds.end(), [&](const std::string& kind) {
           return matches(kind, notice.kind);
         });
}

Status Target::send(const Parcel& parcel, int64_t now_ns, const IsCancelled& is_cancelled) const {
  const Try one{parcel, settings_.name + " (" + description() + ")", now_ns, settings_.timeout,
                is_cancelled};
  if (const auto* webhook = std::get_if<WebhookSettings>(&settings_.way))
    return send_webhook(*webhook, body_ ? &*body_ : nullptr, one);
  if (const auto* mail = std::get_if<SmtpSettings>(&settings_.way))
    return send_mail(*mail, *subject_, *body_, one);
  return run_command(std::get<CommandSettings>(settings_.way), one);
}

}  // namespace cb::notify
