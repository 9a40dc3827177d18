// SPDX-License-Identifier: Apache-2.0
#include "core/notify/curl_call.h"
#include "core/notify/near.h"
#include "core/report/json.h"
#include "core/report/utc_text.h"

namespace cb::notify {
namespace {

// The host and port of an address, or why it is none.
Result<std::string> authority_of(std::string_view url) {
  const auto wrong = [](const char* cause) {
    return failed(Code::invalid, "url", cause, "write it like https://hooks.example.org/path");
  };
  const size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return wrong("does not begin with https:// or http://");
  for (const char c : url)
    if (c <= ' ' || c == '\x7f') return wrong("has a space or a control character in it");
  const std::string_view rest = url.substr(scheme);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return failed(Code::invalid, "url", "holds a user and a password", "use token instead");
  if (authority.empty()) return wrong("names no host");
  return std::string(authority);
}

// Would it go over a network in clear?
bool is_in_clear(std::string_view url, const std::string& authority) {
  return !url.starts_with("https://") && !is_near(without_port(authority));
}

bool is_header_safe(std::string_view text) {
  for (const char c : text)
    if (c < ' ' || c == '\x7f') return false;
  return true;
}

// Whether it was taken, and whether another try can help.
Status judge_status(long status, const Try& one) {
  if (status >= 200 && status < 300) return {};
  std::string cause = "answered " + std::to_string(status);
  if (status >= 300 && status < 400) cause += ", and redirects are not followed";
  Error error = fail(Code::io, one.object, std::move(cause));
  const bool may_pass = status >= 500 || status == 408 || status == 425 || status == 429;
  error.retry = may_pass ? Retry::yes : Retry::no;
  return failed(std::move(error));
}

}  // namespace

std::string json_of(const Parcel& parcel) {
  report::Json held = report::Json::array();
  for (const std::string& subject : parcel.held.subjects) held.push_back(subject);
  const Notice& notice = parcel.notice;
  return report::json_line({{"id", parcel.id},
                            {"server", parcel.server},
                            {"kind", notice.kind},
                            {"severity", name_of(notice.severity)},
                            {"account", notice.account},
                            {"source", notice.source},
                            {"device", notice.device},
                            {"subject", notice.subject},
                            {"text", notice.text},
                            {"when", report::utc_text(notice.when_ns)},
                            {"when_ns", notice.when_ns},
                            {"held_back", parcel.held.count},
                            {"held_back_subjects", held}});
}

Status check_webhook(const WebhookSettings& settings) {
  const std::string_view url = as_text(settings.url.view());
  CB_ASSIGN(const std::string authority, authority_of(url));
  if (settings.is_secret && is_in_clear(url, authority))
    return failed(Code::invalid, "secret_url", "would go over the network in clear",
                  "use https:// in it; or url, when whoever knows it may do nothing with it");
  if (settings.token.empty()) return {};
  if (is_in_clear(url, authority))
    return failed(Code::invalid, "token", "would go over the network in clear",
                  "use https:// in url");
  if (!is_header_safe(as_text(settings.token.view())))
    return failed(Code::invalid, "token", "has a control character in it");
  return {};
}

std::string host_of(const WebhookSettings& settings) {
  return authority_of(as_text(settings.url.view())).value_or("nowhere");
}

Status send_webhook(const WebhookSettings& to, const Template* body, const Try& one) {
  const std::string text =
      body != nullptr ? body->fill(one.parcel.values(), in_json) : json_of(one.parcel);
  CB_ASSIGN(const auto call, CurlCall::make("http,https", one));
  call->set_secret(CURLOPT_URL, to.url);
  call->set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  call->set(CURLOPT_POSTFIELDSIZE, static_cast<long>(text.size()));
  call->set(CURLOPT_POSTFIELDS, text.c_str());
  call->set(CURLOPT_USERAGENT, "cyberbackupd");
  call->set_ca(to.ca);
  call->add_header("Content-Type: application/json");
  call->add_header("Expect:");
  if (!to.token.empty()) call->add_secret_header("Authorization: Bearer ", to.token);
  CB_ASSIGN(const long status, call->perform());
  return judge_status(status, one);
}

}  // namespace cb::notify
