// SPDX-License-Identifier: Apache-2.0
//
// What sealing and opening sides of a session's key must agree about. Functions are thread-safe.
#pragma once

#include <string>

#include "core/plugin/crypto.h"
#include "core/repository/records.h"

namespace cb::repository {

// The context of the encapsulation of a session's key.
Bytes session_context(const RepositoryId& repository, const SessionId& session, uint32_t epoch);

// Code::unsupported unless the plugin in hand is `suite`.
Status check_suite(const plugin::Crypto& crypto, const std::string& suite);

// The session's key out of its record, with the pair of the record's epoch. Code::auth when it does
// not come out.
Result<plugin::Key> session_key_of(const SessionRecord& record, const RepositoryId& repository,
                                   const SessionId& session, const plugin::KeyPair& epoch);

}  // namespace cb::repository
