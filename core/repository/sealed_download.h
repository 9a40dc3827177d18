// SPDX-License-Identifier: Apache-2.0
//
// Reading a stored upload back: header, chunks in order, frames out. For one thread at a time.
#pragma once

#include "core/repository/object_format.h"
#include "core/repository/upload.h"

namespace cb::repository {

// Gives every plain byte of `place.object` to `sink`, in order. Bytes reach the sink only after the
// chunk that holds them has verified; a later chunk may still fail. Code::corrupt when anything
// does not fit: the object was changed, cut or belongs elsewhere.
Status read_sealed(const Vault::Parts& parts, const Place& place,
                   const std::function<Status(ByteView)>& sink);

}  // namespace cb::repository
