// SPDX-License-Identifier: Apache-2.0
//
// The plugin store-fs: objects as files in a folder. This file holds its options and its entry; see
// README.md for the layout. Constant data.
#include "cyberbackup/cpp/entry.hpp"
#include "cyberbackup/cpp/store.hpp"
#include "store.h"

namespace sdk = cyberbackup::sdk;

namespace {

constexpr int64_t kAny = 0;

constexpr cb_option kOptions[] = {
    {"folder", "The folder that holds the store.", nullptr, nullptr, kAny, kAny, CB_OPTION_PATH,
     CB_OPTION_REQUIRED},
    {"create", "Make the folder when it is missing.", "true", nullptr, kAny, kAny, CB_OPTION_BOOL,
     0},
    {"fan_out",
     "Leading bytes of a name's component that name its bucket; fixed when the store is made.", "2",
     nullptr, 1, store_fs::kMaxFanOut, CB_OPTION_INT, CB_OPTION_ADVANCED},
    {"leftover_age",
     "Unfinished objects of another boot or container are removed when untouched for this long.",
     "24h", nullptr, kAny, kAny, CB_OPTION_DURATION, CB_OPTION_ADVANCED},
};

constexpr cb_descriptor kDescriptor =
    sdk::describe<store_fs::Store>({.id = "store-fs",
                                    .interface_id = CB_STORE_INTERFACE,
                                    .version = "1.0.0",
                                    .vendor = "CyberBackup",
                                    .license = "Apache-2.0",
                                    .summary = "Objects as files in a folder, durable and atomic.",
                                    .status = "alpha",
                                    .posture = "trusted-peer",
                                    .capabilities = CB_STORE_DURABLE | CB_STORE_ATOMIC_REPLACE |
                                                    CB_STORE_RANGE | CB_STORE_LIST_AFTER},
                                   kOptions, sdk::store_ops<store_fs::Store>());

}  // namespace

CB_PLUGIN_ENTRY(kDescriptor)
