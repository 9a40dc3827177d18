// SPDX-License-Identifier: Apache-2.0
//
// The plugin store-fault: a store that fails as it is told. This file holds its options and its
// entry; see README.md for the language of faults. Constant data.
#include "cyberbackup/cpp/entry.hpp"
#include "cyberbackup/cpp/store.hpp"
#include "store.h"

namespace sdk = cyberbackup::sdk;

namespace {

constexpr int64_t kAny = 0;
constexpr int64_t kMost = 1'000'000'000'000;

constexpr cb_option kOptions[] = {
    {"rules", "Faults, each as FUNCTION:FAULT@WHEN, for example \"put_write:no_space@7\".", nullptr,
     nullptr, kAny, kAny, CB_OPTION_LIST, 0},
    {"seed", "Number that chances and torn places follow from.", "1", nullptr, 0, kMost,
     CB_OPTION_INT, 0},
    {"control", "File with further rules, one a line, read again whenever it changes.", nullptr,
     nullptr, kAny, kAny, CB_OPTION_PATH, 0},
    {"delay", "Time that every call takes longer.", "0s", nullptr, kAny, kAny, CB_OPTION_DURATION,
     0},
    {"budget", "Bytes that may be written before there is no space; not set: no limit.", nullptr,
     nullptr, 0, kMost, CB_OPTION_SIZE, 0},
    {"list_lag", "Listings that still miss a new object and still show a removed one.", "0",
     nullptr, 0, kMost, CB_OPTION_INT, 0},
    {"list_lag_time", "Time for which listings miss a new object and show a removed one.", "0s",
     nullptr, kAny, kAny, CB_OPTION_DURATION, 0},
};

constexpr cb_descriptor kDescriptor = sdk::describe<store_fault::Store>(
    {.id = "store-fault",
     .interface_id = CB_STORE_INTERFACE,
     .version = "1.0.0",
     .vendor = "CyberBackup",
     .license = "Apache-2.0",
     .summary = "Makes the store below fail on command, for tests and rehearsals.",
     .status = "alpha",
     .posture = "trusted-peer",
     .capabilities = CB_STORE_DURABLE | CB_STORE_ATOMIC_REPLACE | CB_STORE_RANGE |
                     CB_STORE_LIST_AFTER | CB_STORE_FILTER},
    kOptions, sdk::store_ops<store_fault::Store>());

}  // namespace

CB_PLUGIN_ENTRY(kDescriptor)
