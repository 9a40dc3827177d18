// SPDX-License-Identifier: Apache-2.0
#include "tests/trust/intruder.h"

#include <algorithm>
#include <set>

#include "core/client/v4_dialler.h"
#include "core/repository/signatures.h"
#include "tests/folders.h"

namespace cb::trust {
namespace {

using repository::BlobHead;
using repository::BlobId;
using repository::BlobKind;
using repository::SessionId;
using repository::StoredBlob;

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

identity::SigningKey key_of(const Secret& seed) {
  return must(identity::SigningKey::from_seed(seed.view()));
}

}  // namespace

Tools::Tools() {
  plugin::HostServices services;
  services.log = &log_;
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "test";
  services.host_version = "1";
  plugin::LoadOptions options;
  options.folder = test::plugins();
  options.check_owner = false;
  options.probe_unknown = false;
  registry_ = std::make_unique<plugin::Registry>(std::move(services), options);
  crypto_.emplace(must(registry_->make_crypto("crypto-modern", values("crypto-modern", {}))));
  compress_.emplace(must(registry_->make_compress("compress-zstd", values("compress-zstd", {}))));
}

config::Values Tools::values(const std::string& id,
                             const std::map<std::string, std::string>& options) {
  const Status loaded = registry_->load(id);
  if (!loaded) throw std::runtime_error(loaded.error().text());
  return must(config::values_from(*must(registry_->schema(id)), options));
}

stream::Stack Tools::stack(const std::string& pin) {
  std::vector<plugin::Transport> top_first;
  top_first.push_back(must(registry_->make_transport(
      "transport-tls", values("transport-tls", {{"pin", "[\"" + pin + "\"]"}}))));
  top_first.push_back(
      must(registry_->make_transport("transport-tcp", values("transport-tcp", {}))));
  return must(stream::Stack::make(std::move(top_first)));
}

Intruder::Intruder(Tools& given, const os::Path& machine)
    : tools(given),
      profile(must(client::load_profile(os::real_file_system(),
                                        machine / "config" / "profiles" / "default"))),
      key(key_of(profile.device_seed)),
      device(repository::device_of(key.public_key())) {}

std::shared_ptr<client::V4Session> Intruder::login() const {
  client::V4Identity who;
  who.repository = profile.repository;
  who.root = profile.root;
  who.device = device;
  who.sign = [this](ByteView message) { return key.sign(message); };
  const stream::Target server = must(client::parse_server(profile.servers.at(0)));
  return must(client::V4Session::open(tools.stack(profile.pin), server, who));
}

server::V4Owner Intruder::peer_identity() const {
  return {key_of(profile.device_seed), key_of(profile.device_seed), device, profile.record, {}, {}};
}

Blobs Intruder::fetch_all(client::V4Session& session) const {
  Blobs blobs;
  std::vector<SessionId> sessions;
  for (const auto& info : must(session.snapshots(true))) {
    std::vector<BlobId> next = {info.commit.snapshot};
    while (!next.empty()) {
      std::vector<BlobId> below;
      const auto keep = [&](StoredBlob blob) -> Status {
        for (const BlobId& child : blob.head.children)
          if (!blobs.contains(child)) below.push_back(child);
        if (!blob.head.session.is_zero()) sessions.push_back(blob.head.session);
        blobs.insert_or_assign(blob.head.id, std::move(blob));
        return {};
      };
      const Status got = session.get(next, {info.commit.device, false}, keep);
      if (!got) throw std::runtime_error(got.error().text());
      std::sort(below.begin(), below.end());
      below.erase(std::unique(below.begin(), below.end()), below.end());
      next = std::move(below);
    }
  }
  std::set<BlobId> records;
  for (const SessionId& each : sessions) records.insert(id_of_session(each));
  const std::vector<BlobId> ids(records.begin(), records.end());
  const auto keep = [&](StoredBlob blob) -> Status {
    blobs.insert_or_assign(blob.head.id, std::move(blob));
    return {};
  };
  const Status got = session.get(ids, keep);
  if (!got) throw std::runtime_error(got.error().text());
  return blobs;
}

std::vector<BlobId> Intruder::opened(const Blobs& blobs, const repository::Keyring& keyring) const {
  const auto opener = must(repository::Opener::make(tools.suite(), profile.repository, keyring));
  for (const auto& [id, blob] : blobs) {
    if (blob.head.kind != BlobKind::session) continue;
    SessionId session;
    std::copy_n(id.bytes.begin(), SessionId::kSize, session.bytes.begin());
    (void)opener->learn(session, blob.stored);
  }
  std::vector<BlobId> open;
  for (const auto& [id, blob] : blobs)
    if (blob.head.kind != BlobKind::session && opener->open(blob)) open.push_back(id);
  return open;
}

std::unique_ptr<repository::SessionSealer> Intruder::begin(client::V4Session& session) const {
  const auto id = must(repository::draw_id<SessionId>(os::system_random()));
  auto sealer = must(
      repository::SessionSealer::begin(tools.suite(), session.welcome().record, id, device,
                                       [this](ByteView message) { return key.sign(message); }));
  (void)must(session.put(sealer->record()));
  return sealer;
}

StoredBlob Intruder::garbage(const BlobHead& as, const SessionId& session) {
  StoredBlob blob;
  blob.head.id = as.id;
  blob.head.kind = as.kind;
  blob.head.session = session;
  blob.head.children = as.children;
  blob.stored = server::random_bytes(400);
  blob.head.stored_size = 400;
  return blob;
}

repository::CommitRequest Intruder::commit_of(const BlobId& snapshot, const BlobId& root) const {
  repository::CommitRequest request;
  request.commit_id = must(repository::draw_id<repository::CommitId>(os::system_random()));
  request.snapshot = snapshot;
  request.root = root;
  request.device_signature = must(repository::sign_snapshot(profile.repository, snapshot, key));
  request.files = 1;
  request.bytes = 1;
  return request;
}

BlobId id_of_session(const SessionId& session) {
  BlobId id;
  std::copy(session.bytes.begin(), session.bytes.end(), id.bytes.begin());
  return id;
}

}  // namespace cb::trust
