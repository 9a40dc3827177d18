// SPDX-License-Identifier: Apache-2.0
//
// What becomes of memory that is freed: kept for the next allocation, or given back to the system.
// Rules are for a program's first lines, before any thread is started; functions keep nothing.
#pragma once

namespace cb::os {

// Keeps memory that is freed for the next allocation, up to 256 MiB of it, also of blocks of many
// MiB, instead of giving it back to the system each time: pages that were touched before cost
// nothing, new ones a fault and a zeroing each. For programs that work through buffers of a bounded
// number.
void keep_freed_memory();

// Keeps little: for programs that run for months with many threads, whose peaks are not to stay
// with them. Blocks of 1 MiB and more go back to the system at once; of the others those threads
// that wait for one another share what each freed.
void keep_little_freed_memory();

// Gives back what is freed and was kept, also between what is in use. Thread-safe; takes
// milliseconds for each 100 MiB that the process has.
void return_freed_memory();

}  // namespace cb::os
