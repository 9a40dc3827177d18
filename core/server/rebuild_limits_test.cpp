// SPDX-License-Identifier: Apache-2.0
#include "core/server/rebuild_limits.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "core/repository/results_fixture.h"

namespace cb::server {
namespace {

using repository::must;

class RebuildLimits : public testing::Test {
 protected:
  RebuildLimits() {
    std::string name = (std::filesystem::temp_directory_path() / "cb-limits-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder: " + name);
    folder_ = name;
    old_ = must(catalog::open_sqlite_catalog((folder_ / "old.db").string(), true));
    fresh_ = must(catalog::open_sqlite_catalog((folder_ / "fresh.db").string(), true));
  }
  ~RebuildLimits() override {
    old_.reset();
    fresh_.reset();
    std::filesystem::remove_all(folder_);
  }
  static int64_t add(catalog::Catalog& catalog, const std::string& name) {
    catalog::Account account;
    account.name = name;
    return must(catalog.accounts().add_account(account));
  }

  std::filesystem::path folder_;
  std::unique_ptr<catalog::Catalog> old_, fresh_;
};

TEST_F(RebuildLimits, limits_go_to_the_account_of_the_same_name_whatever_its_number) {
  const catalog::Bytes16 device{std::byte{7}};
  add(*old_, "lost");
  const int64_t before = add(*old_, "alice");
  must(old_->limits().set_limits(before, {{{}, "stored", 500, 3, "uid 0 (root)"},
                                          {device, "sessions", 2, 4, "uid 0 (root)"}}));
  must(old_->limits().set_over_soft(before, {{}, 99}));
  const int64_t bob = add(*fresh_, "bob");
  const int64_t after = add(*fresh_, "alice");
  must(copy_limits(*old_, *fresh_));
  const auto rows = must(fresh_->limits().limits(after));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].value, 500U);
  EXPECT_EQ(rows[0].set_by, "uid 0 (root)");
  EXPECT_EQ(rows[1].device, device);
  EXPECT_EQ(must(fresh_->limits().over_soft(after)).at(0).since_ns, 99);
  EXPECT_TRUE(must(fresh_->limits().limits(bob)).empty());
}

}  // namespace
}  // namespace cb::server
