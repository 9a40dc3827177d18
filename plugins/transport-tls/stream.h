// SPDX-License-Identifier: Apache-2.0
//
// One TLS connection over the stream below. Used on the stream's strand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "context.h"
#include "lower_bio.h"
#include "owned.h"
#include "session_cache.h"
#include "verify.h"

namespace transport_tls {

class Stream {
 public:
  // A client or server over `below`. A client resumes and keeps sessions with `keeper`, if that has
  // a cache; the peer's name in it is filled here.
  Stream(std::shared_ptr<const Contexts> contexts, const cb_endpoint& endpoint,
         const cb_lower& below, SessionKeeper keeper);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  cb_status handshake();
  cb_status read(std::span<std::byte> into, size_t& got);
  cb_status write(std::span<const std::byte> from, size_t& took);
  cb_status shutdown();
  [[nodiscard]] int fd() const { return lower_.below.fd; }
  cb_status info(uint32_t what, std::vector<std::byte>& out);

 private:
  void make_session(SSL_CTX* context);
  void begin_client(const cb_endpoint& endpoint);
  void begin_server();
  // A client speaks first: until its first record has come, a server needs no session, which takes
  // far more memory. CB_OK, or a want.
  cb_status gather_first();
  void keep_old_session();
  void require_up() const;
  // What a call that did not succeed means: a want, END, or a thrown failure.
  cb_status outcome(int result, const char* doing);
  [[noreturn]] void fail(int kind, const char* doing);
  cb_status binding(std::vector<std::byte>& out);
  cb_status seal(std::span<const std::byte> from);
  cb_status send();

  std::shared_ptr<const Contexts> contexts_;
  Lower lower_;
  Judge judge_;
  SessionKeeper keeper_;
  std::string peer_;
  SslPtr ssl_;  // after all that it points to
  bool up_ = false;
  bool broken_ = false;  // a failure: OpenSSL must not be asked again
  size_t sealed_ = 0;    // bytes of the write at hand whose records wait to be sent
  bool ended_ = false;   // shutdown was called and the closing message sent
};

}  // namespace transport_tls
