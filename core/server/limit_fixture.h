// SPDX-License-Identifier: Apache-2.0
//
// A book of limits under a real engine, with two devices that put small blobs, for tests.
#pragma once

#include <gtest/gtest.h>

#include "core/log/capture.h"
#include "core/repository/engine_fixture.h"
#include "core/server/limit_book.h"

namespace cb::server {

class LimitHouse : public testing::Test {
 protected:
  using Intake = repository::Intake;
  template <typename T>
  static T must(Result<T> result) {
    return repository::must(std::move(result));
  }
  static void must(const Status& status) { repository::must(status); }
  using BlobKind = repository::BlobKind;

  LimitHouse() : repository_(house_.create()) {
    mine_ = house_.add_device(1, repository::Role::owner);
    theirs_ = house_.add_device(2, repository::Role::owner);
    account_ = must_account();
    limit_account(0);
  }

  // Another default; the engine begins anew.
  void set_defaults(const LimitDefaults& defaults) {
    defaults_ = defaults;
    house_.set_quota([this](catalog::Catalog& catalog) {
      book_ = std::make_unique<LimitBook>(LimitBook::Parts{&catalog, &house_.clock(), &log_},
                                          defaults_);
      return book_.get();
    });
  }
  void limit_account(uint64_t stored) {
    LimitDefaults defaults;
    defaults.account.stored = stored;
    set_defaults(defaults);
  }

  repository::Engine& engine() { return house_.engine(); }
  std::unique_ptr<Intake> begin(const repository::Viewer& viewer) {
    return must(engine().begin(repository_, viewer, false));
  }
  // Session 1's record, then data blobs from `first` on until one is refused; how many came.
  static size_t fill(Intake& intake, uint64_t first, size_t count, size_t size = 3000,
                     Status* refused = nullptr) {
    Status done = repository::put_blob(intake, repository::session_record(1));
    size_t came = 0;
    for (; done && came < count; came += done ? 1 : 0)
      done =
          repository::put_blob(intake, repository::make_blob(BlobKind::data, first + came, size));
    if (refused != nullptr) *refused = done;
    return came;
  }

  uint64_t stored() { return must(book_->describe(account_)).use.stored; }
  uint64_t stored_by(const repository::Viewer& viewer) {
    const LimitAccount told = must(book_->describe(account_));
    for (const LimitAccount::OfDevice& one : told.devices)
      if (one.id == viewer.device) return one.use.stored;
    return 0;
  }
  // What the repository's packs and commit records take in the store.
  uint64_t on_disk() {
    uint64_t sum = 0;
    for (const char* folder : {"/pack/", "/commit/"})
      for (const std::string& name : house_.objects("v4/" + repository_.hex() + folder))
        sum += must(house_.store().stat(name)).length;
    return sum;
  }
  int64_t must_account() {
    return must(house_.catalog().accounts().account_by_name("account-1"))->number;
  }

  repository::EngineHouse house_;
  repository::RepositoryId repository_;
  repository::Viewer mine_, theirs_;
  log::Capture log_;
  int64_t account_ = 0;
  LimitDefaults defaults_;
  std::unique_ptr<LimitBook> book_;
};

inline void expect_limit(const Status& refused) {
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::limit) << refused.error().text();
  EXPECT_EQ(refused.error().retry, Retry::no);
  EXPECT_FALSE(refused.error().advice.empty());
}

}  // namespace cb::server
