// SPDX-License-Identifier: Apache-2.0
#include "core/os/last_words.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace cb::os {
namespace {

using testing::ExitedWithCode;

// Asked while the program's own initialisers run.
const bool kHasWordsBeforeMain = std::get_new_handler() != nullptr;

TEST(LastWords, are_there_before_main) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "not with sanitizers";
#endif
  EXPECT_TRUE(kHasWordsBeforeMain);
}

TEST(LastWordsDeathTest, want_of_memory_ends_a_program_with_words) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  say_last_words("program");
  EXPECT_EXIT(std::get_new_handler()(), ExitedWithCode(1), "^program: out of memory");
}

// Where nobody catches it.
template <typename Exception>
void throw_in_thread(const Exception& exception) {
  std::thread([&exception] { throw exception; }).join();
}

TEST(LastWordsDeathTest, want_of_threads_does_too) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  say_last_words("program");
  const std::system_error none(EAGAIN, std::generic_category(), "cannot start a thread");
  EXPECT_EXIT(throw_in_thread(none), ExitedWithCode(1), "^program: cannot start a thread: ");
}

TEST(LastWordsDeathTest, a_daemon_bears_it_where_somebody_catches) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  say_last_words("daemon");
  bear_want_of_memory();
  EXPECT_EQ(std::get_new_handler(), nullptr);
  EXPECT_EXIT(throw_in_thread(std::bad_alloc()), ExitedWithCode(1), "^daemon: out of memory");
}

TEST(LastWordsDeathTest, any_other_exception_is_a_defect) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  say_last_words("program");
  EXPECT_EXIT(throw_in_thread(std::logic_error("a defect")), testing::KilledBySignal(SIGABRT),
              "a defect");
}

}  // namespace
}  // namespace cb::os
