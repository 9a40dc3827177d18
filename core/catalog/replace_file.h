// SPDX-License-Identifier: Apache-2.0
//
// Puts a new catalog file in the place of an old one. For one thread, while nobody has either open.
#pragma once

#include <string>

#include "core/base/result.h"

namespace cb::catalog {

// Removes a catalog file and what SQLite keeps beside it; it need not be there.
Status remove_catalog_file(const std::string& file);

// `fresh` takes the name `file`, in one step. What had it is kept as "<file>.before-rebuild-<n>",
// with the first n from 1 that is free; that name is returned, empty when there was nothing. Until
// the step `file` is the old catalog.
Result<std::string> replace_catalog_file(const std::string& fresh, const std::string& file);

}  // namespace cb::catalog
