// SPDX-License-Identifier: Apache-2.0
//
// What a stateful target gives libFuzzer beside itself: defaults for its command line, and how a
// list of steps is changed. Include it in one file of each target, then say with CB_FUZZ_STEPS how
// many bytes stand before the list, and how many kinds of steps there are.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/conversation/steps.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace cb::conversation {

// Before what the user says. Such a target keeps state between inputs, which a look for leaks after
// each would take for some; at its end all of it is looked at. Short lists come by themselves. One
// input has some 50,000 features: to weigh them takes ten times as long as to play it.
inline void add_defaults(int* argc, char*** argv) {
  static std::vector<char*> all;
  static char leaks[] = "-detect_leaks=0", memory[] = "-rss_limit_mb=1536",
              timeout[] = "-timeout=60", control[] = "-len_control=0", most[] = "-max_len=4096",
              weigh[] = "-entropic=0";
  all.assign({(*argv)[0], leaks, memory, timeout, control, most, weigh});
  all.insert(all.end(), *argv + 1, *argv + *argc);
  *argc = static_cast<int>(all.size());
  all.push_back(nullptr);
  *argv = all.data();
}

inline ByteView view_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

// The first `front` bytes stay, or one of them changes; the rest is a list of steps.
inline Bytes changed(ByteView input, size_t front, size_t most, unsigned seed, uint8_t kinds) {
  Bytes all = to_bytes(input.first(std::min(front, input.size())));
  all.resize(front);
  const ByteView steps = input.subspan(std::min(front, input.size()));
  if (front > 0 && seed % 32 == 1) all[seed / 32 % front] = static_cast<std::byte>(seed >> 16);
  const Bytes mutated = mutate_steps(steps, most - std::min(most, front), seed, kinds);
  all.insert(all.end(), mutated.begin(), mutated.end());
  return all;
}

inline size_t put_back(const Bytes& from, uint8_t* data, size_t most) {
  const size_t size = std::min(from.size(), most);
  std::copy_n(reinterpret_cast<const uint8_t*>(from.data()), size, data);
  return size;
}

inline size_t mutate(uint8_t* data, size_t size, size_t most, unsigned seed, size_t front,
                     uint8_t kinds) {
  if (seed % 16 == 0) return LLVMFuzzerMutate(data, size, most);
  return put_back(changed(view_of(data, size), front, most, seed, kinds), data, most);
}

inline Bytes crossed(ByteView one, ByteView other, size_t most, unsigned seed, size_t front) {
  const size_t kept = std::min({front, one.size(), other.size(), most});
  Bytes all = to_bytes(one.first(kept));
  const Bytes steps = cross_steps(one.subspan(kept), other.subspan(kept), most - kept, seed);
  all.insert(all.end(), steps.begin(), steps.end());
  return all;
}

}  // namespace cb::conversation

#define CB_FUZZ_STEPS(front, kinds)                                                               \
  extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {                                  \
    cb::conversation::add_defaults(argc, argv);                                                   \
    return 0;                                                                                     \
  }                                                                                               \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most,              \
                                            unsigned seed) {                                      \
    return cb::conversation::mutate(data, size, most, seed, front, kinds);                        \
  }                                                                                               \
  extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* one, size_t one_size,                \
                                              const uint8_t* other, size_t other_size,            \
                                              uint8_t* out, size_t most, unsigned seed) {         \
    using cb::conversation::view_of;                                                              \
    return cb::conversation::put_back(                                                            \
        cb::conversation::crossed(view_of(one, one_size), view_of(other, other_size), most, seed, \
                                  front),                                                         \
        out, most);                                                                               \
  }
