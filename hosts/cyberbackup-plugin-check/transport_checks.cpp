// SPDX-License-Identifier: Apache-2.0
//
// What every transport must do.
#include "hosts/cyberbackup-plugin-check/transport_checks.h"

#include "hosts/cyberbackup-plugin-check/catalogue.h"

namespace cb::check {

std::vector<Check> transport_checks() {
  std::vector<Check> all = transport_flow_checks();
  const std::vector<Check> ends = transport_end_checks();
  all.insert(all.end(), ends.begin(), ends.end());
  return all;
}

}  // namespace cb::check
