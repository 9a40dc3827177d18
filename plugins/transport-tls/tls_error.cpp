// SPDX-License-Identifier: Apache-2.0
#include "tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace transport_tls {

using cyberbackup::sdk::Failure;

namespace {

struct Meaning {
  cb_status status;
  const char* text;
};

// What the reasons a user meets mean to him; everything else keeps OpenSSL's words.
Meaning meaning_of(int reason) {
  switch (reason) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return {CB_E_CLOSED, "the connection was cut without the closing message of TLS"};
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return {CB_E_CORRUPT, "the peer does not speak TLS; check that it is the right port"};
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return {CB_E_UNSUPPORTED, "no TLS version that both ends allow; see min_version"};
    case SSL_R_NO_SHARED_CIPHER:
      return {CB_E_UNSUPPORTED, "both ends have no cipher or signature in common"};
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return {CB_E_UNSUPPORTED,
              "the peer broke the handshake off: it expects another key (see its pin) or cipher"};
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return {CB_E_AUTH, "the client showed no certificate, and this listener requires one"};
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return {CB_E_AUTH, "the peer requires a client certificate; set certificate and key"};
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return {CB_E_AUTH, "the peer does not trust the issuer of our certificate"};
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return {CB_E_AUTH, "the peer refused our certificate"};
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return {CB_E_AUTH, "the peer says that our certificate has expired"};
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
    case SSL_R_SSLV3_ALERT_BAD_RECORD_MAC:
      return {CB_E_AUTH, "a record did not verify: the data was changed on the way"};
    default:
      return {CB_E_CORRUPT, nullptr};
  }
}

}  // namespace

std::string take_tls_text() {
  const unsigned long code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "unknown TLS failure";
  if (code != 0 && ERR_SYSTEM_ERROR(code))
    text = std::generic_category().message(ERR_GET_REASON(code));
  ERR_clear_error();
  return text;
}

Failure take_tls_failure(const std::string& object, const std::string& otherwise) {
  const unsigned long code = ERR_peek_error();
  if (code == 0) return {CB_E_CLOSED, object + ": " + otherwise};
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    const Meaning meaning = meaning_of(ERR_GET_REASON(code));
    const std::string text = take_tls_text();
    return {meaning.status,
            object + ": " + (meaning.text != nullptr ? meaning.text : "TLS: " + text)};
  }
  const bool memory = ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
  return {memory ? CB_E_NO_MEMORY : CB_E_CORRUPT, object + ": TLS: " + take_tls_text()};
}

}  // namespace transport_tls
