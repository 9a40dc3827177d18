// SPDX-License-Identifier: Apache-2.0
//
// The four runs of the v4 load tool. Each prints its figures and returns how many conversations
// failed. Functions of one thread.
#pragma once

#include "bench/load_v4_daemon.h"
#include "bench/load_v4_fleet.h"

namespace cb::bench {

size_t run_idle(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon);
size_t run_logins(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon);
size_t run_backups(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon);
size_t run_unauthenticated(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon);

}  // namespace cb::bench
