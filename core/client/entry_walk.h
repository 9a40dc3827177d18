// SPDX-License-Identifier: Apache-2.0
//
// Walks the entries of a snapshot although some of its nodes may be damaged: those are reported and
// the walk goes on behind them. Used by one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/repository/tree.h"

namespace cb::client {

// Entries behind `after`, up to and with `last`, cannot be read.
struct LostStretch {
  std::string after;  // empty: from the beginning
  std::string last;
  Error error;
};

class EntryWalk {
 public:
  using Lost = std::function<void(const LostStretch&)>;
  EntryWalk(repository::NodeSource source, Lost lost)
      : source_(std::move(source)), lost_(std::move(lost)) {}

  // Fails when the root cannot be read. With `from`, entries before that path are left out.
  Status begin(const repository::BlobId& root, std::string from = {});
  // Nothing at the end. Fails only with what says nothing about one node: a lost connection, say.
  Result<std::optional<repository::Entry>> next();

 private:
  struct Level {
    repository::Node node;
    size_t next = 0;
    std::string after;  // entries of this node are behind this path
  };
  Result<std::optional<repository::Entry>> step();
  Status descend(Level& level);

  repository::NodeSource source_;
  Lost lost_;
  std::string from_;
  std::vector<Level> levels_;
};

// Is it damage of the thing itself, so that other things may still be read?
bool is_damage(const Error& error);

}  // namespace cb::client
