// SPDX-License-Identifier: Apache-2.0
#include "bench/micro/workshop.h"

#include <cstdlib>
#include <random>

#include "core/os/clock.h"
#include "core/plugin/instance.h"

namespace cb::bench {
namespace {

plugin::HostServices services_with(log::Log& log) {
  plugin::HostServices services;
  services.log = &log;
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "bench";
  services.host_version = "1";
  return services;
}

plugin::LoadOptions load_options() {
  plugin::LoadOptions options;
  options.folder = CB_PLUGIN_DIR;
  options.check_owner = false;
  options.probe_unknown = false;
  return options;
}

constexpr std::byte kWriteKey{0x5a};

}  // namespace

Bytes random_bytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() >> 56);
  return bytes;
}

Bytes log_text(size_t size) {
  std::mt19937_64 random(1);
  std::string text;
  for (uint64_t time = 1'700'000'000'000; text.size() < size; time += random() % 64) {
    text += std::to_string(time) + " host" + std::to_string(random() % 32) + " nginx INFO 10.0.";
    text +=
        std::to_string(random() % 256) + " GET /api/v1/users/" + std::to_string(random() % 65536);
    text += " 200 " + std::to_string(random() % 16384) + "\n";
  }
  const ByteView view = as_bytes(text);
  return {view.begin(), view.begin() + static_cast<ptrdiff_t>(size)};
}

Plugins::Plugins() : registry_(services_with(log_), load_options()) {}

config::Values Plugins::options(const std::string& id,
                                const std::map<std::string, std::string>& given) {
  must(registry_.load(id));
  const config::Schema* schema = must(registry_.schema(id));
  return must(config::values_from(*schema, given));
}

plugin::Crypto Plugins::crypto() {
  // Which cipher is the faster one is not to decide what is measured.
  return must(registry_.make_crypto("crypto-modern",
                                    options("crypto-modern", {{"cipher", "aes-256-gcm"}})));
}

plugin::Compress Plugins::compress() {
  return must(registry_.make_compress("compress-zstd", options("compress-zstd", {})));
}

plugin::Store Plugins::store_fs(const std::string& folder) {
  return must(registry_.make_store("store-fs", options("store-fs", {{"folder", folder}})));
}

Keys::Keys()
    : crypto_(plugins_.crypto()),
      compress_(plugins_.compress()),
      repository(must(repository::make_repository(crypto_, os::system_random(), {}))),
      write(must(
          repository::WriteKeys::make(crypto_, repository::RepositoryId{}, Bytes(32, kWriteKey)))) {
  const auto device = must(identity::SigningKey::make(os::system_random()));
  const auto session = must(repository::draw_id<repository::SessionId>(os::system_random()));
  sealer = must(repository::SessionSealer::begin(
      suite(), repository.record, session, {identity::device_id_of(device.public_key())},
      [&device](ByteView message) { return device.sign(message); }));
  opener = must(repository::Opener::make(suite(), repository.record.id, repository.keyring));
  must(opener->learn(session, sealer->record().stored));
}

TemporaryFolder::TemporaryFolder() {
  const char* parent = std::getenv("TMPDIR");
  std::string name = std::string(parent == nullptr ? "/tmp" : parent) + "/cb-bench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder " + name);
  path_ = std::filesystem::canonical(name);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace cb::bench
