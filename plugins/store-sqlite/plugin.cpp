// SPDX-License-Identifier: Apache-2.0
//
// The plugin store-sqlite: objects as segments in one SQLite file. This file holds its options and
// its entry; see README.md for the layout. Constant data.
#include "cyberbackup/cpp/entry.hpp"
#include "cyberbackup/cpp/store.hpp"
#include "store.h"

namespace sdk = cyberbackup::sdk;

namespace {

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kSecond = 1'000'000'000;

constexpr cb_option kOptions[] = {
    {"file", "The database file that holds the store.", nullptr, nullptr, 0, 0, CB_OPTION_PATH,
     CB_OPTION_REQUIRED},
    {"create", "Make the file when it is missing; its folder must be there.", "true", nullptr, 0, 0,
     CB_OPTION_BOOL, 0},
    {"segment_size", "Bytes of an object in one row, and in memory for each open put.", "256KiB",
     nullptr, 16 * kKiB, 16 * kMiB, CB_OPTION_SIZE, CB_OPTION_ADVANCED},
    {"log_limit", "Size of the write-ahead log at which it is moved into the file.", "32MiB",
     nullptr, 1 * kMiB, 1024 * kMiB, CB_OPTION_SIZE, CB_OPTION_ADVANCED},
    {"busy_timeout", "How long a call waits for another process that uses the file.", "30s",
     nullptr, 0, 3600 * kSecond, CB_OPTION_DURATION, CB_OPTION_ADVANCED},
    {"readers", "The most connections used for reading at one time.", "4", nullptr, 1, 64,
     CB_OPTION_INT, CB_OPTION_ADVANCED},
};

constexpr cb_descriptor kDescriptor = sdk::describe<store_sqlite::Store>(
    {.id = "store-sqlite",
     .interface_id = CB_STORE_INTERFACE,
     .version = "1.0.0",
     .vendor = "CyberBackup",
     .license = "Apache-2.0",
     .summary = "Objects as segments in one SQLite file, durable and atomic.",
     .status = "alpha",
     .posture = "trusted-peer",
     .capabilities =
         CB_STORE_DURABLE | CB_STORE_ATOMIC_REPLACE | CB_STORE_RANGE | CB_STORE_LIST_AFTER},
    kOptions, sdk::store_ops<store_sqlite::Store>());

}  // namespace

CB_PLUGIN_ENTRY(kDescriptor)
