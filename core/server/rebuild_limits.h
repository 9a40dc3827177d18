// SPDX-License-Identifier: Apache-2.0
//
// Limits that were set, out of the catalog that is replaced. Blocks.
#pragma once

#include "core/catalog/catalog.h"

namespace cb::server {

// Gives accounts of the same name in `fresh` the limits that they have in `old`, and since when
// they are above a soft one.
Status copy_limits(catalog::Catalog& old, catalog::Catalog& fresh);

}  // namespace cb::server
