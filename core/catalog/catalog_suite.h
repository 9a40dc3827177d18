// SPDX-License-Identifier: Apache-2.0
//
// The suite that every implementation of Catalog must pass: instantiate CatalogSuite with a maker
// of a Subject. Tests run on one thread unless they say otherwise.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "core/catalog/catalog.h"

namespace cb::catalog {

// One data base, empty at first, that can be opened many times, also at once.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Result<std::unique_ptr<Catalog>> open() = 0;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Subject>()> make;

  // What GoogleTest prints of it.
  friend void PrintTo(const Implementation& one, std::ostream* out) { *out << one.name; }
};

class CatalogSuite : public testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override;
  void reopen();
  // Another handle on the same data base.
  std::unique_ptr<Catalog> second();

  std::unique_ptr<Subject> subject_;
  std::unique_ptr<Catalog> catalog_;
};

// The part of accounts.h.
class AccountsSuite : public CatalogSuite {
 protected:
  Accounts& accounts() { return catalog_->accounts(); }
  // The number of a new account.
  int64_t add(const std::string& name);
};

// The part of index.h: a catalog with one account and one repository of id zero.
class IndexSuite : public CatalogSuite {
 protected:
  void SetUp() override;
  Index& index() { return catalog_->index(); }
  int64_t repository_ = 0;
};

// The part of retention.h, with the same.
class RetentionSuite : public IndexSuite {
 protected:
  Retention& retention() { return catalog_->retention(); }
};

// The part of sources.h, with the same.
class SourcesSuite : public IndexSuite {
 protected:
  Sources& sources() { return catalog_->sources(); }
};

// The part of replication.h, with the same.
class ReplicationSuite : public IndexSuite {
 protected:
  Replication& replication() { return catalog_->replication(); }
};

// A client whose id ends in `number`.
LegacyClient make_client(const std::string& name, uint8_t number);
LegacyVersion make_version(const LegacyClient& client, const std::string& file, uint64_t sequence);

}  // namespace cb::catalog
