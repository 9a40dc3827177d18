// SPDX-License-Identifier: Apache-2.0
//
// How a passphrase comes in: from a file, the environment or the terminal. Used by one thread.
#pragma once

#include "core/base/secret.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

// Is there one that nobody has to type?
bool has_written_passphrase(const CommonOptions& options);

// From --passphrase-file, CYBERBACKUP_PASSPHRASE_FILE, CYBERBACKUP_PASSPHRASE or the terminal,
// which shows `prompt`; in that order. With `twice` the terminal asks a second time (for a new
// passphrase). Code::denied when there is neither, Code::invalid when it is empty or the two
// differ, Code::cancelled after Ctrl-C.
Result<Secret> read_passphrase(const CommonOptions& options, const std::string& prompt,
                               bool twice = false);

// The one line of a file, without its end. Code::invalid when it is empty or there are more lines.
Result<Secret> passphrase_of_file(const std::string& name);

// Asks the terminal, whatever else is given; `twice` as above. Code::denied without one.
Result<Secret> ask_terminal(const std::string& prompt, bool twice = false);

}  // namespace cb
