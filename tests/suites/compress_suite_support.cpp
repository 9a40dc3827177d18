// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>

#include "tests/folders.h"
#include "tests/suites/compress_suite.h"

namespace cb::compress_suite {

std::string name_of_case(const testing::TestParamInfo<std::string>& plugin) {
  std::string name = plugin.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

LoadedCompress::LoadedCompress(const std::string& id,
                               const std::map<std::string, std::string>& written)
    : id_(id) {
  plugin::HostServices services;
  services.log = &log_;
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "compress_suite";
  services.host_version = "1";
  plugin::LoadOptions options;
  options.folder = test::plugins();
  options.check_owner = false;
  options.probe_unknown = false;
  registry_ = std::make_unique<plugin::Registry>(std::move(services), std::move(options));
  const Status loaded = registry_->load(id);
  if (!loaded) throw std::runtime_error(loaded.error().text());
  Result<plugin::Compress> made = make(written);
  if (!made) throw std::runtime_error(made.error().text());
  compress_.emplace(std::move(*made));
}

Result<plugin::Compress> LoadedCompress::make(const std::map<std::string, std::string>& written) {
  CB_ASSIGN(const config::Schema* schema, registry_->schema(id_));
  CB_ASSIGN(const config::Values values, config::values_from(*schema, written));
  return registry_->make_compress(id_, values);
}

bool Room::fence_stands() const {
  return std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(cap_), bytes_.end(),
                     [](std::byte b) { return b == kMark; });
}

Bytes zeros(size_t size) { return Bytes(size); }

Bytes noise(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

Bytes prose(size_t size, uint64_t seed) {
  constexpr std::array<std::string_view, 8> kWords = {"the ",   "backup ", "of ",      "yesterday ",
                                                      "holds ", "every ",  "letter, ", "again.\n"};
  std::mt19937_64 random(seed);
  Bytes bytes;
  bytes.reserve(size + 16);
  while (bytes.size() < size) {
    const ByteView word = as_bytes(kWords[random() % kWords.size()]);
    bytes.insert(bytes.end(), word.begin(), word.end());
  }
  bytes.resize(size);
  return bytes;
}

std::vector<std::pair<std::string, Bytes>> samples() {
  Bytes mixed = prose(2'500'000);
  const Bytes middle = noise(1'500'001);
  mixed.insert(mixed.end(), middle.begin(), middle.end());
  mixed.resize(6'000'000);
  return {{"empty", {}},
          {"one byte", noise(1)},
          {"short", prose(19)},
          {"zeros", zeros(300'000)},
          {"random", noise(200'003)},
          {"text", prose(400'000)},
          {"several MiB of all", std::move(mixed)}};
}

Bytes packed(const plugin::Compress& compress, ByteView plain) {
  const Result<size_t> bound = compress.bound(plain.size());
  if (!bound) {
    ADD_FAILURE() << bound.error().text();
    return {};
  }
  Room room(*bound);
  const Result<size_t> size = compress.compress(plain, room.span());
  EXPECT_TRUE(room.fence_stands());
  if (!size) {
    ADD_FAILURE() << size.error().text();
    return {};
  }
  EXPECT_LE(*size, *bound);
  return to_bytes(room.first(*size));
}

Result<Bytes> unpacked(const plugin::Compress& compress, ByteView data, size_t cap) {
  Room room(cap);
  const Result<size_t> size = compress.decompress(data, room.span());
  EXPECT_TRUE(room.fence_stands());
  if (!size) return failed(size.error());
  return to_bytes(room.first(*size));
}

Result<Streamed> pump(plugin::Codec& codec, ByteView in, size_t in_step, size_t out_step,
                      uint32_t last_op) {
  Streamed done;
  while (true) {
    const ByteView piece = in.subspan(done.used, std::min(in_step, in.size() - done.used));
    const bool last = done.used + piece.size() == in.size();
    Room room(out_step);
    CB_ASSIGN(const plugin::CodecRun run,
              codec.run(piece, room.span(), last ? last_op : uint32_t{CB_CODEC_GO}));
    EXPECT_TRUE(room.fence_stands());
    const ByteView written = room.first(run.written);
    done.bytes.insert(done.bytes.end(), written.begin(), written.end());
    done.used += run.used;
    done.ended = run.step == plugin::CodecStep::end;
    if (done.ended) return done;
    const bool moved = run.used + run.written > 0;
    if (!piece.empty() && !moved) {
      return failed(Code::internal, "codec", "neither took nor gave a byte");
    }
    if (run.step == plugin::CodecStep::ok) {
      EXPECT_EQ(run.used, piece.size()) << "OK means that all input was used";
      if (last && done.used == in.size()) return done;
    }
    if (run.step == plugin::CodecStep::more && !moved) {
      return failed(Code::internal, "codec", "says MORE but gives nothing");
    }
  }
}

}  // namespace cb::compress_suite
