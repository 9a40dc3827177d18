// SPDX-License-Identifier: Apache-2.0
//
// Records found by 64-bit hooks, in a file of its own: what a client remembers of the signatures in
// its repository. It only saves work: it may be deleted at any time, and a damaged one is made
// anew. Memory does not grow with it. Used by one thread at a time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace cb::catalog {

class Connection;

class HookIndex {
 public:
  using Key = std::array<std::byte, 32>;
  struct Record {
    Key key{};
    Bytes bytes;
  };

  // Opens the file or makes it; one that is damaged, of another layout, or has more than 1 GiB, is
  // begun anew. Code::busy when another process has it.
  static Result<std::unique_ptr<HookIndex>> open(const std::string& file);
  ~HookIndex();
  // The file and what lies beside it; when nobody has it open.
  static Status erase(const std::string& file);

  // Did whoever had it before call settle() at last? What is in it may be wrong else.
  [[nodiscard]] bool was_settled() const { return was_settled_; }
  Status settle();

  enum class Age { newest, older };
  // Replaces a record with that key. A hook that led elsewhere leads to the newest.
  Status add(const Key& key, ByteView record, std::span<const uint64_t> hooks, Age age);
  // The number of the record; nothing when no hook is like it.
  Result<std::optional<int64_t>> find(uint64_t hook);
  // Nothing when it is gone, or is not what was added.
  Result<std::optional<Record>> record(int64_t number);
  Status remove(const Key& key);
  Result<bool> contains(const Key& key);
  // The keys past `after` (zeros: from the first), ascending; at most `most`.
  Result<std::vector<Key>> keys(const Key& after, size_t most);
  [[nodiscard]] Result<bool> is_empty();

 private:
  explicit HookIndex(std::unique_ptr<Connection> connection);
  Status begin();  // of the transaction, if none runs
  Status commit();
  Status mark(bool is_settled);

  std::unique_ptr<Connection> connection_;
  bool in_transaction_ = false;
  bool was_settled_ = true;
  size_t added_ = 0;  // since the last commit
};

}  // namespace cb::catalog
