// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL's objects as unique pointers, and its last error. A handle is used by one thread at a
// time; errors are those of the calling thread.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace cb::identity {

template <auto Free>
struct OpensslFreer {
  template <typename T>
  void operator()(T* what) const {
    Free(what);
  }
};

// OpensslHandle<X509, X509_free>
template <typename T, auto Free>
using OpensslHandle = std::unique_ptr<T, OpensslFreer<Free>>;
using KeyHandle = OpensslHandle<EVP_PKEY, EVP_PKEY_free>;

// What OpenSSL last complained of, which is forgotten then.
inline Error openssl_error(const std::string& object, const std::string& doing) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return fail(Code::internal, object, doing + ": " + text.data());
}

}  // namespace cb::identity
