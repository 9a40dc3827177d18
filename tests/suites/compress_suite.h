// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the compression suite share: a plugin loaded like in a host, texts to pack, and
// room with a fence behind it. Each object is used by one test.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/log/capture.h"
#include "core/plugin/registry.h"

namespace cb::compress_suite {

// The plugins that the suite is for; a new compression plugin adds its id here.
inline const std::vector<std::string> kPlugins = {"compress-zstd"};

// The plugin's id as a part of a test's name.
std::string name_of_case(const testing::TestParamInfo<std::string>& plugin);

// One plugin, loaded from the folder of the built plugins and configured as told.
class LoadedCompress {
 public:
  explicit LoadedCompress(const std::string& id,
                          const std::map<std::string, std::string>& written = {});

  Result<plugin::Compress> make(const std::map<std::string, std::string>& written);
  plugin::Compress& operator*() { return *compress_; }
  plugin::Compress* operator->() { return &*compress_; }

 private:
  std::string id_;
  log::Capture log_;
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<plugin::Compress> compress_;
};

// Output room of an exact size, with a fence behind it that must stay as it was.
class Room {
 public:
  explicit Room(size_t cap) : bytes_(cap + kFence, kMark), cap_(cap) {}

  [[nodiscard]] ByteSpan span() { return ByteSpan(bytes_).first(cap_); }
  [[nodiscard]] ByteView first(size_t size) const { return ByteView(bytes_).first(size); }
  [[nodiscard]] bool fence_stands() const;

 private:
  static constexpr size_t kFence = 64;
  static constexpr std::byte kMark{0xC5};
  Bytes bytes_;
  size_t cap_;
};

// Texts by kind; the random ones are the same in every run.
Bytes zeros(size_t size);
Bytes noise(size_t size, uint64_t seed = 1);
Bytes prose(size_t size, uint64_t seed = 1);
// Name and text: empty, tiny, repetitive, random, and several MiB of mixed contents.
std::vector<std::pair<std::string, Bytes>> samples();

// One shot, with exactly the room that bound promises to be enough. A failure fails the test.
Bytes packed(const plugin::Compress& compress, ByteView plain);
// One shot into `cap` bytes.
Result<Bytes> unpacked(const plugin::Compress& compress, ByteView data, size_t cap);

// What came out of a codec, and how far it got.
struct Streamed {
  Bytes bytes;
  size_t used = 0;
  bool ended = false;  // END came
};
// Feeds `in` in pieces of `in_step` into rooms of `out_step` until the op of the last piece is
// done, the frame ends, or nothing more moves. Checks that each run with input and room makes
// progress.
Result<Streamed> pump(plugin::Codec& codec, ByteView in, size_t in_step, size_t out_step,
                      uint32_t last_op);

}  // namespace cb::compress_suite
