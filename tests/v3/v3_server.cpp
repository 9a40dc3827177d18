// SPDX-License-Identifier: Apache-2.0
#include "tests/v3/v3_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/server/init.h"
#include "tests/folders.h"

namespace cb::server {
namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().text());
}

os::Path fresh_folder() {
  static std::atomic<int> count{0};
  const os::Path folder = os::Path(testing::TempDir()) /
                          ("v3-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
  std::filesystem::remove_all(folder);
  return folder;
}

}  // namespace

void ScriptedRandom::push(Bytes next) {
  const std::lock_guard lock(mutex_);
  script_.push_back(std::move(next));
}

Status ScriptedRandom::fill(ByteSpan out) {
  const std::lock_guard lock(mutex_);
  if (script_.empty() || script_.front().size() != out.size()) return os::system_random().fill(out);
  std::copy(script_.front().begin(), script_.front().end(), out.begin());
  script_.pop_front();
  return {};
}

std::vector<std::string> in_mode(const std::string& mode) {
  const std::string versions = mode == "compat" ? "[3, 4]" : mode == "secure" ? "[4]" : "[3]";
  return {"listen.0.mode=" + mode, "listen.0.versions=" + versions};
}

V3Server::V3Server(const V3Settings& v3, Dialect dialect, V3ServerOptions options)
    : folder_(fresh_folder()), dialect_(dialect), v3_(v3), set_(std::move(options.set)) {
  seams_.log = &log_;
  seams_.clock = options.clock;
  seams_.ids = &ids_;
  seams_.plugin_random = [this](const std::string& id) -> os::Random& {
    return id == "crypto-legacy" ? static_cast<os::Random&>(aes_keys_) : os::system_random();
  };
  InitRequest request;
  request.folder = folder_;
  request.listen_v3 = "127.0.0.1:0";
  request.store = "fs";
  request.plugin_folder = test::plugins();
  must(init_folder(request, seams_));
  daemon_ = must(Daemon::start(settings(v3_), seams_));

  looking_settings_ = settings(v3_);
  looking_registry_ = make_registry(looking_settings_, seams_, log_);
  must(prepare_plugins(looking_settings_, *looking_registry_));
  looking_ = must(Backend::open(looking_settings_, *looking_registry_, seams_));
}

V3Server::~V3Server() {
  daemon_.reset();
  looking_.reset();
  looking_registry_.reset();
  std::filesystem::remove_all(folder_);
}

Settings V3Server::settings(const V3Settings& v3) {
  SettingsRequest request;
  request.file = folder_ / "cyberbackupd.toml";
  request.set = set_;
  request.set.insert(request.set.end(), {"plugins.probe=false", "plugins.check_owner=false"});
  request.default_plugin_folder = test::plugins();
  config::Problems problems;
  Settings loaded = must(load_settings(request, problems));
  if (problems.has_errors()) throw std::runtime_error(problems.error("").text());
  loaded.v3 = v3;
  loaded.listen.at(0).dialect = dialect_;
  return loaded;
}

void V3Server::restart() {
  daemon_.reset();
  daemon_ = must(Daemon::start(settings(v3_), seams_));
}

void V3Server::while_ended(const std::function<void(Backend&, plugin::Registry&)>& work) {
  daemon_.reset();
  work(*looking_, *looking_registry_);
  restart();
}

void V3Server::reconfigure(const V3Settings& v3) { must(daemon_->reload(settings(v3))); }

Status V3Server::reload(std::vector<std::string> set) {
  set_.swap(set);
  Status done = daemon_->reload(settings(v3_));
  if (!done) set_.swap(set);
  return done;
}

void V3Server::decide(const ClientId& id,
                      const std::function<void(catalog::LegacyPolicy&)>& change) {
  must(catalog().change_legacy_policy(id, change));
}

void V3Server::wait_until_idle() {
  while (daemon_->session_count() != 0) std::this_thread::yield();
}

void V3Server::add_client(const ClientId& id, const std::string& name, ByteView private_key,
                          catalog::OaepHash hash) {
  const config::Schema* schema = must(looking_registry_->schema("crypto-legacy"));
  const plugin::Crypto legacy =
      must(looking_registry_->make_crypto("crypto-legacy", must(config::values_from(*schema, {}))));
  catalog::LegacyClient client;
  client.id = id;
  client.name = name;
  must(catalog().add_client(client));
  must(catalog().set_public_key(id, must(must(legacy.import_private(private_key)).public_half())));
  if (hash != catalog::OaepHash::unknown) must(catalog().set_oaep(id, hash, true));
}

std::optional<Bytes> V3Server::stored(const ClientId& id, const std::string& file_name) {
  std::optional<catalog::LegacyVersion> newest;
  for (catalog::LegacyVersion& version : must(catalog().versions(id)))
    if (version.file_name == file_name) newest = std::move(version);
  if (!newest) return std::nullopt;
  Bytes content;
  must(archive().read(*newest, [&](ByteView plain) -> Status {
    content.insert(content.end(), plain.begin(), plain.end());
    return {};
  }));
  return content;
}

size_t V3Server::upload_count() {
  plugin::List list = must(looking_->store().list_open());
  size_t commits = 0;
  uint64_t packs = 0;
  while (const auto object = must(list.next())) {
    if (object->name.find("/commit/") != std::string::npos) ++commits;
    if (object->name.find("/pack/") != std::string::npos) ++packs;
  }
  uint64_t known = 0;
  for (const catalog::RepositoryRow& row : must(catalog().index().repositories()))
    known += must(looking_->engine().counts(repository::RepositoryId{row.id})).packs;
  if (packs != known || (commits == 0 && packs != 0))
    throw std::runtime_error("the store has " + std::to_string(packs) + " packs, and " +
                             std::to_string(known) + " of them belong to an upload");
  return commits;
}

}  // namespace cb::server
