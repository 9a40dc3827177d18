// SPDX-License-Identifier: Apache-2.0
//
// Removes what crashed processes left in the folder of temporary files. Runs while the store is
// made; other processes may use the same folder meanwhile.
#pragma once

#include <chrono>

#include "cyberbackup/cpp/host.hpp"
#include "descriptor.h"
#include "owner.h"

namespace store_fs {

// Removes the temporaries of dead owners at once, those of owners of another boot or numbering when
// nobody wrote to them for `age`. Living owners' and unknown files stay.
void remove_leftovers(const Descriptor& temporaries, const Owner& self,
                      std::chrono::nanoseconds age, const cyberbackup::sdk::Host& host);

}  // namespace store_fs
