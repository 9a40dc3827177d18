// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "core/notify/curl_call.h"
#include "core/notify/near.h"

namespace cb::notify {
namespace {

// One address and nothing that could begin another, or a header.
Status check_address(const char* key, const std::string& address) {
  const size_t at = address.rfind('@');
  const bool is_good = at != std::string::npos && at > 0 && at + 1 < address.size() &&
                       address.size() <= 254 &&
                       std::all_of(address.begin(), address.end(), [](char c) {
                         return c > ' ' && c < '\x7f' &&
                                std::string_view("<>()[],;:\\\"").find(c) == std::string::npos;
                       });
  if (is_good) return {};
  return failed(Code::invalid, key, "'" + address + "' is no mail address",
                "write it like backup@example.org");
}

struct MailServer {
  std::string host;  // in brackets when it is a number of IPv6
  std::string port;  // empty: the usual one
};

bool is_host_name(const std::string& host) {
  constexpr const char* kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_[]:";
  return !host.empty() && host.find_first_not_of(kAllowed) == std::string::npos;
}

bool is_port(const std::string& text) {
  uint16_t number = 0;
  const char* const stop = text.data() + text.size();
  const auto [end, problem] = std::from_chars(text.data(), stop, number);
  return problem == std::errc() && end == stop && number != 0;
}

Result<MailServer> mail_server_of(const std::string& text) {
  const size_t bracket = text.rfind(']');
  const size_t colon = text.find(':', bracket == std::string::npos ? 0 : bracket);
  MailServer server{text.substr(0, colon), {}};
  const bool has_port = colon != std::string::npos;
  if (has_port) server.port = text.substr(colon + 1);
  if (is_host_name(server.host) && (!has_port || is_port(server.port))) return server;
  return failed(Code::invalid, "smtp", "'" + text + "' is not HOST or HOST:PORT",
                "write it like mail.example.org:587");
}

std::string url_of(const SmtpSettings& to, const MailServer& server) {
  const char* const usual = to.tls == MailTls::tls        ? "465"
                            : to.tls == MailTls::starttls ? "587"
                                                          : "25";
  return std::string(to.tls == MailTls::tls ? "smtps://" : "smtp://") + server.host + ":" +
         (server.port.empty() ? usual : server.port);
}

// An answer of 5xx is the server's last word.
Error judged(Error error, long status) {
  if (status >= 400) error.cause += ", the server answered " + std::to_string(status);
  if (status >= 500 && error.code != Code::cancelled) error.retry = Retry::no;
  return error;
}

}  // namespace

Status check_mail(const SmtpSettings& settings) {
  CB_ASSIGN(const MailServer server, mail_server_of(settings.server));
  CB_TRY(check_address("from", settings.from));
  if (settings.to.empty())
    return failed(Code::invalid, "to", "names nobody", "write to = [\"admin@example.org\"]");
  for (const std::string& address : settings.to) CB_TRY(check_address("to", address));
  if (settings.user.empty() != settings.password.empty())
    return failed(Code::invalid, settings.user.empty() ? "user" : "password",
                  "is missing: a login needs user and password");
  if (settings.tls == MailTls::none && !settings.user.empty() && !is_near(server.host))
    return failed(Code::invalid, "password", "would go over the network in clear",
                  "use tls = \"starttls\" or \"tls\"");
  return {};
}

Status send_mail(const SmtpSettings& to, const Template& subject, const Template& body,
                 const Try& one) {
  CB_ASSIGN(const MailServer server, mail_server_of(to.server));
  const Values values = one.parcel.values();
  const std::string text = text_of({to.from, to.to, subject.fill(values), body.fill(values),
                                    one.parcel.id, one.parcel.notice.kind, one.now_ns});
  CB_ASSIGN(const auto call, CurlCall::make("smtp,smtps", one));
  call->set(CURLOPT_URL, url_of(to, server).c_str());
  call->set(CURLOPT_PROXY, "");
  if (to.tls != MailTls::none) call->set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  call->set_ca(to.ca);
  if (!to.user.empty()) {
    call->set(CURLOPT_USERNAME, to.user.c_str());
    call->set_secret(CURLOPT_PASSWORD, to.password);
  }
  call->set(CURLOPT_MAIL_FROM, ("<" + to.from + ">").c_str());
  for (const std::string& address : to.to) call->add_recipient("<" + address + ">");
  call->upload(text);
  const auto sent = call->perform();
  if (!sent) return failed(judged(sent.error(), call->status()));
  return {};
}

}  // namespace cb::notify
