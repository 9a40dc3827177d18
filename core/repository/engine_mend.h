// SPDX-License-Identifier: Apache-2.0
//
// Records of the store that are damaged or gone, written anew from the catalog's copies: what a
// lost catalog would be made of has to be there before it is lost. Functions keep nothing.
#pragma once

#include <functional>
#include <string>

#include "core/repository/engine_parts.h"

namespace cb::repository {

// `told` gets each object that was written, and what was wrong with it. What the store has is left
// alone while it is one that its maker signed, and nothing is written that is not: then the two
// differ, which check tells. Without `told` being called the store was as it should be.
using MendTold = std::function<void(const std::string& object, const std::string& what)>;
Status mend_records(EngineParts& engine, CommitChain& chain, const MendTold& told);

}  // namespace cb::repository
