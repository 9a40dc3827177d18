// SPDX-License-Identifier: Apache-2.0
#include "core/notify/curl_call.h"

#include <algorithm>
#include <cstring>

namespace cb::notify {
namespace {

long milliseconds(std::chrono::nanoseconds time) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

// Once in the process, before the first transfer.
bool is_curl_ready() {
  static const bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return is_ready;
}

void wipe_text(char* text) { wipe({reinterpret_cast<std::byte*>(text), std::strlen(text)}); }

Code code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Code::timeout;
    case CURLE_ABORTED_BY_CALLBACK:
      return Code::cancelled;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_USE_SSL_FAILED:
      return Code::auth;
    case CURLE_LOGIN_DENIED:
      return Code::denied;
    case CURLE_OUT_OF_MEMORY:
      return Code::no_memory;
    default:
      return Code::closed;
  }
}

}  // namespace

Result<std::unique_ptr<CurlCall>> CurlCall::make(const char* protocols, const Try& one) {
  CURL* handle = is_curl_ready() ? curl_easy_init() : nullptr;
  if (handle == nullptr) return failed(Code::no_memory, one.object, "libcurl cannot begin");
  std::unique_ptr<CurlCall> call(new CurlCall(handle, one));
  call->set(CURLOPT_PROTOCOLS_STR, protocols);
  call->set(CURLOPT_NOSIGNAL, 1L);
  call->set(CURLOPT_QUICK_EXIT, 1L);  // a look-up that hangs is not waited for
  call->set(CURLOPT_TIMEOUT_MS, milliseconds(one.timeout));
  call->set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(one.timeout));
  call->set(CURLOPT_SSL_VERIFYPEER, 1L);
  call->set(CURLOPT_SSL_VERIFYHOST, 2L);
  call->set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  call->set(CURLOPT_NOPROGRESS, 0L);
  call->set(CURLOPT_XFERINFOFUNCTION, &CurlCall::go_on);
  call->set(CURLOPT_XFERINFODATA, call.get());
  call->set(CURLOPT_WRITEFUNCTION, &CurlCall::drop);
  return call;
}

CurlCall::~CurlCall() {
  curl_easy_cleanup(handle_);
  for (curl_slist* line = headers_; line != nullptr; line = line->next) wipe_text(line->data);
  curl_slist_free_all(headers_);
  curl_slist_free_all(recipients_);
}

void CurlCall::set_ca(const std::string& file) {
  if (!file.empty()) set(CURLOPT_CAINFO, file.c_str());
}

void CurlCall::set_secret(CURLoption option, const Secret& secret) {
  std::string text(as_text(secret.view()));
  set(option, text.c_str());
  wipe_text(text.data());
}

void CurlCall::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_, line.c_str());
  if (longer == nullptr)
    is_refused_ = true;
  else
    headers_ = longer;
}

void CurlCall::add_secret_header(const char* name, const Secret& value) {
  std::string line = std::string(name) + std::string(as_text(value.view()));
  add_header(line);
  wipe_text(line.data());
}

void CurlCall::add_recipient(const std::string& address) {
  curl_slist* longer = curl_slist_append(recipients_, address.c_str());
  if (longer == nullptr)
    is_refused_ = true;
  else
    recipients_ = longer;
}

void CurlCall::upload(const std::string& text) {
  rest_ = text;
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_READFUNCTION, &CurlCall::give);
  set(CURLOPT_READDATA, this);
}

Result<long> CurlCall::perform() {
  if (headers_ != nullptr) set(CURLOPT_HTTPHEADER, headers_);
  if (recipients_ != nullptr) set(CURLOPT_MAIL_RCPT, recipients_);
  if (is_refused_) return failed(Code::unsupported, try_.object, "libcurl lacks what this needs");
  const CURLcode code = curl_easy_perform(handle_);
  if (code != CURLE_OK) return failed(error_of(code));
  return status();
}

long CurlCall::status() const {
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// libcurl's texts for its codes: they name nothing of this transfer, and so no secret.
Error CurlCall::error_of(CURLcode code) const {
  std::string cause = curl_easy_strerror(code);
  if (!cause.empty() && cause.back() == '.') cause.pop_back();
  if (code == CURLE_OPERATION_TIMEDOUT) cause = "did not answer in time";
  if (code == CURLE_ABORTED_BY_CALLBACK) cause = "was cancelled";
  Error error = fail(code_of(code), try_.object, std::move(cause));
  error.retry = Retry::yes;
  return error;
}

int CurlCall::go_on(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const IsCancelled& is_cancelled = static_cast<CurlCall*>(self)->try_.is_cancelled;
  return is_cancelled && is_cancelled() ? 1 : 0;
}

size_t CurlCall::drop(char*, size_t size, size_t count, void*) { return size * count; }

size_t CurlCall::give(char* to, size_t size, size_t count, void* self) {
  std::string_view& rest = static_cast<CurlCall*>(self)->rest_;
  const size_t now = std::min(rest.size(), size * count);
  std::copy_n(rest.data(), now, to);
  rest.remove_prefix(now);
  return now;
}

}  // namespace cb::notify
