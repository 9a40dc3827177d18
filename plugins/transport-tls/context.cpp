// SPDX-License-Identifier: Apache-2.0
#include "context.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509err.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <new>

#include "cyberbackup/cpp/failure.hpp"
#include "session_cache.h"
#include "tls_error.h"
#include "verify.h"

namespace transport_tls {

using cyberbackup::sdk::Failure;
using cyberbackup::sdk::Host;

namespace {

constexpr long kWarnBefore = 14L * 24 * 3600;
constexpr long kSessionSeconds = 2L * 3600;
constexpr unsigned char kSessionContext[] = "cyberbackup";
// TLS 1.2 only with forward secrecy and an AEAD; TLS 1.3 has nothing else.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

Failure invalid(const std::string& message) {
  return {CB_E_INVALID, message, 0, CB_ERROR_PERMANENT};
}

void require_file(const std::string& path, const char* option) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    if (::access(path.c_str(), R_OK) == 0) return;
  } else if (errno == 0) {
    errno = EINVAL;
  }
  const int cause = errno;
  throw Failure(cyberbackup::sdk::status_of_errno(cause),
                path + ": " + std::generic_category().message(cause) + "; set " + option +
                    " to a PEM file that the program can read",
                cause, CB_ERROR_PERMANENT);
}

void require_private(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || (status.st_mode & S_IRWXO) == 0) return;
  throw invalid(path + ": the private key can be read by everybody; run chmod 600 on it");
}

void warn_of_expiry(const SSL_CTX* context, const std::string& path, const Host& host) {
  const X509* certificate = SSL_CTX_get0_certificate(context);
  if (certificate == nullptr) return;
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  time_t soon = std::time(nullptr);
  if (X509_cmp_time(end, &soon) < 0) {
    host.log(CB_LOG_WARN, path + ": the certificate has expired; peers will refuse it");
    return;
  }
  soon += kWarnBefore;
  if (X509_cmp_time(end, &soon) < 0)
    host.log(CB_LOG_WARN, path + ": the certificate expires within 14 days; renew it");
}

// A key file with a passphrase is refused instead of asking on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return -1; }

void use_identity(SSL_CTX* context, const Settings& settings, const Host& host) {
  require_file(settings.certificate, "certificate");
  require_file(settings.key, "key");
  require_private(settings.key);
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1)
    throw invalid(settings.certificate + ": no usable certificate in PEM form (" + take_tls_text() +
                  ")");
  SSL_CTX_set_default_passwd_cb(context, &no_passphrase);
  if (SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) == 1) {
    warn_of_expiry(context, settings.certificate, host);
    return;
  }
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  const std::string text = take_tls_text();
  if (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH)
    throw invalid(settings.key + ": is not the key of the certificate " + settings.certificate +
                  "; use the key it was made with, or make both anew");
  throw invalid(settings.key + ": no usable private key in PEM form without passphrase (" + text +
                ")");
}

void use_trust(SSL_CTX* context, const std::string& path, const char* option) {
  require_file(path, option);
  if (SSL_CTX_load_verify_file(context, path.c_str()) != 1)
    throw invalid(path + ": no usable certificate in PEM form (" + take_tls_text() + ")");
}

SslCtxPtr make_context(const SSL_METHOD* method, const Settings& settings) {
  SslCtxPtr context(SSL_CTX_new(method));
  if (!context) throw std::bad_alloc();
  SSL_CTX* raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_timeout(raw, kSessionSeconds);
  if (SSL_CTX_set_min_proto_version(raw, settings.min_version) != 1 ||
      SSL_CTX_set_cipher_list(raw, kCiphers12) != 1 ||
      SSL_CTX_set_session_id_context(raw, kSessionContext, sizeof(kSessionContext) - 1) != 1)
    throw invalid("TLS cannot be set up: " + take_tls_text());
  if (!settings.resume) {
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(raw, 0);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  }
  return context;
}

SslCtxPtr make_server(const Settings& settings, const Host& host) {
  if (settings.certificate.empty()) return nullptr;
  SslCtxPtr context = make_context(TLS_server_method(), settings);
  use_identity(context.get(), settings, host);
  // Tickets carry the state; a cache of our own would only hold memory.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (settings.client_ca.empty()) return context;
  use_trust(context.get(), settings.client_ca, "client_ca");
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(settings.client_ca.c_str());
  if (names == nullptr) throw invalid(settings.client_ca + ": " + take_tls_text());
  SSL_CTX_set_client_CA_list(context.get(), names);
  verify_by_judge(context.get());
  const int require = settings.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | require, nullptr);
  return context;
}

SslCtxPtr make_client(const Settings& settings, const Host& host) {
  SslCtxPtr context = make_context(TLS_client_method(), settings);
  if (!settings.certificate.empty()) use_identity(context.get(), settings, host);
  if (settings.resume) keep_sessions(context.get());
  if (settings.insecure) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    host.log(CB_LOG_WARN, "insecure = true: servers are not verified, anybody can pose as one");
    return context;
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  verify_by_judge(context.get());
  if (!settings.ca.empty()) {
    use_trust(context.get(), settings.ca, "ca");
  } else if (settings.pins.empty() && SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    throw invalid("the system's certificate authorities cannot be read; set ca or pin");
  }
  return context;
}

}  // namespace

std::shared_ptr<const Contexts> make_contexts(const Settings& settings, const Host& host) {
  ERR_clear_error();
  auto made = std::make_shared<Contexts>();
  made->settings = settings;
  made->server = make_server(settings, host);
  made->client = make_client(settings, host);
  return made;
}

}  // namespace transport_tls
