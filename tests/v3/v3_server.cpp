// SPDX-License-Identifier: Apache-2.0
#include "tests/v3/v3_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <thread>

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
  std::filesystem::create_directories(folder / "spool");
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

config::Values V3Server::options(const std::string& plugin,
                                 const std::map<std::string, std::string>& written) {
  return must(config::values_from(*must(registry_->schema(plugin)), written));
}

V3Server::V3Server(V3Settings settings, Dialect dialect)
    : folder_(fresh_folder()), dialect_(dialect) {
  plugin::HostServices services;
  services.log = &log_;
  services.clock = &os::system_clock();
  services.random = [this](const std::string& id) -> os::Random& {
    return id == "crypto-legacy" ? static_cast<os::Random&>(aes_keys_) : os::system_random();
  };
  services.host_name = "v3-test";
  services.host_version = "0";
  plugin::LoadOptions load;
  load.folder = CB_PLUGIN_DIR;
  load.check_owner = false;
  load.probe_unknown = false;
  registry_ = std::make_unique<plugin::Registry>(std::move(services), std::move(load));
  for (const char* id :
       {"transport-tcp", "store-fs", "crypto-legacy", "crypto-modern", "compress-zstd"})
    must(registry_->load(id));

  store_ = std::make_unique<plugin::Store>(must(registry_->make_store(
      "store-fs", options("store-fs", {{"folder", (folder_ / "store").string()}}))));
  crypto_ = std::make_unique<plugin::Crypto>(
      must(registry_->make_crypto("crypto-modern", options("crypto-modern", {}))));
  legacy_ = std::make_unique<plugin::Crypto>(
      must(registry_->make_crypto("crypto-legacy", options("crypto-legacy", {}))));
  compress_ = std::make_unique<plugin::Compress>(
      must(registry_->make_compress("compress-zstd", options("compress-zstd", {}))));
  server_key_ = std::make_unique<plugin::KeyPair>(must(crypto_->pair_new()));
  catalog_ = must(catalog::open_sqlite_catalog((folder_ / "catalog.db").string(), true));
  vault_ = std::make_unique<repository::Vault>(repository::Vault::Parts{
      store_.get(), crypto_.get(), compress_.get(), server_key_.get(), &os::system_random()});

  buffers_ = std::make_unique<stream::BufferPool>(128 * kKiB, 16 * kMiB);
  io_ = std::make_unique<stream::IoThreads>(2);
  workers_ = std::make_unique<stream::Workers>(2);
  service_ = must(
      V3Service::open(V3Service::Parts{registry_.get(), store_.get(), vault_.get(), catalog_.get(),
                                       workers_.get(), buffers_.get(), &log_, &os::system_clock(),
                                       &ids_, &os::real_file_system(), folder_ / "spool"},
                      settings));

  std::vector<plugin::Transport> transports;
  transports.push_back(
      must(registry_->make_transport("transport-tcp", options("transport-tcp", {}))));
  stack_ = std::make_unique<stream::Stack>(must(stream::Stack::make(std::move(transports))));
  plugin::Listener listener = must(stack_->listen("127.0.0.1", 0));
  const auto strand = io_->make_strand();
  listener_ = std::make_unique<stream::Listener>(strand, std::move(listener));
  port_ = listener_->port();
  accepting_ = true;
  boost::asio::co_spawn(strand, accept_all(), boost::asio::detached);
}

boost::asio::awaitable<void> V3Server::accept_all() {
  while (true) {
    Result<std::unique_ptr<plugin::Stream>> root = co_await listener_->accept();
    if (!root) break;
    Result<std::unique_ptr<plugin::Stream>> top = stack_->wrap_accepted(std::move(*root));
    if (!top) continue;
    const auto strand = io_->make_strand();
    auto connection = std::make_unique<stream::Connection>(strand, std::move(*top));
    boost::asio::co_spawn(strand, service_->serve(std::move(connection), dialect_),
                          boost::asio::detached);
  }
  co_await listener_->close();
  accepting_ = false;
}

V3Server::~V3Server() {
  listener_->cancel();
  while (accepting_) std::this_thread::yield();
  wait_until_idle();
  io_->stop();
  io_->join();
  std::filesystem::remove_all(folder_);
}

void V3Server::wait_until_idle() {
  while (service_->counters().sessions != 0) std::this_thread::yield();
}

Bytes V3Server::public_half(ByteView private_key) {
  return must(must(legacy_->import_private(private_key)).public_half());
}

void V3Server::add_client(const ClientId& id, const std::string& name, ByteView private_key,
                          catalog::OaepHash hash) {
  catalog::LegacyClient client;
  client.id = id;
  client.name = name;
  must(catalog_->add_client(client));
  must(catalog_->set_public_key(id, public_half(private_key)));
  if (hash != catalog::OaepHash::unknown) must(catalog_->set_oaep(id, hash, true));
}

std::optional<Bytes> V3Server::stored(const ClientId& id, const std::string& file_name) {
  std::optional<catalog::LegacyVersion> newest;
  for (catalog::LegacyVersion& version : must(catalog_->versions(id)))
    if (version.file_name == file_name) newest = std::move(version);
  if (!newest) return std::nullopt;
  Bytes content;
  must(vault_->read(id, file_name, newest->object, [&](ByteView plain) -> Status {
    content.insert(content.end(), plain.begin(), plain.end());
    return {};
  }));
  return content;
}

size_t V3Server::object_count() {
  plugin::List list = must(store_->list_open());
  size_t count = 0;
  while (must(list.next())) ++count;
  return count;
}

}  // namespace cb::server
