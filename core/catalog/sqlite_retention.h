// SPDX-License-Identifier: Apache-2.0
//
// Retention in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/guarded.h"
#include "core/catalog/retention.h"

namespace cb::catalog {

class SqliteRetention final : public Retention {
 public:
  SqliteRetention(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<std::vector<RetentionRow>> rules(int64_t repository) override;
  Status set_rules(int64_t repository, const RetentionRow& row) override;
  Status remove_rules(int64_t repository, ByteView source) override;
  Result<std::vector<PinRow>> pins(int64_t repository) override;
  Status set_pin(int64_t repository, const PinRow& pin) override;
  Status remove_pin(int64_t repository, const Bytes32& snapshot) override;
  Result<int64_t> ask(const ApprovalRow& request, std::span<const int64_t> instead) override;
  Result<std::optional<ApprovalRow>> approval(int64_t number) override;
  Result<std::vector<ApprovalRow>> approvals(int64_t repository, bool open) override;
  Status approve(int64_t number, const std::string& by, int64_t now_ns) override;
  Status use(int64_t number, bool approved, int64_t now_ns) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
