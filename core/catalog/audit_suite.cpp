// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about the rows of the audit log.
#include <algorithm>
#include <thread>

#include "core/catalog/catalog_suite.h"

namespace cb::catalog {
namespace {

AuditRow row_after(const std::optional<AuditRow>& last) {
  AuditRow row;
  row.sequence = last ? last->sequence + 1 : 1;
  row.record = Bytes(3, static_cast<std::byte>(row.sequence));
  row.hash.fill(static_cast<std::byte>(row.sequence));
  return row;
}

std::vector<AuditRow> one_more(const std::optional<AuditRow>& last) { return {row_after(last)}; }

std::vector<AuditRow> two_more(const std::optional<AuditRow>& last) {
  const AuditRow first = row_after(last);
  return {first, row_after(first)};
}

TEST_P(CatalogSuite, an_audit_log_is_empty_at_first_and_grows_in_order) {
  EXPECT_FALSE(*catalog_->audit().last());
  EXPECT_TRUE(catalog_->audit().rows(0, 10)->empty());
  ASSERT_TRUE(catalog_->audit().append(one_more));
  ASSERT_TRUE(catalog_->audit().append(two_more));
  reopen();
  const auto all = catalog_->audit().rows(0, 10);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ((*all)[2].sequence, 3);
  EXPECT_EQ((*all)[2], row_after((*all)[1]));
  EXPECT_EQ(**catalog_->audit().last(), (*all)[2]);
  const auto page = catalog_->audit().rows(1, 1);
  ASSERT_EQ(page->size(), 1U);
  EXPECT_EQ((*page)[0], (*all)[1]);
}

TEST_P(CatalogSuite, rows_of_the_audit_log_are_added_together_or_not_at_all) {
  ASSERT_TRUE(catalog_->audit().append(one_more));
  const auto wrong = catalog_->audit().append([](const std::optional<AuditRow>& last) {
    return std::vector<AuditRow>{row_after(last), *last};
  });
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::exists);
  EXPECT_EQ((*catalog_->audit().last())->sequence, 1);
}

TEST_P(CatalogSuite, many_write_one_audit_log_at_once) {
  constexpr int kEach = 20;
  const auto other = second();
  const auto write = [](Catalog& into) {
    for (int i = 0; i < kEach; ++i) EXPECT_TRUE(into.audit().append(one_more));
  };
  std::thread beside([&] { write(*other); });
  std::thread more([&] { write(*catalog_); });
  write(*catalog_);
  beside.join();
  more.join();
  const auto all = catalog_->audit().rows(0, 1000);
  ASSERT_EQ(all->size(), 3U * kEach);
  EXPECT_EQ(all->back().sequence, 3 * kEach);
}

}  // namespace
}  // namespace cb::catalog
