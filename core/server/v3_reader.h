// SPDX-License-Identifier: Apache-2.0
//
// Opens what lies in a v3 client's repository, with the keys that the server holds. For one thread;
// functions block.
#pragma once

#include "core/repository/tree.h"
#include "core/server/v3_keys.h"

namespace cb::server {

class V3Reader {
 public:
  // All outlive the reader.
  static Result<std::unique_ptr<V3Reader>> make(repository::Engine& engine,
                                                const repository::Suite& suite,
                                                const V3Repository& repository);

  // Code::corrupt when it is not there, Code::auth when it is not what the id names.
  Result<repository::PlainBlob> fetch(const repository::BlobId& id);
  Result<repository::Node> node(const repository::BlobId& id);
  // The root node of a snapshot.
  Result<repository::BlobId> root_of(const repository::BlobId& snapshot);

 private:
  V3Reader(repository::Engine& engine, const repository::RepositoryId& repository,
           std::unique_ptr<repository::Opener> opener)
      : engine_(engine), repository_(repository), opener_(std::move(opener)) {}
  Result<repository::StoredBlob> stored(const repository::BlobId& id);

  repository::Engine& engine_;
  repository::RepositoryId repository_;
  std::unique_ptr<repository::Opener> opener_;
};

}  // namespace cb::server
