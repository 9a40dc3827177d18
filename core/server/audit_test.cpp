// SPDX-License-Identifier: Apache-2.0
//
// The audit log: its records, its chain, and what a change of it looks like.
#include "core/server/audit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "core/catalog/catalog.h"
#include "core/catalog/statement.h"
#include "core/log/capture.h"
#include "core/os/file_system.h"
#include "core/server/audit_check.h"
#include "core/server/stopped_clock.h"

namespace cb::server {
namespace {

using report::Json;

AuditEvent device_event(const std::string& object) {
  return {"alice/0123", "192.0.2.1:4711", "v4.device.disabled", object, "done", "account alice"};
}

class AuditLog : public testing::Test {
 protected:
  AuditLog() {
    std::string folder = testing::TempDir() + "cb-audit-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
    catalog_ = catalog::open_sqlite_catalog(file(), true).value();
    audit_ = std::make_unique<Audit>(Audit::Parts{&catalog_->audit(), &clock_, &log_});
  }
  ~AuditLog() override {
    audit_.reset();
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string file() const { return (folder_ / "catalog.sqlite").string(); }
  void write(int count) {
    for (int i = 0; i < count; ++i) audit_->write(device_event("device " + std::to_string(i)));
  }
  std::vector<catalog::AuditRow> rows() { return catalog_->audit().rows(0, 1000).value(); }
  [[nodiscard]] AuditRecord record(size_t at) {
    return decode_audit_record(rows().at(at).record).value();
  }
  std::vector<std::string> check(const std::vector<AuditHead>& expected = {}) {
    AuditCheck check;
    for (const AuditHead& head : expected) check.expect(head);
    for (const catalog::AuditRow& row : rows()) check.take(row);
    check.finish();
    return check.findings();
  }
  // Somebody with a tool of his own.
  void spoil(const char* sql) const {
    const auto connection = catalog::Connection::open(file(), 1000).value();
    ASSERT_TRUE(connection->execute(sql));
    ASSERT_GT(connection->changes(), 0);
  }

  os::Path folder_;
  StoppedClock clock_;
  log::Capture log_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Audit> audit_;
};

TEST_F(AuditLog, keeps_who_did_what_from_where) {
  audit_->write(device_event("device 7"));
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(record(0).sequence, 1U);
  EXPECT_EQ(record(0).time_ns, clock_.wall().count());
  EXPECT_EQ(record(0).event, device_event("device 7"));
  EXPECT_TRUE(check().empty());
  EXPECT_EQ(audit_->head(), head_of(rows()[0]));
}

TEST_F(AuditLog, a_chain_is_the_hashes_that_the_manual_says) {
  write(2);
  const auto all = rows();
  EXPECT_EQ(AuditHash{all[0].hash}, audit_hash(AuditHash{}, all[0].record));
  EXPECT_EQ(AuditHash{all[1].hash}, audit_hash(AuditHash{all[0].hash}, all[1].record));
}

TEST_F(AuditLog, records_come_back_whatever_strangers_put_into_them) {
  std::mt19937 random(20'261'129);
  std::uniform_int_distribution<int> byte(0, 255);
  std::uniform_int_distribution<size_t> size(0, 2000);
  for (int i = 0; i < 200; ++i) {
    AuditRecord record{static_cast<uint64_t>(i) + 1, byte(random) - 100, {}};
    for (std::string* field : {&record.event.actor, &record.event.object, &record.event.detail}) {
      field->resize(size(random));
      for (char& c : *field) c = static_cast<char>(byte(random));
    }
    const Bytes bytes = encode(record);
    EXPECT_LE(bytes.size(), 2600U);
    const auto decoded = decode_audit_record(bytes);
    ASSERT_TRUE(decoded) << decoded.error().text();
    EXPECT_EQ(encode(*decoded), bytes);
    const auto row = audit_row_after({static_cast<uint64_t>(i), {}}, record.time_ns, record.event);
    const auto line = report::parse_json(report::json_line(json_of(row)));
    const auto back = audit_row_of(*line);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(*back, row);
  }
}

TEST_F(AuditLog, every_changed_bit_is_found_and_named) {
  write(5);
  const std::vector<catalog::AuditRow> whole = rows();
  for (size_t bit = 0; bit < whole[2].record.size() * 8; ++bit) {
    std::vector<catalog::AuditRow> changed = whole;
    changed[2].record[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    AuditCheck check;
    for (const auto& row : changed) check.take(row);
    check.finish();
    ASSERT_EQ(check.findings().size(), 1U) << bit;
    EXPECT_NE(check.findings()[0].find("record 3"), std::string::npos) << check.findings()[0];
  }
}

TEST_F(AuditLog, a_missing_record_is_named) {
  write(6);
  spoil("DELETE FROM audit WHERE sequence = 2");
  EXPECT_EQ(check(), std::vector<std::string>{"record 2 is missing"});
  spoil("DELETE FROM audit WHERE sequence IN (3, 4)");
  EXPECT_EQ(check(), std::vector<std::string>{"records 2 to 4 are missing"});
}

TEST_F(AuditLog, records_in_another_order_are_named) {
  write(4);
  spoil(
      "UPDATE audit SET sequence = 99 WHERE sequence = 2;"
      "UPDATE audit SET sequence = 2 WHERE sequence = 3;"
      "UPDATE audit SET sequence = 3 WHERE sequence = 99");
  const auto found = check();
  ASSERT_EQ(found.size(), 3U) << found.size();
  EXPECT_EQ(found[0], "record 2 is in truth record 3: they were put in another order");
  EXPECT_EQ(found[1], "record 3 is in truth record 2: they were put in another order");
  EXPECT_EQ(found[2], "record 4 (v4.device.disabled) was changed, or its hash was");
}

TEST_F(AuditLog, what_is_gone_at_its_end_or_was_written_anew_is_found_with_an_older_head) {
  write(3);
  const AuditHead told = audit_->head();
  write(1);
  EXPECT_TRUE(check({told}).empty());
  spoil("DELETE FROM audit WHERE sequence >= 3");
  EXPECT_TRUE(check().empty());
  EXPECT_EQ(check({told}), std::vector<std::string>{"record 3 is missing, which was told before"});
  audit_->write(device_event("another"));
  EXPECT_TRUE(check().empty());
  EXPECT_EQ(check({told}),
            std::vector<std::string>{"record 3 is another than the one that was told before"});
}

TEST_F(AuditLog, what_is_posted_is_written_before_what_comes_after_it) {
  audit_->post(device_event("first"));
  EXPECT_EQ(audit_->waiting(), 1U);
  EXPECT_TRUE(rows().empty());
  clock_.forward(std::chrono::seconds(5));
  audit_->write(device_event("second"));
  EXPECT_EQ(record(0).event.object, "first");
  EXPECT_EQ(record(1).event.object, "second");
  EXPECT_EQ(record(1).time_ns - record(0).time_ns, 5'000'000'000);
}

TEST_F(AuditLog, a_thread_writes_what_is_posted_and_the_rest_is_written_at_its_end) {
  audit_->start();
  for (int i = 0; i < 100; ++i) audit_->post(device_event(std::to_string(i)));
  audit_->close();
  EXPECT_EQ(rows().size(), 100U);
  EXPECT_TRUE(check().empty());
  EXPECT_TRUE(log_.contains("info event=audit.head sequence=0"));
}

TEST_F(AuditLog, strangers_do_not_fill_it) {
  for (int i = 0; i < 1000; ++i)
    audit_->post_of_stranger(
        {"", "192.0.2.1:" + std::to_string(i), "v4.login.refused", "", "auth", "wrong"});
  ASSERT_TRUE(audit_->flush());
  EXPECT_EQ(rows().size(), 5U);
  clock_.forward(std::chrono::minutes(1));
  audit_->post_of_stranger({"", "192.0.2.1:7", "v4.login.refused", "", "auth", "wrong"});
  ASSERT_TRUE(audit_->flush());
  EXPECT_EQ(record(5).event.detail, "wrong (and 995 before it that are not recorded)");
  for (int i = 0; i < 1000; ++i)
    audit_->post_of_stranger(
        {"", "198.51.100." + std::to_string(i % 250) + ":1", "v4.login.refused", "", "auth", ""});
  ASSERT_TRUE(audit_->flush());
  EXPECT_LE(rows().size(), 6U + 30U);
}

// The real rows, which refuse to be written while `is_full`.
class FullRows final : public catalog::Audit {
 public:
  explicit FullRows(catalog::Audit& below) : below_(below) {}
  Status append(
      const std::function<std::vector<catalog::AuditRow>(const std::optional<catalog::AuditRow>&)>&
          next) override {
    if (is_full) return failed(Code::no_space, "catalog", "has no room");
    return below_.append(next);
  }
  Result<std::optional<catalog::AuditRow>> last() override { return below_.last(); }
  Result<std::vector<catalog::AuditRow>> rows(int64_t after, size_t most) override {
    return below_.rows(after, most);
  }
  bool is_full = true;

 private:
  catalog::Audit& below_;
};

TEST_F(AuditLog, what_cannot_be_written_waits_until_it_can) {
  FullRows full(catalog_->audit());
  audit_ = std::make_unique<Audit>(Audit::Parts{&full, &clock_, &log_});
  write(3);
  EXPECT_TRUE(rows().empty());
  EXPECT_EQ(audit_->waiting(), 3U);
  EXPECT_TRUE(log_.contains("error event=audit.not-kept records=1"));
  clock_.forward(std::chrono::minutes(1));
  full.is_full = false;
  write(1);
  ASSERT_EQ(rows().size(), 4U);
  EXPECT_EQ(record(0).event.object, "device 0");
  EXPECT_EQ(record(3).time_ns - record(0).time_ns, 60'000'000'000);
  full.is_full = true;
  for (int i = 0; i < 5000; ++i) audit_->post(device_event("more"));
  EXPECT_EQ(audit_->waiting(), 4096U);
  EXPECT_EQ(audit_->dropped(), 904U);
  audit_.reset();
}

TEST_F(AuditLog, a_head_is_read_in_both_forms) {
  write(1);
  const AuditHead head = audit_->head();
  EXPECT_EQ(audit_head_of(text_of(head)).value(), head);
  EXPECT_EQ(audit_head_of(report::json_line(json_of(rows()[0]))).value(), head);
  for (const char* wrong : {"", "1", "x 00", "0 ", "1 00", "{}", "[1]", "{\"sequence\": 1}"})
    EXPECT_EQ(audit_head_of(wrong).error().code, Code::corrupt) << wrong;
}

}  // namespace
}  // namespace cb::server
