// SPDX-License-Identifier: Apache-2.0
#include "core/identity/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <array>

#include "core/identity/openssl_handle.h"

namespace cb::identity {
namespace {

using NumberHandle = OpensslHandle<BIGNUM, BN_free>;
using CertificateHandle = OpensslHandle<X509, X509_free>;
using ExtensionHandle = OpensslHandle<X509_EXTENSION, X509_EXTENSION_free>;
using BioHandle = OpensslHandle<BIO, BIO_free_all>;

tl::unexpected<Error> certificate_failed(const std::string& doing) {
  return failed(openssl_error("certificate", doing));
}

ByteView content_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return as_bytes(std::string_view(data, static_cast<size_t>(size)));
}

bool is_numeric(const std::string& name) {
  std::array<unsigned char, 16> address{};
  return ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names)
    all += (all.empty() ? "" : ",") + std::string(is_numeric(name) ? "IP:" : "DNS:") + name;
  return all;
}

bool set_serial(X509* certificate) {
  const NumberHandle number(BN_new());
  return number && BN_rand(number.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_subject(X509* certificate, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const std::string shown = name.substr(0, 64);  // the longest common name
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(shown.c_str()), -1, -1,
                                    0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1;
}

bool set_life(X509* certificate, std::chrono::hours valid) {
  const auto seconds = static_cast<long>(std::chrono::seconds(valid).count());
  return X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), seconds) != nullptr;
}

bool add_extensions(X509* certificate, const std::vector<std::string>& names) {
  return add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_alt_name, alternative_names(names));
}

Result<CertificateHandle> self_signed(EVP_PKEY* key, const std::vector<std::string>& names,
                                      std::chrono::hours valid) {
  CertificateHandle certificate(X509_new());
  X509* made = certificate.get();
  const bool good = made != nullptr && X509_set_version(made, X509_VERSION_3) == 1 &&
                    set_serial(made) && set_life(made, valid) && X509_set_pubkey(made, key) == 1 &&
                    set_subject(made, names.front()) && add_extensions(made, names) &&
                    X509_sign(made, key, EVP_sha256()) != 0;
  if (!good) return certificate_failed("make a certificate for " + names.front());
  return certificate;
}

Result<std::string> pin_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return certificate_failed("read the public key");
  std::array<std::byte, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, static_cast<size_t>(size), reinterpret_cast<unsigned char*>(digest.data()));
  OPENSSL_free(der);
  return to_hex(digest);
}

}  // namespace

Result<Certificate> make_certificate(const std::vector<std::string>& names,
                                     std::chrono::hours valid) {
  if (names.empty()) return failed(Code::invalid, "certificate", "needs at least one name");
  const KeyHandle key(EVP_EC_gen("P-256"));
  if (!key) return certificate_failed("make a key");
  CB_ASSIGN(const CertificateHandle certificate, self_signed(key.get(), names, valid));
  const BioHandle public_text(BIO_new(BIO_s_mem()));
  const BioHandle private_text(BIO_new(BIO_s_secmem()));
  if (!public_text || !private_text ||
      PEM_write_bio_X509(public_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(private_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1)
    return certificate_failed("write the certificate as text");
  Certificate made;
  made.certificate = as_text(content_of(public_text.get()));
  made.key = Secret(content_of(private_text.get()));
  CB_ASSIGN(made.pin, pin_of(certificate.get()));
  return made;
}

Result<std::string> pin_of(const std::string& pem) {
  const BioHandle text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const CertificateHandle certificate(
      text ? PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  if (!certificate) return failed(Code::corrupt, "certificate", "is not in PEM form");
  return pin_of(certificate.get());
}

}  // namespace cb::identity
