// SPDX-License-Identifier: Apache-2.0
//
// What the stages work with: the real plugins, keys of a repository that is nobody's, inputs that
// are the same in each run, and a folder that goes with its object. Throws where a stage cannot go
// on. Used by one thread.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/identity/signing.h"
#include "core/log/capture.h"
#include "core/plugin/registry.h"
#include "core/repository/keys.h"
#include "core/repository/results_fixture.h"

namespace cb::bench {

using repository::must;

Bytes random_bytes(size_t size, uint64_t seed = 1);
Bytes log_text(size_t size);

// Plugins of this build, with the options that a host would give them.
class Plugins {
 public:
  Plugins();
  plugin::Crypto crypto();
  plugin::Compress compress();
  plugin::Store store_fs(const std::string& folder);

 private:
  config::Values options(const std::string& id, const std::map<std::string, std::string>& given);

  log::Capture log_;
  plugin::Registry registry_;
};

// Keys to name, seal and open blobs. Names are the same in each run; sealing keys are drawn.
class Keys {
 public:
  Keys();
  [[nodiscard]] repository::Suite suite() const { return {&crypto_, &compress_}; }

 private:
  Plugins plugins_;
  plugin::Crypto crypto_;
  plugin::Compress compress_;

 public:
  repository::NewRepository repository;
  repository::WriteKeys write;
  std::unique_ptr<repository::SessionSealer> sealer;
  std::unique_ptr<repository::Opener> opener;
};

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace cb::bench
