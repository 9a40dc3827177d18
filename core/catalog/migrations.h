// SPDX-License-Identifier: Apache-2.0
//
// The schema of the SQLite catalog, as a list of steps that only go forward: step n makes version n
// of version n - 1. A released step is never edited. For one thread at a time; several processes
// may migrate the same file at once, one of them does it.
#pragma once

#include <span>

#include "core/catalog/statement.h"

namespace cb::catalog {

// "CBct": tells a catalog from any other SQLite file.
constexpr int64_t kApplicationId = 0x43426374;

// The steps of this program; migrations().size() is the version that it writes.
std::span<const char* const> migrations();

// Brings a file to the last of `steps`, each in a transaction of its own. An empty file becomes a
// catalog. Code::invalid for a data base that is not a catalog, Code::unsupported for a newer one.
Status migrate(Connection& connection, std::span<const char* const> steps);

}  // namespace cb::catalog
