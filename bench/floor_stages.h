// SPDX-License-Identifier: Apache-2.0
//
// What a first backup cannot do without, each stage alone and with the libraries themselves: how
// much CPU time it takes on this machine. Used by one thread; sending runs a second one for the
// other end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cb::bench {

using Buffer = std::vector<unsigned char>;
using View = std::span<const unsigned char>;

// CPU seconds that this process has used, with all its threads.
double cpu_seconds();

// CPU seconds by stage.
class Costs {
 public:
  // Adds what `work` takes.
  template <typename Work>
  void add(const std::string& stage, Work work) {
    const double begin = cpu_seconds();
    work();
    seconds_[stage] += cpu_seconds() - begin;
  }
  [[nodiscard]] const std::map<std::string, double>& seconds() const { return seconds_; }

 private:
  std::map<std::string, double> seconds_;
};

// Where pieces of this mean end: a gear hash over every byte, an eighth of the mean at least and
// eight times at most. Returns the lengths.
std::vector<size_t> cut(View content, size_t mean);

// SHA-256 and XXH3-128 of each piece of 4 KiB.
void hash_pieces(View content);

// HMAC-SHA-256 of each of the blobs with these lengths.
void name_blobs(View content, std::span<const size_t> lengths);

// The level of zstd for each blob of 1 MiB: `level`, or 1 where that makes it no larger.
std::vector<int> choose_levels(View content, int level);

// Blobs of 1 MiB, compressed with zstd; as they were when that does not shrink them. The result
// lies in `out`, which has room for the content and 1 MiB more.
View compress_blobs(View content, std::span<const int> levels, Buffer& out);

// AES-256-GCM in chunks of 64 KiB, each with its tag. The result lies in `out`, as above.
View seal(View content, Buffer& out);

// Writes a file of this content and waits until it is on the disk. Exits with a message if it
// fails.
void write_durably(const std::string& file, View content);

// Ends the program, since a figure that was not measured is none.
[[noreturn]] void give_up(std::string_view what);

}  // namespace cb::bench
