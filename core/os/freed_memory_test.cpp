// SPDX-License-Identifier: Apache-2.0
#include "core/os/freed_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "core/base/units.h"
#include "core/os/process.h"

namespace cb::os {
namespace {

TEST(FreedMemory, goes_back_to_the_system_also_from_between_what_is_in_use) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep memory in their own way";
#endif
  constexpr size_t kBlock = 16 * kKiB;
  std::vector<std::unique_ptr<char[]>> blocks(4096);
  for (auto& block : blocks) {
    block = std::make_unique<char[]>(kBlock);
    std::memset(block.get(), 1, kBlock);
  }
  for (size_t i = 0; i < blocks.size(); ++i)
    if (i % 64 != 0) blocks[i].reset();
  const uint64_t before = resident_bytes();
  return_freed_memory();
  EXPECT_LT(resident_bytes() + 48 * kMiB, before);
}

}  // namespace
}  // namespace cb::os
