// SPDX-License-Identifier: Apache-2.0
#include "tests/folders.h"

namespace cb::test {

std::string data(std::string_view below) {
  std::string path = CB_TEST_DATA;
  return below.empty() ? path : path.append("/").append(below);
}

std::string plugins() { return CB_PLUGIN_DIR; }

std::string program(std::string_view name) {
  return std::string(CB_BIN_DIR).append("/").append(name);
}

}  // namespace cb::test
