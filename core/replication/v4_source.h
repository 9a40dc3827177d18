// SPDX-License-Identifier: Apache-2.0
//
// A SourceRemote over protocol v4: one connection that is logged in with a replica token. Runs the
// network on a thread of its own.
#pragma once

#include <memory>

#include "core/client/v4_session.h"
#include "core/replication/source_remote.h"
#include "core/repository/pairing_token.h"
#include "core/stream/stack.h"

namespace cb::replication {

struct SourceLogin {
  std::vector<stream::Target> servers;  // tried in turn
  repository::TokenId token;
  Secret secret;        // 32 bytes
  std::string program;  // for the source's log
};

// Connects and logs in. `stack` must encrypt and pin. Code::auth when it is not the pinned server,
// Code::denied when it does not know the token, Code::unsupported when it is too old to be copied
// from, else the last error of the network.
Result<std::unique_ptr<SourceRemote>> open_source(const stream::Stack& stack,
                                                  const SourceLogin& login,
                                                  const client::V4Limits& limits = {});

}  // namespace cb::replication
