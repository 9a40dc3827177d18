// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "core/base/secret.h"

namespace cb {
namespace {

// Sanitizers make mlock do nothing, so that it always succeeds and locks nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLocksNothing = true;
#else
constexpr bool kLocksNothing = false;
#endif

// What the system says of the pages that hold `memory`: "VmFlags: rd wr mr mw me lo ac dd".
std::string flags_of(const void* memory) {
  const auto at = reinterpret_cast<uintptr_t>(memory);
  std::ifstream maps("/proc/self/smaps");
  bool is_here = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream head(line);
    if (line.find(':') > line.find(' ') && head >> std::hex >> begin >> dash >> end)
      is_here = at >= begin && at < end;
    if (is_here && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

// Runs in a child of its own, whose exit code it is.
template <typename Body>
int in_a_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

TEST(SecretMemory, is_locked_and_left_out_of_dumps) {
  for (const size_t size : {size_t{1}, size_t{32}, size_t{4096}, size_t{100'000}}) {
    const Secret secret(size);
    const std::string flags = flags_of(secret.view().data());
    EXPECT_NE(flags.find(" dd "), std::string::npos) << size << ": " << flags;
    EXPECT_TRUE(kLocksNothing || flags.find(" lo ") != std::string::npos) << size << ": " << flags;
  }
  EXPECT_GT(secret_memory().locked, 0u);
}

TEST(SecretMemory, of_other_buffers_is_neither) {
  const Bytes plain(100'000);
  const std::string flags = flags_of(plain.data() + 50'000);
  EXPECT_EQ(flags.find(" dd "), std::string::npos) << flags;
  EXPECT_EQ(flags.find(" lo "), std::string::npos) << flags;
}

TEST(SecretMemory, has_pages_around_it_that_end_who_touches_them) {
  EXPECT_EQ(in_a_child([] {
              const auto* large = static_cast<volatile char*>(take_secret_memory(8192));
              return large[8191] + large[0];
            }),
            0);
  EXPECT_NE(in_a_child([] {
              const auto* large = static_cast<volatile char*>(take_secret_memory(8192));
              return large[8192] == 0 ? 0 : 0;
            }),
            0);
  EXPECT_NE(in_a_child([] {
              const auto* large = static_cast<volatile char*>(take_secret_memory(8192));
              return large[-1] == 0 ? 0 : 0;
            }),
            0);
}

TEST(SecretMemory, holds_nothing_of_who_had_it_before) {
  for (const size_t size : {size_t{48}, size_t{4000}}) {
    auto* first = static_cast<std::byte*>(take_secret_memory(size));
    std::fill_n(first, size, std::byte{0x5a});
    give_back_secret_memory(first, size);
    auto* second = static_cast<std::byte*>(take_secret_memory(size));
    EXPECT_EQ(first, second) << "the test means to get the same again";
    EXPECT_TRUE(std::all_of(second, second + size, [](std::byte b) { return b == std::byte{0}; }));
    give_back_secret_memory(second, size);
  }
}

TEST(SecretMemory, goes_on_without_a_lock_and_says_so) {
  if (kLocksNothing) GTEST_SKIP() << "a sanitizer locks nothing and says that it did";
  EXPECT_EQ(in_a_child([] {
              // Root may lock whatever the limit says.
              if (::geteuid() == 0 && ::setuid(65534) != 0) return 1;
              const rlimit none{0, 0};
              if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) return 2;
              const SecretMemory before = secret_memory();
              {
                const Secret large(100'000);
                const SecretMemory now = secret_memory();
                if (now.unlocked < before.unlocked + 100'000 || now.problem == 0) return 3;
                if (now.locked != before.locked) return 4;
              }
              return secret_memory().unlocked == before.unlocked ? 0 : 5;
            }),
            0);
}

TEST(SecretMemory, keeps_many_of_many_threads_apart) {
  const auto work = [](unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<Secret> mine;
    for (int i = 0; i < 300; ++i) {
      Secret one(1 + random() % 6000);
      std::fill(one.span().begin(), one.span().end(), static_cast<std::byte>(seed));
      mine.push_back(std::move(one));
      if (mine.size() > 20) mine.erase(mine.begin() + static_cast<ptrdiff_t>(random() % 20));
      for (const Secret& other : mine)
        if (other.view().front() != static_cast<std::byte>(seed) ||
            other.view().back() != static_cast<std::byte>(seed))
          return false;
    }
    return true;
  };
  std::array<bool, 4> whole{};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < whole.size(); ++i)
    threads.emplace_back([&, i] { whole.at(i) = work(i + 1); });
  for (std::thread& one : threads) one.join();
  EXPECT_TRUE(std::all_of(whole.begin(), whole.end(), [](bool one) { return one; }));
}

}  // namespace
}  // namespace cb
