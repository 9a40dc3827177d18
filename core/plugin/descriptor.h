// SPDX-License-Identifier: Apache-2.0
//
// What a loaded module says of itself, checked before anything uses it: entry table, descriptors,
// ids, tables and their sets of functions. Functions are pure.
#pragma once

#include <string>

#include "core/base/result.h"
#include "cyberbackup/base.h"

namespace cb::plugin {

// Magic, size, version needed, in this order; each refusal shows both values.
Status check_entry(const cb_entry& entry, const std::string& object);

// Its size, id and texts, and an interface that this host knows. Code::invalid (or unsupported, for
// an interface) names what is wrong.
Status check_identity(const cb_descriptor& descriptor, const std::string& object);

// The functions of a descriptor whose identity was checked: those that the interface demands, and
// the whole set of each capability that it claims.
Status check_table(const cb_descriptor& descriptor, const std::string& object);

// Both.
Status check_descriptor(const cb_descriptor& descriptor, const std::string& object);

}  // namespace cb::plugin
