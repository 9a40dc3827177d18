// SPDX-License-Identifier: Apache-2.0
//
// The file that a catalog is. Functions block and keep nothing.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"

namespace cb::catalog {

// Makes it with the right permissions before SQLite would; what is there stays.
Status make_catalog_file(const std::string& file);
// Is there a file? Code::not_found, or Code::invalid for something else in its place.
Status check_catalog_file(const std::string& file);
// See Catalog::damage.
Result<std::vector<std::string>> damage_of_catalog_file(const std::string& file, bool thorough);

}  // namespace cb::catalog
