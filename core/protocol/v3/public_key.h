// SPDX-License-Identifier: Apache-2.0
//
// What can be told of a v3 client's public key without any cryptography. Functions are pure.
#pragma once

#include <optional>

#include "core/base/bytes.h"

namespace cb::v3 {

// The bits of the modulus of an RSA key in a DER SubjectPublicKeyInfo; nothing when it is none.
std::optional<size_t> rsa_bits(ByteView der);

}  // namespace cb::v3
