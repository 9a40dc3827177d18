// SPDX-License-Identifier: Apache-2.0
//
// All checks, group by group; and which of them a plugin gets. Functions are pure.
#pragma once

#include <optional>
#include <vector>

#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

// One function per group, each in the file of that name (store_checks.cpp ...).
std::vector<Check> file_checks();
std::vector<Check> load_checks();
std::vector<Check> descriptor_checks();
std::vector<Check> life_checks();
std::vector<Check> transport_checks();
std::vector<Check> crypto_checks();
std::vector<Check> store_checks();
std::vector<Check> compress_checks();

// All of them, in the order in which they run.
const std::vector<Check>& catalogue();

// Why the check is not for a plugin of this interface and these capabilities; nothing when it is.
std::optional<std::string> why_left_out(const Check& check, std::string_view interface_id,
                                        uint64_t capabilities);

// "ROOT, LISTEN" for capabilities of that interface; bits without a name are numbers.
std::string capability_names(std::string_view interface_id, uint64_t capabilities);

// The bits that the interface's header defines; all of them for an unknown interface.
uint64_t known_capabilities(std::string_view interface_id);

}  // namespace cb::check
