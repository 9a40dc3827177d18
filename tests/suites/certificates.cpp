// SPDX-License-Identifier: Apache-2.0
#include "tests/suites/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "core/base/bytes.h"

namespace cb::test {

namespace {

void must(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "test certificate: %s\n", what);
  std::abort();
}

struct File {
  File(const std::string& path, const char* mode) : handle(std::fopen(path.c_str(), mode)) {
    must(handle != nullptr, path.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::fclose(handle); }
  FILE* handle;
};

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<&X509_free>>;

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value.c_str());
  X509_EXTENSION_free(extension);
}

void fill(X509* certificate, const Wish& wish, EVP_PKEY* key) {
  std::array<unsigned char, 8> serial{};
  must(RAND_bytes(serial.data(), serial.size()) == 1, "random");
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3F) | 0x40);
  BIGNUM* number = BN_bin2bn(serial.data(), serial.size(), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  X509_set_version(certificate, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.to_seconds);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
}

std::string pin_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  std::array<std::byte, 32> digest{};
  unsigned int length = 0;
  must(EVP_Digest(der, static_cast<size_t>(size), reinterpret_cast<unsigned char*>(digest.data()),
                  &length, EVP_sha256(), nullptr) == 1,
       "digest");
  OPENSSL_free(der);
  return to_hex(digest);
}

}  // namespace

Identity make_identity(const std::filesystem::path& folder, const Wish& wish) {
  const Key key(EVP_EC_gen("prime256v1"));
  const Certificate certificate(X509_new());
  must(key && certificate, "key");
  fill(certificate.get(), wish, key.get());
  Certificate issuer;
  Key issuer_key;
  if (wish.issuer != nullptr) {
    const File issuer_file(wish.issuer->certificate, "r");
    const File key_file(wish.issuer->key, "r");
    issuer.reset(PEM_read_X509(issuer_file.handle, nullptr, nullptr, nullptr));
    issuer_key.reset(PEM_read_PrivateKey(key_file.handle, nullptr, nullptr, nullptr));
  }
  X509* signer = issuer ? issuer.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  add_extension(certificate.get(), signer, NID_basic_constraints,
                issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
  add_extension(certificate.get(), signer, NID_subject_key_identifier, "hash");
  if (!wish.alternative.empty())
    add_extension(certificate.get(), signer, NID_subject_alt_name, wish.alternative);
  must(X509_sign(certificate.get(), issuer ? issuer_key.get() : key.get(), EVP_sha256()) > 0,
       "sign");

  Identity made{folder / (wish.name + ".pem"), folder / (wish.name + ".key"),
                pin_of(certificate.get())};
  const File out(made.certificate, "w");
  PEM_write_X509(out.handle, certificate.get());
  const File key_out(made.key, "w");
  PEM_write_PrivateKey(key_out.handle, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  ::chmod(made.key.c_str(), 0600);
  return made;
}

}  // namespace cb::test
