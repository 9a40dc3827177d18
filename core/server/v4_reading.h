// SPDX-License-Identifier: Apache-2.0
//
// The blobs of one Get on their way from the store to a client, in as many turns on a reader as the
// network needs. Used by one thread at a time; `run` blocks.
#pragma once

#include <optional>
#include <vector>

#include "core/repository/engine.h"
#include "core/server/v4_outflow.h"

namespace cb::server {

class V4Reading {
 public:
  // Which copies are meant; see Engine::read.
  struct Copies {
    repository::Viewer whose;
    bool exact = false;
    bool whole = false;  // nothing of a blob before all of it is known to be right
  };

  // The engine and `out` outlive it.
  V4Reading(repository::Engine& engine, const repository::RepositoryId& repository,
            const Copies& copies, std::vector<repository::BlobId> ids, V4Outflow& out);

  // Hands blobs over until none is left, the network is behind (then `goes_on`; call it again when
  // everything was sent), or something fails.
  Status run();
  [[nodiscard]] bool goes_on() const { return goes_on_; }

  // Once nothing goes on: which of the ids are not there.
  [[nodiscard]] std::vector<repository::BlobId> missing() const;
  // Blobs that were begun.
  [[nodiscard]] uint64_t blobs() const { return blobs_; }

 private:
  Status read_rest();
  Status read(std::span<const repository::BlobId> ids);

  repository::Engine& engine_;
  const repository::RepositoryId repository_;
  const Copies copies_;
  V4Outflow& out_;
  std::vector<repository::BlobId> wanted_;  // sorted
  std::vector<bool> begun_;                 // of wanted_
  uint64_t blobs_ = 0;
  bool goes_on_ = false;
};

}  // namespace cb::server
