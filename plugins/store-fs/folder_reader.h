// SPDX-License-Identifier: Apache-2.0
//
// Reads the names in a folder. Thread-safe: each call opens the folder anew.
#pragma once

#include <functional>
#include <string>

namespace store_fs {

// Calls `each` with the name of every entry but "." and "..", in no order, each once.
void read_folder(int folder, const std::function<void(const std::string&)>& each);

}  // namespace store_fs
