// SPDX-License-Identifier: Apache-2.0
//
// For tests: the real crypto and compression plugins, and keys of a fresh repository. Used by one
// thread.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <stdexcept>

#include "core/log/capture.h"
#include "core/os/clock.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"
#include "core/repository/keys.h"
#include "core/repository/results_fixture.h"
#include "tests/folders.h"

namespace cb::repository {

// Randomness that counts: the same bytes in each run, for known answers.
class CountingRandom final : public os::Random {
 public:
  Status fill(ByteSpan out) override {
    for (std::byte& b : out) b = static_cast<std::byte>(next_++);
    return {};
  }

 private:
  uint8_t next_ = 0;
};

class SuiteFixture : public testing::Test {
 protected:
  SuiteFixture() : SuiteFixture(os::system_random(), "auto") {}
  SuiteFixture(os::Random& random, const std::string& cipher) : random_(&random) {
    plugin::HostServices services;
    services.log = &log_;
    services.clock = &os::system_clock();
    services.random = [&random](const std::string&) -> os::Random& { return random; };
    services.host_name = "test";
    services.host_version = "1";
    plugin::LoadOptions options;
    options.folder = test::plugins();
    options.check_owner = false;
    options.probe_unknown = false;
    registry_ = std::make_unique<plugin::Registry>(services, options);
    crypto_.emplace(must(
        registry_->make_crypto("crypto-modern", values("crypto-modern", {{"cipher", cipher}}))));
    compress_.emplace(
        must(registry_->make_compress("compress-zstd", values("compress-zstd", {{"level", "1"}}))));
  }

  config::Values values(const std::string& id, const std::map<std::string, std::string>& options) {
    const Status loaded = registry_->load(id);
    if (!loaded) throw std::runtime_error(loaded.error().text());
    return must(config::values_from(*must(registry_->schema(id)), options));
  }

  [[nodiscard]] Suite suite() const { return {&*crypto_, &*compress_}; }

  [[nodiscard]] NewRepository fresh_repository() {
    return must(make_repository(*crypto_, *random_, {}));
  }

  static Bytes random_bytes(size_t size, uint_fast32_t seed) {
    std::mt19937 random(seed);
    Bytes bytes(size);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    return bytes;
  }

  static Bytes text(size_t size) {
    Bytes bytes;
    for (size_t line = 0; bytes.size() < size; ++line) {
      const std::string one = "line " + std::to_string(line) + " of a log that says little\n";
      const ByteView view = as_bytes(one);
      bytes.insert(bytes.end(), view.begin(), view.end());
    }
    bytes.resize(size);
    return bytes;
  }

  os::Random* random_;
  log::Capture log_;
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<plugin::Crypto> crypto_;
  std::optional<plugin::Compress> compress_;
};

}  // namespace cb::repository
