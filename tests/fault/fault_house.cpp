// SPDX-License-Identifier: Apache-2.0
//
// See fault_house.h.
#include "tests/fault/fault_house.h"

#include <unistd.h>

namespace cb::test {

using repository::must;

namespace {

constexpr const char* kAccount = "alice";

// In memory where possible: these tests are about what is lost in a simulation, not about the disk.
os::Path fast_place() { return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ""; }

identity::SigningKey test_key() {
  const std::array<std::byte, identity::kSeedSize> seed{std::byte{7}};
  return must(identity::SigningKey::from_seed(seed));
}

}  // namespace

FaultHouse::FaultHouse(const std::string& below)
    : folder_(fast_place()), faulty_(below, folder_.path()), key_(test_key()) {}

void FaultHouse::close() {
  engine_.reset();
  catalog_.reset();
  store_.reset();
}

Status FaultHouse::open(const std::optional<FaultOptions>& options) {
  close();
  auto store = options ? faulty_.open(*options) : faulty_.open_below();
  if (!store) return failed(store.error());
  store_.emplace(std::move(*store));
  CB_ASSIGN(catalog_, catalog::open_sqlite_catalog((folder_.path() / "catalog.db").string(), true));
  repository::Engine::Parts parts;
  parts.store = &*store_;
  parts.catalog = catalog_.get();
  parts.clock = &clock_;
  parts.random = &os::system_random();
  parts.sign = [this](ByteView message) -> Result<repository::Signature> {
    return key_.sign(message);
  };
  parts.limits.data_pack = 40'000;
  parts.limits.reserve = 0;
  CB_ASSIGN(engine_, repository::Engine::open(std::move(parts)));
  return {};
}

repository::RepositoryId FaultHouse::repository() {
  repository::RepositoryRecord record;
  record.id.bytes.fill(std::byte{1});
  record.epochs.push_back({1, Bytes(32, std::byte{1})});
  if (must(catalog_->accounts().account_by_name(kAccount))) return record.id;
  catalog::Account account;
  account.name = kAccount;
  must(catalog_->accounts().add_account(account));
  must(engine_->create(record, kAccount));
  return record.id;
}

}  // namespace cb::test
