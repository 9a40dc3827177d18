// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/passphrase.h"

#include <cstdlib>
#include <string_view>

#include "hosts/cyberbackup/secret_line.h"

namespace cb {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string passphrase_file(const CommonOptions& options) {
  return options.passphrase_file.empty() ? environment("CYBERBACKUP_PASSPHRASE_FILE")
                                         : options.passphrase_file;
}

// A copy of it is not left in memory.
std::string_view written_passphrase() {
  const char* value = std::getenv("CYBERBACKUP_PASSPHRASE");
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

bool has_written_passphrase(const CommonOptions& options) {
  return !passphrase_file(options).empty() || !written_passphrase().empty();
}

Result<Secret> passphrase_of_file(const std::string& name) {
  return secret_of_file(name, "passphrase");
}

Result<Secret> ask_terminal(const std::string& prompt, bool twice) {
  return ask_secret({"passphrase", prompt,
                     "give it with --passphrase-file or CYBERBACKUP_PASSPHRASE_FILE", twice});
}

Result<Secret> read_passphrase(const CommonOptions& options, const std::string& prompt,
                               bool twice) {
  if (const std::string file = passphrase_file(options); !file.empty())
    return passphrase_of_file(file);
  if (const std::string_view set = written_passphrase(); !set.empty()) return Secret(as_bytes(set));
  return ask_terminal(prompt, twice);
}

}  // namespace cb
