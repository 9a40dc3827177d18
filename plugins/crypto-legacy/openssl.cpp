// SPDX-License-Identifier: Apache-2.0
//
// See openssl.h.
#include "openssl.h"

#include <openssl/err.h>

#include <string>

#include "cyberbackup/cpp/failure.hpp"

namespace crypto_legacy {

void openssl_failed(const char* doing) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  const std::string text = std::string(doing) + ": " + (reason != nullptr ? reason : "failed");
  const bool no_memory = ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
  ERR_clear_error();
  throw cyberbackup::sdk::Failure(no_memory ? CB_E_NO_MEMORY : CB_E_INTERNAL, text);
}

}  // namespace crypto_legacy
