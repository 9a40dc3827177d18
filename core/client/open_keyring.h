// SPDX-License-Identifier: Apache-2.0
//
// The keyring of a repository with whatever a person types: a passphrase or the recovery code.
// Functions are thread-safe; they take a moment on purpose.
#pragma once

#include <span>
#include <string_view>

#include "core/repository/slots.h"

namespace cb::client {

// `secret` is a passphrase, or a recovery code as people type it. Code::denied when it opens none
// of the slots; a typing error of a code is told.
Result<repository::Keyring> open_keyring(const plugin::Crypto& crypto,
                                         const repository::RepositoryId& repository,
                                         std::span<const repository::KeySlot> slots,
                                         std::string_view secret);

}  // namespace cb::client
