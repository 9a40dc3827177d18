// SPDX-License-Identifier: Apache-2.0
//
// Runs of jobs in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/guarded.h"
#include "core/catalog/jobs.h"

namespace cb::catalog {

class SqliteJobs final : public Jobs {
 public:
  SqliteJobs(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<int64_t> begin(const JobRun& run) override;
  Status end(const JobRun& run) override;
  Result<uint64_t> interrupt(int64_t now_ns) override;
  Result<std::vector<JobRun>> history(const std::string& job, int64_t before, size_t most) override;
  Result<std::vector<JobRun>> scheduled(const std::string& job, size_t most) override;
  Result<std::optional<int64_t>> oldest() override;
  Result<uint64_t> forget(int64_t before_ns) override;
  Result<uint64_t> forget_same(int64_t number) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
