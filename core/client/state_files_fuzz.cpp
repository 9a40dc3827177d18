// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the files that a client keeps beside its profile: a cache, the journal of a restore,
// a key file, a pending migration. Sums that nobody guesses are put right. The first byte chooses.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/client/cache.h"
#include "core/client/key_file.h"
#include "core/client/pending_migration.h"
#include "core/client/restore_journal.h"
#include "core/identity/signing.h"
#include "core/repository/block_sum.h"

using namespace cb;
using namespace cb::client;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("cyberbackup-state-fuzz-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  // A file with these bytes.
  os::Path file(const std::string& name, ByteView bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << as_text(bytes);
    return path_ / name;
  }
  [[nodiscard]] const os::Path& path() const { return path_; }

 private:
  const os::Path path_;
};

const Folder& folder() {
  static const Folder made;
  return made;
}

constexpr size_t kCacheHead = 72, kBlockHead = 16;

// The beginning of every cache of this source set.
const Bytes& cache_head() {
  static const Bytes head = [] {
    const os::Path file = folder().path() / "head";
    require(CacheWriter::create(os::real_file_system(), file, {}).has_value());
    return os::read_file(os::real_file_system(), file, 4096).value();
  }();
  return head;
}

// Blocks as they are, each with the right sum.
Bytes as_cache(ByteView input) {
  Bytes cache(cache_head().begin(), cache_head().begin() + kCacheHead);
  while (input.size() > 3) {
    const auto type = static_cast<uint32_t>(input[0]) % 4;
    const size_t said = load_le<uint16_t>(input.data() + 1);
    const ByteView block = input.subspan(3, std::min(said, input.size() - 3));
    input = input.subspan(3 + block.size());
    std::byte head[kBlockHead];
    store_le<uint32_t>(head, type);
    store_le<uint32_t>(head + 4, static_cast<uint32_t>(block.size()));
    store_le<uint64_t>(head + 8, repository::block_sum(block));
    cache.insert(cache.end(), head, head + kBlockHead);
    cache.insert(cache.end(), block.begin(), block.end());
  }
  cache.insert(cache.end(), input.begin(), input.end());
  return cache;
}

void read_cache(ByteView bytes) {
  const os::Path file = folder().file("cache", bytes);
  auto reader = CacheReader::open(os::real_file_system(), file, {});
  if (!reader) return;
  size_t entries = 0;
  while (const auto entry = (*reader)->next()) require(++entries <= bytes.size());
  require(!(*reader)->next());
}

void read_journal(ByteView bytes) {
  RestoreRequest request;
  request.target = "/nowhere";
  RestoreJournal journal(os::real_file_system(), folder().path(), request);
  journal.note(std::string(as_text(bytes)));
  const std::string done = journal.done_through();
  require(done.empty() || done == as_text(bytes));
  journal.forget();
}

void read_key(ByteView bytes) {
  const auto key = read_key_file(os::real_file_system(), folder().file("key", bytes));
  if (key) require(as_text(key_file_text(key->view()).view()) == as_text(bytes));
}

void read_migration(ByteView bytes) {
  Bytes summed = to_bytes(bytes);
  const identity::Hash sum = identity::sha256(bytes);
  summed.insert(summed.end(), sum.begin(), sum.end());
  for (const ByteView form : {bytes, ByteView(summed)})
    if (const auto pending = decode_migration(form))
      require(as_text(encode(*pending).view()) == as_text(form));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] == 'c') read_cache(bytes);
  if (data[0] == 's') read_cache(as_cache(bytes));
  if (data[0] == 'j') read_journal(bytes);
  if (data[0] == 'k') read_key(bytes);
  if (data[0] == 'm') read_migration(bytes);
  return 0;
}
