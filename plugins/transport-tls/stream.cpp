// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "cyberbackup/cpp/failure.hpp"
#include "tls_error.h"

namespace transport_tls {

using cyberbackup::sdk::Failure;

namespace {

constexpr std::string_view kBindingLabel = "EXPORTER-Channel-Binding";  // RFC 9266
constexpr size_t kBindingSize = 32;
constexpr size_t kAtOnce = size_t{64} * 1024;  // bytes that are sealed before they are sent

cb_status put(const void* data, size_t size, std::vector<std::byte>& out) {
  const auto* bytes = static_cast<const std::byte*>(data);
  out.assign(bytes, bytes + size);
  return CB_OK;
}

cb_status put(std::string_view text, std::vector<std::byte>& out) {
  return put(text.data(), text.size(), out);
}

std::string peer_name(const cb_endpoint& endpoint) {
  if (endpoint.peer_name != nullptr && *endpoint.peer_name != '\0') return endpoint.peer_name;
  return endpoint.address != nullptr ? endpoint.address : "";
}

// Of what a client sent so far. What is no handshake is for OpenSSL to refuse.
bool is_first_record_whole(std::span<const std::byte> first) {
  constexpr size_t kHead = 5;
  constexpr std::byte kHandshake{22};
  if (first.empty()) return false;
  if (first[0] != kHandshake) return true;
  if (first.size() < kHead) return false;
  const size_t length = std::to_integer<size_t>(first[3]) << 8 | std::to_integer<size_t>(first[4]);
  return first.size() - kHead >= std::min<size_t>(length, SSL3_RT_MAX_ENCRYPTED_LENGTH);
}

}  // namespace

Stream::Stream(std::shared_ptr<const Contexts> contexts, const cb_endpoint& endpoint,
               const cb_lower& below, SessionKeeper keeper)
    : contexts_(std::move(contexts)), lower_(below), keeper_(std::move(keeper)) {
  ERR_clear_error();
  const bool is_client = endpoint.direction == CB_ENDPOINT_CONNECT;
  SSL_CTX* context = is_client ? contexts_->client.get() : contexts_->server.get();
  if (context == nullptr)
    throw Failure(CB_E_INVALID, "a TLS server needs a certificate; set certificate and key", 0,
                  CB_ERROR_PERMANENT);
  if (is_client) {
    make_session(context);
    begin_client(endpoint);
  } else {
    peer_ = "TLS client";
  }
}

// OpenSSL takes a session for spoilt whose connection ends without a closing message. But a cut is
// when thousands come back at once; what was wrong with TLS itself has spoilt it already.
Stream::~Stream() {
  if (up_) SSL_set_shutdown(ssl_.get(), SSL_get_shutdown(ssl_.get()) | SSL_SENT_SHUTDOWN);
}

void Stream::make_session(SSL_CTX* context) {
  ssl_.reset(SSL_new(context));
  if (!ssl_) throw std::bad_alloc();
  BIO* bio = make_lower_bio(lower_).release();
  SSL_set_bio(ssl_.get(), bio, bio);
  set_judge(ssl_.get(), &judge_);
}

void Stream::begin_client(const cb_endpoint& endpoint) {
  const Settings& settings = contexts_->settings;
  peer_ = peer_name(endpoint);
  SSL_set_connect_state(ssl_.get());
  if (!settings.pins.empty()) judge_.pins = &settings.pins;
  const bool by_name = settings.pins.empty() && !settings.insecure;
  if (by_name || !peer_.empty()) expect_name(ssl_.get(), peer_);
  if (keeper_.cache == nullptr) return;
  // Sessions are kept by name and port, for two servers of one name need not be the same.
  keeper_.peer = peer_ + ":" + std::to_string(endpoint.port);
  set_keeper(ssl_.get(), &keeper_);
  if (const SslSessionPtr session = keeper_.cache->take(keeper_.peer))
    SSL_set_session(ssl_.get(), session.get());
}

void Stream::begin_server() {
  make_session(contexts_->server.get());
  SSL_set_accept_state(ssl_.get());
}

cb_status Stream::gather_first() {
  std::array<std::byte, 512> some{};
  while (!is_first_record_whole(lower_.first)) {
    size_t got = 0;
    cb_error error{};
    error.size = sizeof(error);
    const cb_status status =
        lower_.below.read(lower_.below.ctx, some.data(), some.size(), &got, &error);
    if (status == CB_WANT_READ || status == CB_WANT_WRITE) return status;
    // An end shows again; the session says what it means.
    if (status == CB_END) return CB_OK;
    if (status != CB_OK) {
      broken_ = true;
      lower_.keep(status, error);
      throw Failure(lower_.failure, lower_.message, lower_.os_errno, lower_.failure_flags);
    }
    lower_.first.insert(lower_.first.end(), some.begin(),
                        some.begin() + static_cast<ptrdiff_t>(got));
  }
  return CB_OK;
}

cb_status Stream::outcome(int result, const char* doing) {
  const int kind = SSL_get_error(ssl_.get(), result);
  switch (kind) {
    case SSL_ERROR_NONE:
      return CB_OK;
    // The want of the stream below, which another filter may have turned round.
    case SSL_ERROR_WANT_READ:
      return lower_.read_want;
    case SSL_ERROR_WANT_WRITE:
      return lower_.write_want;
    case SSL_ERROR_ZERO_RETURN:
      return CB_END;
    default:
      broken_ = true;
      fail(kind, doing);
  }
}

void Stream::fail(int kind, const char* doing) {
  const bool judged = !up_ && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE;
  const std::string unverified = judged ? why_not_verified(ssl_.get(), judge_) : std::string();
  if (!unverified.empty()) {
    ERR_clear_error();
    throw Failure(CB_E_AUTH, peer_ + ": " + unverified, 0, CB_ERROR_PERMANENT);
  }
  if (kind == SSL_ERROR_SYSCALL && lower_.failure != CB_OK) {
    ERR_clear_error();
    throw Failure(lower_.failure, lower_.message, lower_.os_errno, lower_.failure_flags);
  }
  throw take_tls_failure(peer_, std::string("the connection was cut while ") + doing);
}

cb_status Stream::handshake() {
  if (up_) return CB_OK;
  if (broken_) throw Failure(CB_E_STATE, peer_ + ": the TLS handshake failed before");
  ERR_clear_error();
  if (!ssl_) {
    const cb_status gathered = gather_first();
    if (gathered != CB_OK) return gathered;
    begin_server();
  }
  const cb_status status = outcome(SSL_do_handshake(ssl_.get()), "shaking hands");
  // A peer that closes instead of shaking hands has not ended a stream.
  if (status == CB_END) {
    broken_ = true;
    throw Failure(CB_E_CLOSED, peer_ + ": the peer closed during the TLS handshake");
  }
  up_ = status == CB_OK;
  if (up_) keep_old_session();
  return status;
}

void Stream::keep_old_session() {
  // A TLS 1.3 server sends fresh tickets; an older one expects the same session again.
  if (keeper_.cache == nullptr || SSL_session_reused(ssl_.get()) != 1) return;
  if (SSL_version(ssl_.get()) >= TLS1_3_VERSION) return;
  keeper_.cache->put(keeper_.peer, keeper_.generation, SslSessionPtr(SSL_get1_session(ssl_.get())));
}

void Stream::require_up() const {
  if (broken_) throw Failure(CB_E_STATE, peer_ + ": the TLS connection failed before");
  if (!up_) throw Failure(CB_E_STATE, peer_ + ": the TLS handshake is not done");
}

cb_status Stream::read(std::span<std::byte> into, size_t& got) {
  require_up();
  ERR_clear_error();
  return outcome(SSL_read_ex(ssl_.get(), into.data(), into.size(), &got), "reading");
}

cb_status Stream::write(std::span<const std::byte> from, size_t& took) {
  require_up();
  if (ended_) throw Failure(CB_E_STATE, peer_ + ": a write after shutdown");
  took = 0;
  if (sealed_ == 0) {
    const cb_status status = seal(from);
    if (sealed_ == 0) return status;
  }
  const cb_status status = send();
  if (status == CB_OK) took = std::exchange(sealed_, 0);
  return status;
}

// Makes records of as much as may go at once: each is 16 KiB at most, and sending them one by one
// would wake up the peer for each.
cb_status Stream::seal(std::span<const std::byte> from) {
  const auto some = from.first(std::min(from.size(), kAtOnce));
  cb_status status = CB_OK;
  lower_.gathers = true;
  while (status == CB_OK && sealed_ < some.size()) {
    ERR_clear_error();
    size_t part = 0;
    const auto rest = some.subspan(sealed_);
    const int result = SSL_write_ex(ssl_.get(), rest.data(), rest.size(), &part);
    if (result != 1) lower_.gathers = false;
    status = outcome(result, "writing");
    sealed_ += part;
  }
  lower_.gathers = false;
  if (status == CB_END) throw Failure(CB_E_CLOSED, peer_ + ": the peer takes no more");
  return status;
}

cb_status Stream::send() {
  const cb_status status = lower_.flush();
  if (status == CB_OK || status == CB_WANT_READ || status == CB_WANT_WRITE) return status;
  broken_ = true;
  throw Failure(lower_.failure, lower_.message, lower_.os_errno, lower_.failure_flags);
}

cb_status Stream::shutdown() {
  require_up();
  if (!ended_) {
    ERR_clear_error();
    // 0: sent, the peer's own closing message is not there yet. That is all that is asked for.
    const int result = SSL_shutdown(ssl_.get());
    if (result < 0) {
      const cb_status status = outcome(result, "closing");
      if (status != CB_OK && status != CB_END) return status;
    }
    ended_ = true;
  }
  cb_error error{};
  error.size = sizeof(error);
  const cb_status status = lower_.below.shutdown(lower_.below.ctx, &error);
  if (status < 0) throw Failure(status, error.message, error.os_errno, error.flags);
  return status;
}

cb_status Stream::binding(std::vector<std::byte>& out) {
  // Before TLS 1.3 the value is only unique with the extended master secret (RFC 9266 section 4.2).
  if (SSL_version(ssl_.get()) < TLS1_3_VERSION && SSL_get_extms_support(ssl_.get()) != 1)
    return CB_E_UNSUPPORTED;
  std::array<unsigned char, kBindingSize> value{};
  if (SSL_export_keying_material(ssl_.get(), value.data(), value.size(), kBindingLabel.data(),
                                 kBindingLabel.size(), nullptr, 0, 0) != 1)
    throw take_tls_failure(peer_, "no channel binding");
  return put(value.data(), value.size(), out);
}

cb_status Stream::info(uint32_t what, std::vector<std::byte>& out) {
  if (!up_) return CB_E_UNSUPPORTED;
  ERR_clear_error();
  if (what == CB_INFO_PROTOCOL) return put(SSL_get_version(ssl_.get()), out);
  if (what == CB_INFO_CHANNEL_BINDING) return binding(out);
  if (what == CB_INFO_RESUMED) {
    const std::byte resumed{static_cast<unsigned char>(SSL_session_reused(ssl_.get()))};
    return put(&resumed, 1, out);
  }
  if (what != CB_INFO_PEER_SPKI && what != CB_INFO_PEER_SUBJECT) return CB_E_UNSUPPORTED;
  const X509* peer = SSL_get0_peer_certificate(ssl_.get());
  if (peer == nullptr) return CB_E_UNSUPPORTED;
  if (what == CB_INFO_PEER_SUBJECT) return put(subject_of(peer), out);
  const std::optional<Digest> digest = spki_digest(peer);
  return digest ? put(digest->data(), digest->size(), out) : CB_E_UNSUPPORTED;
}

}  // namespace transport_tls
