// SPDX-License-Identifier: Apache-2.0
//
// What a program does when the system refuses it memory or threads: it says so and ends, which is
// no crash. Whenever a program ends, what was acknowledged is safe.
#pragma once

namespace cb::os {

// First of all in main. From now on, in any thread: when an allocation fails, and when an exception
// of the standard library about want of resources (std::bad_alloc, std::system_error) is caught by
// nobody, `program` and why go to stderr, and the process ends with 1 (report::ExitCode::failed).
// Any other exception that nobody catches is a defect, and aborts. `program` lives for ever. Where
// an allocation fails before main the words come, too, with the name that the program was run as.
void say_last_words(const char* program);

// For a daemon, once it serves: an allocation that fails throws std::bad_alloc again, so that it
// ends what it was for, and not what others do.
void bear_want_of_memory();

}  // namespace cb::os
