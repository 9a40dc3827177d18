// SPDX-License-Identifier: Apache-2.0
#include "core/server/last_seen.h"

#include <gtest/gtest.h>

#include "core/catalog/catalog.h"
#include "core/log/capture.h"
#include "core/os/file_system.h"

namespace cb::server {
namespace {

class LastSeenBook : public testing::Test {
 protected:
  LastSeenBook() {
    std::string folder = testing::TempDir() + "cb-seen-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
    catalog_ = catalog::open_sqlite_catalog((folder_ / "catalog.sqlite").string(), true).value();
    catalog::Account account;
    account.name = "alice";
    account_ = catalog_->accounts().add_account(account).value();
  }
  ~LastSeenBook() override {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  repository::DeviceId device(uint8_t number) {
    catalog::Device made;
    made.id.fill(std::byte{number});
    made.account = account_;
    EXPECT_TRUE(catalog_->accounts().add_device(made));
    return repository::DeviceId{made.id};
  }
  int64_t seen(const repository::DeviceId& id) {
    return catalog_->accounts().device_by_id(id.bytes).value()->last_seen_ns;
  }

  os::Path folder_;
  log::Capture log_;
  std::unique_ptr<catalog::Catalog> catalog_;
  int64_t account_ = 0;
};

TEST_F(LastSeenBook, tells_the_catalog_of_all_devices_at_once_and_of_each_the_newest_moment) {
  const auto one = device(1);
  const auto two = device(2);
  LastSeen book(catalog_->accounts(), log_);
  book.note(one, 10);
  book.note(two, 20);
  book.note(one, 30);
  EXPECT_EQ(seen(one), 0) << "a log-in does not write";
  book.flush();
  EXPECT_EQ(seen(one), 30);
  EXPECT_EQ(seen(two), 20);
}

TEST_F(LastSeenBook, writes_what_is_left_when_it_is_closed_and_by_itself_before) {
  const auto one = device(1);
  LastSeen book(catalog_->accounts(), log_);
  book.start();
  book.note(one, 10);
  book.close();
  EXPECT_EQ(seen(one), 10);
  book.start();
  book.note(one, 20);
  while (seen(one) != 20) std::this_thread::yield();
}

TEST_F(LastSeenBook, a_device_that_is_gone_keeps_no_other_from_being_written) {
  const auto one = device(1);
  LastSeen book(catalog_->accounts(), log_);
  repository::DeviceId gone;
  gone.bytes.fill(std::byte{9});
  book.note(gone, 10);
  book.note(one, 10);
  book.flush();
  EXPECT_EQ(seen(one), 10);
}

}  // namespace
}  // namespace cb::server
