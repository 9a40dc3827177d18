// SPDX-License-Identifier: Apache-2.0
//
// A repository engine above a store that fails. Throws where a test cannot go on. One thread.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "core/catalog/catalog.h"
#include "core/identity/signing.h"
#include "core/repository/engine.h"
#include "core/repository/engine_fixture.h"
#include "tests/fault/faulty_store.h"

namespace cb::test {

class FaultHouse {
 public:
  explicit FaultHouse(const std::string& below);

  // Opens all of it anew, over the store below alone when there are no options.
  Status open(const std::optional<FaultOptions>& options);
  void close();
  // The repository of the only account; made at the first call.
  repository::RepositoryId repository();

  repository::Engine& engine() { return *engine_; }
  plugin::Store& store() { return *store_; }
  FaultyStore& faulty() { return faulty_; }

 private:
  TemporaryFolder folder_;
  FaultyStore faulty_;
  identity::SigningKey key_;
  repository::TestClock clock_;
  std::optional<plugin::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<repository::Engine> engine_;
};

}  // namespace cb::test
