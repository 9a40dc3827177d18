// SPDX-License-Identifier: Apache-2.0
//
// What a device signs to log in or enroll, and what a client of protocol v3 proves: a statement
// that holds on one channel alone, after one exchange of hellos. Functions are pure.
#pragma once

#include <span>

#include "core/identity/signing.h"
#include "core/repository/ids.h"

namespace cb::v4 {

constexpr size_t kBindingSize = 32;  // of CB_INFO_CHANNEL_BINDING
constexpr size_t kNonceSize = 32;

// "cyberbackup/login/4" ‖ channel binding[32] ‖ nonce[32] ‖ SHA-256(hello) ‖ SHA-256(reply) ‖
// device[16]. `hello` and `reply` are the messages as they went over the wire. Code::corrupt when
// binding or nonce have another size.
Result<Bytes> channel_statement(ByteView binding, ByteView nonce, ByteView hello, ByteView reply,
                                const repository::DeviceId& device);

// What a client of protocol v3 proves with that it holds its RSA key, here and now: SHA-256 of
// "cyberbackup/migrate/1" ‖ channel statement ‖ challenge. The statement's device is the client's
// id.
identity::Hash migration_proof(ByteView statement, ByteView challenge);

}  // namespace cb::v4
