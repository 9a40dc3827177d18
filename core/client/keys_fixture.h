// SPDX-License-Identifier: Apache-2.0
//
// For tests of profile and enrolment: a folder of their own, and the real plugins. Used by one
// thread.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "core/client/profile.h"
#include "core/repository/signatures.h"
#include "core/repository/suite_fixture.h"

namespace cb::client {

class KeysFixture : public repository::SuiteFixture {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "cb-keys-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    top_ = name;
    folder_ = top_ / "profiles" / "default";
  }
  void TearDown() override { std::filesystem::remove_all(top_); }

  static Bytes content(const os::Path& path) {
    return repository::must(os::read_file(os::real_file_system(), path, 1 << 20));
  }
  static void overwrite(const os::Path& path, ByteView bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  os::Path top_;
  os::Path folder_;
};

}  // namespace cb::client
