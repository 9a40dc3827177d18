// SPDX-License-Identifier: Apache-2.0
//
// An engine over real plugins in a folder of its own, and blobs to fill it with, for tests. Throws
// where a test cannot go on. The house is used by one thread; its engine by many.
#pragma once

#include <filesystem>
#include <map>
#include <optional>

#include "core/identity/signing.h"
#include "core/log/capture.h"
#include "core/plugin/registry.h"
#include "core/repository/engine.h"
#include "core/repository/results_fixture.h"

namespace cb::repository {

// Goes on by itself unless it is set; then it stands.
class TestClock final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override;
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override;
  void set_wall(std::chrono::nanoseconds now) { wall_ns_ = now.count(); }
  void advance(std::chrono::nanoseconds by) { ahead_ns_ += by.count(); }  // monotonic()

 private:
  std::atomic<int64_t> wall_ns_ = 0;
  std::atomic<int64_t> ahead_ns_ = 0;
};

class EngineHouse {
 public:
  // `plugin` is store-fs or store-sqlite. An empty `folder` is one of its own that goes with it.
  explicit EngineHouse(std::string plugin = "store-fs", EngineLimits limits = {},
                       std::filesystem::path folder = {});
  ~EngineHouse();
  EngineHouse(const EngineHouse&) = delete;
  EngineHouse& operator=(const EngineHouse&) = delete;

  // Closes everything; then only open(), file() and folder() help.
  void close();
  // What Engine::open says, after close().
  Status open();
  void reopen() { close(), must(open()); }
  void set_limits(const EngineLimits& limits) { limits_ = limits, reopen(); }
  // A quota over the catalog, made whenever that is opened; it must live until close().
  using MakeQuota = std::function<Quota*(catalog::Catalog&)>;
  void set_quota(MakeQuota make) { make_quota_ = std::move(make), reopen(); }

  // A new repository of an account of its own; a second call with the same number gives the same
  // id.
  RepositoryId create(uint8_t number = 1);
  // A device of that account's, known to the catalog by a certificate; the signature is empty.
  Viewer add_device(uint8_t number, Role role, bool shares_dedup = false, uint8_t account = 1);

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] plugin::Store& store() { return *store_; }
  [[nodiscard]] plugin::Registry& registry() { return *registry_; }
  [[nodiscard]] catalog::Catalog& catalog() { return *catalog_; }
  [[nodiscard]] TestClock& clock() { return clock_; }
  [[nodiscard]] const identity::PublicKey& server_key() const { return key_->public_key(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::string catalog_file() const { return (folder_ / "catalog.db").string(); }
  // Names of all objects below a prefix.
  std::vector<std::string> objects(const std::string& prefix = "v4/");
  Bytes object(const std::string& name);
  void put_object(const std::string& name, ByteView content);

 private:
  std::string plugin_;
  EngineLimits limits_;
  MakeQuota make_quota_;
  std::filesystem::path folder_;
  bool temporary_ = false;
  log::Capture log_;
  TestClock clock_;
  std::optional<identity::SigningKey> key_;
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<plugin::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Engine> engine_;
};

// Blobs whose ids and bytes follow from a number. Nothing in them is sealed: an engine cannot tell.
SessionId session_of(uint64_t number);
StoredBlob session_record(uint64_t number);
StoredBlob make_blob(BlobKind kind, uint64_t number, size_t size, std::vector<BlobId> children = {},
                     uint64_t session = 1);
DeviceId device_of(uint8_t number);

Status put_blob(Intake& intake, const StoredBlob& blob);

// A small snapshot: `count` data blobs below two nodes below a root, and the commit that names it.
struct TestSnapshot {
  std::vector<StoredBlob> blobs;  // session record first, snapshot last
  CommitRequest request;
};
TestSnapshot make_snapshot(uint64_t number, size_t count, size_t size);

// Reads blobs through the engine.
Result<std::map<BlobId, StoredBlob>> read_all(Engine& engine, const RepositoryId& repository,
                                              std::span<const BlobId> ids, const Viewer& whose = {},
                                              bool exact = false);
std::vector<BlobId> ids_of(std::span<const StoredBlob> blobs);

}  // namespace cb::repository
