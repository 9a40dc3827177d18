// SPDX-License-Identifier: Apache-2.0
//
// A Remote whose list of snapshots is believed only when the chain of commits leads to it; all else
// passes through. For any thread.
#pragma once

#include "core/client/receipts.h"

namespace cb::client {

// `follow` reads on in the chain (Receipts::follow); `receipts` outlives the Remote.
std::shared_ptr<repository::Remote> make_followed_remote(std::shared_ptr<repository::Remote> remote,
                                                         Receipts& receipts,
                                                         std::function<Status()> follow);

}  // namespace cb::client
