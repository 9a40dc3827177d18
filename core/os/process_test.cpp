// SPDX-License-Identifier: Apache-2.0
#include "core/os/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace cb::os {
namespace {

TEST(Process, knows_its_threads_and_memory) {
  EXPECT_GE(thread_count(), 1u);
  EXPECT_GT(resident_bytes(), 100'000u);
  EXPECT_TRUE(program_folder().is_absolute());
}

TEST(FileLock, keeps_a_second_holder_out_until_it_is_given_up) {
  const Path path = "/tmp/file-lock-" + std::to_string(::getpid());
  {
    const auto first = FileLock::take(real_file_system(), path);
    ASSERT_TRUE(first);
    const auto second = FileLock::take(real_file_system(), path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::busy);
  }
  EXPECT_TRUE(FileLock::take(real_file_system(), path));
  EXPECT_TRUE(real_file_system().remove(path));
}

}  // namespace
}  // namespace cb::os
