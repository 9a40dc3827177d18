// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/packs.h"

#include <algorithm>
#include <stdexcept>

#include "core/repository/pack_scanner.h"

namespace cb::damage {
namespace {

class TextPack final : public repository::PackBytes {
 public:
  explicit TextPack(const std::string& text) : text_(text) {}
  [[nodiscard]] uint64_t size() const override { return text_.size(); }
  Status read(uint64_t offset, ByteSpan into) override {
    const ByteView part = as_bytes(text_).subspan(offset, into.size());
    std::copy(part.begin(), part.end(), into.begin());
    return {};
  }

 private:
  const std::string& text_;
};

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

}  // namespace

std::vector<FoundBlob> blobs_in(Objects& objects, Objects& earlier, const std::string& prefix) {
  const auto before = earlier.list(prefix);
  std::vector<FoundBlob> found;
  for (const std::string& name : objects.list(prefix)) {
    const std::string bytes = objects.read(name);
    TextPack pack(bytes);
    const auto footer = must(repository::read_footer(pack));
    const auto scan = must(repository::scan_pack(pack, footer.offset));
    const bool is_new = !std::binary_search(before.begin(), before.end(), name);
    for (const repository::PackedBlob& blob : scan.blobs)
      found.push_back({name, footer.header.domain, is_new, blob.offset,
                       repository::record_size(blob.head.children.size()), blob.head});
  }
  return found;
}

}  // namespace cb::damage
