// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes what is parsed of packs: footer, scan without a footer, digest.
#include <algorithm>
#include <cstdlib>

#include "core/repository/pack_scanner.h"

using namespace cb;

namespace {

class Input final : public repository::PackBytes {
 public:
  explicit Input(ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] uint64_t size() const override { return bytes_.size(); }
  Status read(uint64_t offset, ByteSpan into) override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) std::abort();
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), into.size(), into.begin());
    return {};
  }

 private:
  ByteView bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input pack(ByteView(reinterpret_cast<const std::byte*>(data), size));
  static_cast<void>(repository::verify_digest(pack));
  const auto footer = repository::read_footer(pack);
  if (footer && footer->offset > pack.size()) std::abort();
  const auto scan = repository::scan_pack(pack, pack.size());
  if (!scan) std::abort();
  uint64_t least = repository::kPackHeaderSize;
  for (const auto& blob : scan->blobs) {
    if (blob.offset < least || !repository::check_head(blob.head)) std::abort();
    // What was read is what would be written.
    const Bytes again = repository::encode_record(blob.head);
    Bytes there(again.size());
    if (!pack.read(blob.offset, there) || there != again) std::abort();
    least = blob.offset + repository::packed_size(blob.head.children.size(), blob.head.stored_size);
    if (least > pack.size()) std::abort();
  }
  return 0;
}
