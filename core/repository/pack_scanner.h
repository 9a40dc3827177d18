// SPDX-License-Identifier: Apache-2.0
//
// Reads packs: their footer, or, when that is gone or not to be trusted, record by record from the
// front. The bytes are hostile. A PackBytes is used by one thread at a time; functions keep
// nothing.
#pragma once

#include <functional>
#include <optional>

#include "core/plugin/store.h"
#include "core/repository/pack.h"

namespace cb::repository {

// A pack's bytes, wherever they lie.
class PackBytes {
 public:
  virtual ~PackBytes() = default;
  [[nodiscard]] virtual uint64_t size() const = 0;
  // Fills all of `into` from `offset`; the range is inside size(). Cheap when reads follow upon
  // each other.
  virtual Status read(uint64_t offset, ByteSpan into) = 0;
};

// Those of an object in a store.
class StoredPack final : public PackBytes {
 public:
  // Code::not_found when there is none.
  static Result<StoredPack> open(plugin::Store& store, std::string object);
  [[nodiscard]] uint64_t size() const override { return size_; }
  Status read(uint64_t offset, ByteSpan into) override;

 private:
  StoredPack(plugin::Store& store, std::string object, uint64_t size)
      : store_(&store), object_(std::move(object)), size_(size) {}

  plugin::Store* store_;
  std::string object_;
  uint64_t size_;
  std::optional<plugin::Get> get_;
  uint64_t position_ = 0;  // of get_
};

struct PackFooter {
  PackHeader header;
  std::vector<FooterEntry> entries;
  ChecksumBytes digest{};
  uint64_t offset = 0;  // where the footer begins: records end there
};
// Header, footer and end; Code::corrupt when they do not fit together. Does not read the records.
Result<PackFooter> read_footer(PackBytes& pack);

// The stored bytes of the blob that this entry of a footer is of. Code::corrupt when they do not
// have their checksum, or would lie behind the end of the pack.
Result<Bytes> read_content(PackBytes& pack, const FooterEntry& entry);

// Is the digest right? Reads all of the pack. Code::corrupt when not.
Status verify_digest(PackBytes& pack);

struct PackScan {
  std::vector<PackedBlob> blobs;  // records whose check and checksum are right, in order
  struct Damage {
    uint64_t offset = 0;
    std::optional<BlobHead> head;  // whose record is right and whose stored bytes are not
  };
  std::vector<Damage> damaged;
};
// Reads every record in [kPackHeaderSize, end) and its stored bytes, and finds its way behind
// damage; it gives up on a pack whose damaged records claim the same bytes again and again. Fails
// only when `pack` cannot be read.
Result<PackScan> scan_pack(PackBytes& pack, uint64_t end);

// The pack's header, alone.
Result<PackHeader> read_header(PackBytes& pack);

}  // namespace cb::repository
