// SPDX-License-Identifier: Apache-2.0
#include "verify.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>

#include "cyberbackup/cpp/failure.hpp"
#include "tls_error.h"

namespace transport_tls {

using cyberbackup::sdk::Failure;

namespace {

int judge_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// OpenSSL's question: is this chain good? With pins only the key at its end matters, so it need not
// be issued by anybody, and may be past its date.
int ask_judge(X509_STORE_CTX* store, void* /*unused*/) {
  const auto* session = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* judge = static_cast<Judge*>(SSL_get_ex_data(session, judge_index()));
  judge->seen = spki_digest(X509_STORE_CTX_get0_cert(store));
  if (judge->pins == nullptr) return X509_verify_cert(store);
  const auto& pins = *judge->pins;
  if (judge->seen && std::find(pins.begin(), pins.end(), *judge->seen) != pins.end()) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool is_numeric(const std::string& name) {
  in6_addr room{};
  return inet_pton(AF_INET, name.c_str(), &room) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &room) == 1;
}

}  // namespace

std::optional<Digest> parse_digest(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = digit_of(hex[2 * i]);
    const int low = digit_of(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<std::byte>(high * 16 + low);
  }
  return digest;
}

std::string to_hex(const Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::byte b : digest) {
    hex.push_back(kDigits[std::to_integer<size_t>(b) >> 4]);
    hex.push_back(kDigits[std::to_integer<size_t>(b) & 15]);
  }
  return hex;
}

std::optional<Digest> spki_digest(const X509* certificate) {
  if (certificate == nullptr) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return std::nullopt;
  Digest digest{};
  unsigned int length = 0;
  const int done =
      EVP_Digest(der, static_cast<size_t>(size), reinterpret_cast<unsigned char*>(digest.data()),
                 &length, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  if (done != 1 || length != digest.size()) return std::nullopt;
  return digest;
}

std::string subject_of(const X509* certificate) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  if (!memory) throw std::bad_alloc();
  X509_NAME_print_ex(memory.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<size_t>(std::max(0L, size))};
}

void verify_by_judge(SSL_CTX* context) {
  SSL_CTX_set_cert_verify_callback(context, &ask_judge, nullptr);
}

void set_judge(SSL* session, Judge* judge) {
  if (SSL_set_ex_data(session, judge_index(), judge) != 1) throw std::bad_alloc();
}

void expect_name(SSL* session, const std::string& name) {
  if (name.empty()) {
    throw Failure(CB_E_INVALID, "no name to verify the server by; give its host name, or set pin");
  }
  X509_VERIFY_PARAM* param = SSL_get0_param(session);
  if (is_numeric(name)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1) return;
  } else {
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) == 1 &&
        SSL_set_tlsext_host_name(session, name.c_str()) == 1) {
      return;
    }
  }
  throw Failure(CB_E_INVALID, name + ": cannot be verified as a name: " + take_tls_text());
}

std::string why_not_verified(const SSL* session, const Judge& judge) {
  const std::string key = judge.seen ? to_hex(*judge.seen) : std::string("unknown");
  const long result = SSL_get_verify_result(session);
  switch (result) {
    case X509_V_OK:
      return {};
    case X509_V_ERR_APPLICATION_VERIFICATION:
      return "the peer's key " + key +
             " is not among the pinned ones; if its key was changed on purpose, update pin";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the peer's certificate is for another name; connect by a name it was made for";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the peer's certificate has expired; it must be renewed there";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the peer's certificate is not valid yet; check the clocks of both machines";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return std::string("the peer's certificate (key ") + key +
             ") is of an issuer that is not trusted; set ca, client_ca or pin";
    default:
      return std::string("the peer's certificate was refused: ") +
             X509_verify_cert_error_string(result);
  }
}

}  // namespace transport_tls
