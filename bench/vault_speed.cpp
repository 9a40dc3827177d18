// SPDX-License-Identifier: Apache-2.0
//
// Measures the vault alone: how fast plain bytes become a sealed object in store-fs, on one thread.
// usage: bench_vault_speed FOLDER [GIBIBYTES [LEVEL]]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>

#include "core/log/capture.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"
#include "core/repository/upload.h"

using namespace cb;

namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "vault_speed: %s\n", result.error().text().c_str());
    std::exit(1);
  }
  return std::move(*result);
}

void must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "vault_speed: %s\n", status.error().text().c_str());
  std::exit(1);
}

Bytes random_block(size_t size) {
  std::mt19937_64 random(1);
  Bytes bytes(size);
  for (size_t i = 0; i + 8 <= size; i += 8) store_le(bytes.data() + i, uint64_t{random()});
  return bytes;
}

// Log lines with a time, an address, a path and a number: about what a log file is.
Bytes text_block(size_t size) {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < size)
    text += "2026-01-17T12:" + std::to_string(random() % 60) + ":" + std::to_string(random() % 60) +
            " 192.0.2." + std::to_string(random() % 256) + " GET /files/" +
            std::to_string(random() % 100'000) + "/index.html 200 " +
            std::to_string(random() % 1'000'000) + "\n";
  return to_bytes(as_bytes(std::string_view(text).substr(0, size)));
}

void measure(repository::Vault& vault, const char* what, const Bytes& block, uint64_t total) {
  constexpr size_t kPiece = 65'536;
  const std::clock_t cpu_start = std::clock();
  const auto start = std::chrono::steady_clock::now();
  auto upload = must(vault.begin(ClientId{}, what, total));
  for (uint64_t done = 0; done < total; done += kPiece)
    must(upload->write(ByteView(block).subspan(done % block.size(), kPiece)));
  must(upload->commit());
  const std::chrono::duration<double> write_time = std::chrono::steady_clock::now() - start;
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const auto read_start = std::chrono::steady_clock::now();
  uint64_t read = 0;
  must(vault.read(ClientId{}, what, upload->object_name(), [&](ByteView part) -> Status {
    read += part.size();
    return {};
  }));
  const std::chrono::duration<double> read_time = std::chrono::steady_clock::now() - read_start;
  if (read != total) must(failed(Code::corrupt, what, "came back with another size"));
  std::printf("%-8s %6.0f MB/s in (%.0f by processor time), %6.0f MB/s out, stored %.1f %%\n", what,
              static_cast<double>(total) / 1e6 / write_time.count(),
              static_cast<double>(total) / 1e6 / cpu,
              static_cast<double>(total) / 1e6 / read_time.count(),
              100.0 * static_cast<double>(upload->stored_size()) / static_cast<double>(total));
  must(vault.remove(upload->object_name()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::fprintf(stderr, "usage: bench_vault_speed FOLDER [GIBIBYTES [LEVEL]]\n");
    return 2;
  }
  const uint64_t total = static_cast<uint64_t>(argc > 2 ? std::atoi(argv[2]) : 1) << 30;
  const std::string level = argc > 3 ? argv[3] : "1";
  log::Capture log;
  plugin::HostServices services;
  services.log = &log;
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "vault_speed";
  services.host_version = "1";
  plugin::LoadOptions options;
  options.folder = CB_PLUGIN_DIR;
  options.check_owner = false;
  options.probe_unknown = false;
  plugin::Registry registry(services, options);
  for (const char* id : {"store-fs", "crypto-modern", "compress-zstd"}) must(registry.load(id));
  const auto values = [&](const char* id, const std::map<std::string, std::string>& written) {
    return must(config::values_from(*must(registry.schema(id)), written));
  };
  const std::string folder = (std::filesystem::absolute(argv[1]) / "vault-speed").string();
  auto store = must(registry.make_store("store-fs", values("store-fs", {{"folder", folder}})));
  auto crypto = must(registry.make_crypto("crypto-modern", values("crypto-modern", {})));
  auto compress =
      must(registry.make_compress("compress-zstd", values("compress-zstd", {{"level", level}})));
  const auto pair = must(crypto.pair_new());
  repository::Vault vault({&store, &crypto, &compress, &pair, &os::system_random()});
  constexpr size_t kBlock = size_t{64} << 20;
  measure(vault, "random", random_block(kBlock), total);
  measure(vault, "text", text_block(kBlock), total);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return 0;
}
