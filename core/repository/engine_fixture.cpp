// SPDX-License-Identifier: Apache-2.0
//
// See engine_fixture.h.
#include "core/repository/engine_fixture.h"

#include <unistd.h>

#include <random>

#include "core/repository/engine_records.h"
#include "tests/folders.h"

namespace cb::repository {

namespace fs = std::filesystem;

std::chrono::nanoseconds TestClock::wall() const {
  const int64_t set = wall_ns_;
  return set != 0 ? std::chrono::nanoseconds(set) : os::system_clock().wall();
}

std::chrono::nanoseconds TestClock::monotonic() const {
  return os::system_clock().monotonic() + std::chrono::nanoseconds(ahead_ns_);
}

EngineHouse::EngineHouse(std::string plugin, EngineLimits limits, fs::path folder)
    : plugin_(std::move(plugin)), limits_(limits), folder_(std::move(folder)) {
  if (folder_.empty()) {
    std::string name = (fs::temp_directory_path() / "cb-engine-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder: " + name);
    folder_ = name;
    temporary_ = true;
  }
  const std::array<std::byte, identity::kSeedSize> seed{std::byte{7}};
  key_.emplace(must(identity::SigningKey::from_seed(seed)));
  must(open());
}

EngineHouse::~EngineHouse() {
  close();
  std::error_code ignored;
  if (temporary_) fs::remove_all(folder_, ignored);
}

void EngineHouse::close() {
  engine_.reset();
  catalog_.reset();
  store_.reset();
  registry_.reset();
}

Status EngineHouse::open() {
  plugin::HostServices services;
  services.log = &log_;
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "engine_test";
  services.host_version = "1";
  plugin::LoadOptions options;
  options.folder = test::plugins();
  options.check_owner = false;
  options.probe_unknown = false;
  registry_ = std::make_unique<plugin::Registry>(services, options);
  CB_TRY(registry_->load(plugin_));
  CB_ASSIGN(const config::Schema* schema, registry_->schema(plugin_));
  const bool is_fs = plugin_ == "store-fs";
  const std::map<std::string, std::string> place = {
      {is_fs ? "folder" : "file", (folder_ / (is_fs ? "store" : "store.db")).string()}};
  CB_ASSIGN(const config::Values values, config::values_from(*schema, place));
  CB_ASSIGN(plugin::Store store, registry_->make_store(plugin_, values));
  store_.emplace(std::move(store));
  CB_ASSIGN(catalog_, catalog::open_sqlite_catalog(catalog_file(), true));
  Engine::Parts parts;
  parts.store = &*store_;
  parts.catalog = catalog_.get();
  parts.clock = &clock_;
  parts.random = &os::system_random();
  parts.sign = [this](ByteView message) -> Result<Signature> { return key_->sign(message); };
  parts.server_key = key_->public_key();
  parts.limits = limits_;
  if (make_quota_) parts.quota = make_quota_(*catalog_);
  CB_ASSIGN(engine_, Engine::open(std::move(parts)));
  return {};
}

RepositoryId EngineHouse::create(uint8_t number) {
  RepositoryRecord record;
  record.id.bytes.fill(std::byte{number});
  record.epochs.push_back({1, Bytes(32, std::byte{1})});
  const std::string name = "account-" + std::to_string(number);
  if (must(catalog_->accounts().account_by_name(name))) return record.id;
  catalog::Account account;
  account.name = name;
  must(catalog_->accounts().add_account(account));
  must(engine_->create(record, name));
  return record.id;
}

Viewer EngineHouse::add_device(uint8_t number, Role role, bool shares_dedup, uint8_t account) {
  Certificate certificate;
  certificate.role = role;
  certificate.flags = shares_dedup ? kDeviceSharesDedup : 0;
  catalog::Device device;
  device.id = device_of(number).bytes;
  const std::string name = "account-" + std::to_string(account);
  device.account = must(catalog_->accounts().account_by_name(name))->number;
  device.certificate = encode(certificate);
  device.role = static_cast<uint64_t>(role);
  must(catalog_->accounts().add_device(device));
  const auto row = must(catalog_->index().repository_of(device.account));
  if (row) put_object(device_object(RepositoryId{row->id}, device_of(number)), device.certificate);
  return {device_of(number), role, shares_dedup};
}

std::vector<std::string> EngineHouse::objects(const std::string& prefix) {
  std::vector<std::string> names;
  plugin::List list = must(store_->list_open(prefix));
  for (;;) {
    const auto object = must(list.next());
    if (!object) return names;
    names.push_back(object->name);
  }
}

Bytes EngineHouse::object(const std::string& name) {
  Bytes content(must(store_->stat(name)).length);
  plugin::Get get = must(store_->get_open(name));
  for (size_t at = 0; at < content.size();) at += must(get.read(ByteSpan(content).subspan(at)));
  return content;
}

void EngineHouse::put_object(const std::string& name, ByteView content) {
  plugin::Put put = must(store_->put_begin(name, content.size()));
  must(put.write(content));
  must(put.commit());
}

namespace {

template <typename T>
void fill(T& bytes, uint64_t seed) {
  std::mt19937_64 random(seed * 0x9e3779b97f4a7c15 + 1);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
}

}  // namespace

SessionId session_of(uint64_t number) {
  SessionId session;
  fill(session.bytes, number + 0x5e55);
  return session;
}

StoredBlob session_record(uint64_t number) {
  SessionRecord record;
  record.epoch = 1;
  record.kem_cipher.resize(48);
  fill(record.kem_cipher, number);
  StoredBlob blob;
  blob.stored = encode(record);
  blob.head.kind = BlobKind::session;
  blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
  const SessionId session = session_of(number);
  std::copy(session.bytes.begin(), session.bytes.end(), blob.head.id.bytes.begin());
  return blob;
}

StoredBlob make_blob(BlobKind kind, uint64_t number, size_t size, std::vector<BlobId> children,
                     uint64_t session) {
  StoredBlob blob;
  blob.head.kind = kind;
  fill(blob.head.id.bytes, number * 8 + static_cast<uint64_t>(kind));
  blob.head.children = std::move(children);
  blob.head.stored_size = static_cast<uint32_t>(size);
  const bool sealed_for_session =
      kind == BlobKind::data || kind == BlobKind::node || kind == BlobKind::snapshot;
  if (sealed_for_session) blob.head.session = session_of(session);
  blob.stored.resize(size);
  fill(blob.stored, number + 77);
  return blob;
}

DeviceId device_of(uint8_t number) {
  DeviceId device;
  device.bytes.fill(std::byte{number});
  return device;
}

Status put_blob(Intake& intake, const StoredBlob& blob) {
  CB_TRY(intake.begin(blob.head));
  ByteView rest = blob.stored;
  while (!rest.empty()) {
    const ByteView part = rest.first(std::min<size_t>(rest.size(), 50'000));
    CB_TRY(intake.content(part));
    rest = rest.subspan(part.size());
  }
  return intake.end();
}

TestSnapshot make_snapshot(uint64_t number, size_t count, size_t size) {
  TestSnapshot made;
  made.blobs.push_back(session_record(number));
  std::array<std::vector<BlobId>, 2> halves;
  for (size_t i = 0; i < count; ++i) {
    made.blobs.push_back(make_blob(BlobKind::data, number * 100'000 + i, size + i, {}, number));
    halves[i % 2].push_back(made.blobs.back().head.id);
  }
  std::vector<BlobId> nodes;
  for (size_t i = 0; i < halves.size(); ++i) {
    made.blobs.push_back(
        make_blob(BlobKind::node, number * 100'000 + i, 300 + i, halves[i], number));
    nodes.push_back(made.blobs.back().head.id);
  }
  made.blobs.push_back(make_blob(BlobKind::node, number * 100'000 + 9, 200, nodes, number));
  made.request.root = made.blobs.back().head.id;
  made.blobs.push_back(make_blob(BlobKind::snapshot, number, 150, {made.request.root}, number));
  made.request.snapshot = made.blobs.back().head.id;
  fill(made.request.commit_id.bytes, number + 0xc0);
  fill(made.request.source.bytes, 0x50);
  made.request.files = count;
  made.request.bytes = count * size;
  return made;
}

Result<std::map<BlobId, StoredBlob>> read_all(Engine& engine, const RepositoryId& repository,
                                              std::span<const BlobId> ids, const Viewer& whose,
                                              bool exact) {
  std::map<BlobId, StoredBlob> found;
  StoredBlob* current = nullptr;
  Engine::Reader reader;
  reader.head = [&](const BlobHead& head) -> Status {
    current = &found[head.id];
    current->head = head;
    return {};
  };
  reader.content = [&](ByteView part) -> Status {
    current->stored.insert(current->stored.end(), part.begin(), part.end());
    return {};
  };
  CB_TRY(engine.read(repository, whose, exact, ids, reader));
  return found;
}

std::vector<BlobId> ids_of(std::span<const StoredBlob> blobs) {
  std::vector<BlobId> ids;
  for (const StoredBlob& blob : blobs) ids.push_back(blob.head.id);
  return ids;
}

}  // namespace cb::repository
