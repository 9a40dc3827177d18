// SPDX-License-Identifier: Apache-2.0
//
// What a crash leaves behind: one line that names the plugin and the function that the thread was
// in, from the crumb of the gate. Call once, before threads start.
#pragma once

namespace cb::plugin {

// From now on a fatal signal writes its line to `fd` (stderr, say), which stays open, and then ends
// the process as it would have done without.
void report_crashes_to(int fd);

}  // namespace cb::plugin
