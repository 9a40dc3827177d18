// SPDX-License-Identifier: Apache-2.0
//
// One line that nobody else is to see, from a file or the terminal: a passphrase, a password. Used
// by one thread.
#pragma once

#include <string>

#include "core/base/secret.h"

namespace cb {

struct SecretQuestion {
  std::string what;    // is asked for, in messages: "passphrase"
  std::string prompt;  // as the terminal shows it
  std::string advice;  // what to do without a terminal
  bool twice = false;  // asks a second time, for something new
};

// Asks the controlling terminal, wherever standard input comes from. Code::denied without one,
// Code::invalid when nothing is typed or the two differ, Code::cancelled after Ctrl-C.
Result<Secret> ask_secret(const SecretQuestion& question);

// The one line of a file, without its end; `what` as above. Code::invalid when it is empty or there
// are more lines.
Result<Secret> secret_of_file(const std::string& name, const std::string& what);

}  // namespace cb
