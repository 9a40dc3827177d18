// SPDX-License-Identifier: Apache-2.0
//
// What every crypto suite must do.
#include "hosts/cyberbackup-plugin-check/crypto_checks.h"

#include "hosts/cyberbackup-plugin-check/catalogue.h"

namespace cb::check {

std::vector<Check> crypto_checks() {
  std::vector<Check> all;
  for (const auto part : {&crypto_key_checks, &crypto_stream_checks, &crypto_answer_checks}) {
    const std::vector<Check> some = part();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace cb::check
