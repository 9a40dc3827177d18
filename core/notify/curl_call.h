// SPDX-License-Identifier: Apache-2.0
//
// One transfer of libcurl with what every one needs: a time limit, a way to end it, certificates
// that are checked, no signals, no redirects, no files of the user's. Used by one thread.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "core/notify/sending.h"

namespace cb::notify {

class CurlCall {
 public:
  // `protocols` as "http,https"; `one` outlives it.
  static Result<std::unique_ptr<CurlCall>> make(const char* protocols, const Try& one);
  ~CurlCall();
  CurlCall(const CurlCall&) = delete;
  CurlCall& operator=(const CurlCall&) = delete;

  template <typename Value>
  void set(CURLoption option, Value value) {
    if (curl_easy_setopt(handle_, option, value) != CURLE_OK) is_refused_ = true;
  }
  void set_ca(const std::string& file);
  // A text that libcurl must not keep a copy of longer than this lives.
  void set_secret(CURLoption option, const Secret& secret);
  // A header line or recipient; libcurl's copy of a secret one is wiped at the end.
  void add_header(const std::string& line);
  void add_secret_header(const char* name, const Secret& value);
  void add_recipient(const std::string& address);
  // The bytes that are sent as the mail; outlive it.
  void upload(const std::string& text);

  // The status of the answer (0: none came), or why there was none that counts.
  Result<long> perform();
  // After a perform() that failed: the last status that the other side answered with; 0: none.
  [[nodiscard]] long status() const;

 private:
  CurlCall(CURL* handle, const Try& one) : handle_(handle), try_(one) {}
  static int go_on(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static size_t drop(char*, size_t size, size_t count, void*);
  static size_t give(char* to, size_t size, size_t count, void* self);
  [[nodiscard]] Error error_of(CURLcode code) const;

  CURL* handle_;
  const Try& try_;
  curl_slist* headers_ = nullptr;
  curl_slist* recipients_ = nullptr;
  std::string_view rest_;  // of what is uploaded
  bool is_refused_ = false;
};

}  // namespace cb::notify
