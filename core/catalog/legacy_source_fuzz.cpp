// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as another server's database: rows, or an error. The first byte chooses between the
// file and the text of an id.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/catalog/legacy_source.h"

using namespace cb;

namespace {

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("cyberbackup-source-fuzz-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const os::Path& path() const { return path_; }

 private:
  const os::Path path_;
};

void check_file(std::string_view bytes) {
  static const Folder folder;
  const os::Path file = folder.path() / "defensive.db";
  std::ofstream(file, std::ios::binary) << bytes;
  const auto source =
      catalog::read_legacy_source(file, folder.path() / "scratch", os::real_file_system());
  if (!source) return;
  for (const auto& client : source->clients)
    if (client.id.is_zero()) std::abort();
  // Nothing of it stays.
  std::error_code ignored;
  if (!std::filesystem::is_empty(folder.path() / "scratch", ignored) && !ignored) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] == 'f') check_file(as_text(bytes));
  if (data[0] == 'i')
    if (const auto id = catalog::parse_source_id(as_text(bytes)))
      if (catalog::parse_source_id(id->hex()) != *id) std::abort();
  return 0;
}
