// SPDX-License-Identifier: Apache-2.0
//
// See last_words.h. Nothing here allocates.
#include "core/os/last_words.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

namespace cb::os {
namespace {

constexpr int kFailed = 1;
constexpr const char* kNoMemory =
    "out of memory (end other programs, or give this one more, and run it again)";

const char* speaker = "";

[[noreturn]] void end_saying(const char* why) {
  std::array<const char*, 4> words = {speaker, ": ", why, "\n"};
  std::array<iovec, words.size()> parts{};
  for (size_t i = 0; i < words.size(); ++i)
    parts[i] = {const_cast<char*>(words[i]), std::strlen(words[i])};
  static_cast<void>(!::writev(STDERR_FILENO, parts.data(), parts.size()));
  ::_exit(kFailed);
}

[[noreturn]] void end_without_memory() { end_saying(kNoMemory); }

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Before the initialisers of any library, which allocate, too, and long before main. Sanitizers
// have more to do at that time.
void begin_early(int, char** arguments, char**) {
  const char* const slash = arguments[0] == nullptr ? nullptr : std::strrchr(arguments[0], '/');
  if (arguments[0] != nullptr) speaker = slash == nullptr ? arguments[0] : slash + 1;
  std::set_new_handler(end_without_memory);
}
[[gnu::section(".preinit_array"), gnu::used]] void (*const kEarly)(int, char**,
                                                                   char**) = begin_early;
#endif

[[noreturn]] void end_by_exception() {
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    end_without_memory();
  } catch (const std::system_error& error) {
    end_saying(error.what());
  } catch (const std::exception& error) {
    static_cast<void>(!::write(STDERR_FILENO, error.what(), std::strlen(error.what())));
  } catch (...) {
  }
  std::abort();
}

}  // namespace

void say_last_words(const char* program) {
  speaker = program;
  std::set_new_handler(end_without_memory);
  std::set_terminate(end_by_exception);
}

void bear_want_of_memory() { std::set_new_handler(nullptr); }

}  // namespace cb::os
