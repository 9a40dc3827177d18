// SPDX-License-Identifier: Apache-2.0
//
// What the daemon needs of the plugins that an operator names, beyond what every plugin of their
// kind can do. It is asked once at start, so that nobody finds out at the first restore.
// docs/plugin-author.md lists it. The functions are thread-safe.
#pragma once

#include "core/plugin/compress.h"
#include "core/plugin/crypto.h"
#include "core/plugin/store.h"

namespace cb::server {

// Code::unsupported, naming what is missing.
Status check_needs(const plugin::Store& store);
Status check_needs(const plugin::Crypto& crypto);

// Also that it makes zstd frames, the only ones that the repository format has a mark for.
Status check_needs(const plugin::Compress& compress);

}  // namespace cb::server
