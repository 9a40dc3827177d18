// SPDX-License-Identifier: Apache-2.0
//
// What the store is told for the day when the catalog is lost. Functions keep nothing.
#pragma once

#include "core/server/backend.h"

namespace cb::server {

// Writes the notes of an account and of its rules of retention as the catalog says, where they are
// not so, and the key slot of an old client that the server's key opens. Does nothing while the
// account has no repository.
Status keep_notes(Backend& backend, const catalog::Account& account);

}  // namespace cb::server
