// SPDX-License-Identifier: Apache-2.0
//
// The table of damage: a row for each cell, and the page that is written from it. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tests/damage/cell.h"

namespace cb::damage {

// In three files: objects of the store, files of the daemon, files of a device.
std::span<const Cell> store_cells();
std::span<const Cell> daemon_cells();
std::span<const Cell> device_cells();
std::vector<Cell> all_cells();

// docs/corruption.md.
std::string page_of(const std::vector<Cell>& cells);

}  // namespace cb::damage
