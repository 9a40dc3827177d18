// SPDX-License-Identifier: Apache-2.0
//
// See faulty_store.h.
#include "tests/fault/faulty_store.h"

#include <fstream>

#include "tests/folders.h"

namespace cb::test {

using repository::must;

FaultyStore::FaultyStore(std::string below, os::Path folder)
    : below_(std::move(below)), folder_(std::move(folder)) {
  plugin::HostServices services;
  services.log = &log_;
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "fault_test";
  services.host_version = "1";
  plugin::LoadOptions options;
  options.folder = test::plugins();
  options.check_owner = false;
  options.probe_unknown = false;
  registry_ = std::make_unique<plugin::Registry>(services, options);
  must(registry_->load(below_));
  must(registry_->load("store-fault"));
}

Result<plugin::Store> FaultyStore::open_below() {
  const bool is_fs = below_ == "store-fs";
  CB_ASSIGN(const config::Schema* schema, registry_->schema(below_));
  CB_ASSIGN(const config::Values values,
            config::values_from(*schema, {{is_fs ? "folder" : "file",
                                           (folder_ / (is_fs ? "store" : "store.db")).string()}}));
  return registry_->make_store(below_, values);
}

Result<plugin::Store> FaultyStore::open(const FaultOptions& options) {
  CB_ASSIGN(const plugin::Store below, open_below());
  CB_ASSIGN(const config::Schema* schema, registry_->schema("store-fault"));
  FaultOptions written = options;
  written.emplace("control", (folder_ / "faults").string());
  CB_ASSIGN(const config::Values values, config::values_from(*schema, written));
  return registry_->make_store("store-fault", values, below.instance());
}

void FaultyStore::control(const std::string& text) {
  const os::Path fresh = folder_ / "faults.new";
  std::ofstream(fresh, std::ios::trunc) << text;
  std::filesystem::rename(fresh, folder_ / "faults");
}

}  // namespace cb::test
