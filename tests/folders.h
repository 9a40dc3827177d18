// SPDX-License-Identifier: Apache-2.0
//
// Where tests find their data and what was built. Functions are pure and for any thread; whole
// paths. They are the one place that names the tree, so that clones share all other objects.
#pragma once

#include <string>
#include <string_view>

namespace cb::test {

// tests/data, or `below` in it.
std::string data(std::string_view below = {});
// The folder of the plugins.
std::string plugins();
// A program of this build.
std::string program(std::string_view name);

}  // namespace cb::test
