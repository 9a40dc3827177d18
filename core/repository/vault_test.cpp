// SPDX-License-Identifier: Apache-2.0
//
// The vault with the real plugins: what goes in comes out, and no change to a stored object goes
// unnoticed.
#include <gtest/gtest.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "core/log/capture.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"
#include "core/repository/object_format.h"
#include "core/repository/upload.h"

namespace cb::repository {
namespace {

namespace fs = std::filesystem;

// Randomness that counts: the same bytes in each run, for the worked example of the format.
class CountingRandom final : public os::Random {
 public:
  Status fill(ByteSpan out) override {
    for (std::byte& b : out) b = static_cast<std::byte>(next_++);
    return {};
  }

 private:
  uint8_t next_ = 0;
};

class VaultTest : public testing::Test {
 protected:
  void SetUp() override { set_up(os::system_random()); }

  void set_up(os::Random& random) {
    std::string name = (fs::temp_directory_path() / "cb-vault-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    plugin::HostServices services;
    services.log = &log_;
    services.clock = &os::system_clock();
    services.random = [&random](const std::string&) -> os::Random& { return random; };
    services.host_name = "vault_test";
    services.host_version = "1";
    plugin::LoadOptions options;
    options.folder = CB_PLUGIN_DIR;
    options.check_owner = false;
    options.probe_unknown = false;
    registry_ = std::make_unique<plugin::Registry>(services, options);
    store_.emplace(made(&plugin::Registry::make_store, "store-fs", {{"folder", folder_ / "store"}},
                        std::shared_ptr<plugin::Instance>()));
    crypto_.emplace(made(&plugin::Registry::make_crypto, "crypto-modern", crypto_options_));
    compress_.emplace(made(&plugin::Registry::make_compress, "compress-zstd", {{"level", "1"}}));
    pair_.emplace(must(crypto_->pair_new()));
    parts_ = {&*store_, &*crypto_, &*compress_, &*pair_, &random};
    vault_.emplace(parts_);
    for (size_t i = 0; i < client_.bytes.size(); ++i) client_.bytes[i] = static_cast<std::byte>(i);
  }

  void TearDown() override {
    vault_.reset();
    pair_.reset();
    compress_.reset();
    crypto_.reset();
    store_.reset();
    registry_.reset();
    fs::remove_all(folder_);
  }

  template <typename T>
  static T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return std::move(*result);
  }

  template <typename T, typename... Rest>
  T made(Result<T> (plugin::Registry::*make)(const std::string&, const config::Values&, Rest...),
         const std::string& id, const std::map<std::string, std::string>& options, Rest... rest) {
    const Status loaded = registry_->load(id);
    if (!loaded) throw std::runtime_error(loaded.error().text());
    const config::Schema* schema = must(registry_->schema(id));
    return must((*registry_.*make)(id, must(config::values_from(*schema, options)), rest...));
  }

  // Uploads `plain` in pieces of random sizes and returns the object's name.
  std::string put(ByteView plain, const std::string& file = "file", uint_fast32_t seed = 1) {
    auto upload = must(vault_->begin(client_, file, plain.size()));
    std::mt19937 random(seed);
    while (!plain.empty()) {
      const size_t size = std::min<size_t>(plain.size(), 1 + random() % 100'000);
      EXPECT_TRUE(upload->write(plain.first(size)));
      plain = plain.subspan(size);
    }
    const Status done = upload->commit();
    EXPECT_TRUE(done) << done.error().text();
    EXPECT_EQ(upload->stored_size(), must(store_->stat(upload->object_name())).length);
    return upload->object_name();
  }

  Result<Bytes> get(const std::string& object, const std::string& file = "file") {
    return get_as(client_, file, object);
  }

  Result<Bytes> get_as(const ClientId& client, const std::string& file, const std::string& object) {
    Bytes plain;
    CB_TRY(vault_->read(client, file, object, [&](ByteView part) -> Status {
      plain.insert(plain.end(), part.begin(), part.end());
      return {};
    }));
    return plain;
  }

  Bytes raw(const std::string& object) {
    auto reader = must(store_->get_open(object));
    Bytes bytes(must(store_->stat(object)).length);
    size_t at = 0;
    while (at < bytes.size()) at += must(reader.read(ByteSpan(bytes).subspan(at)));
    return bytes;
  }

  void set_raw(const std::string& object, ByteView bytes) {
    auto writer = must(store_->put_begin(object));
    ASSERT_TRUE(writer.write(bytes));
    ASSERT_TRUE(writer.commit());
  }

  size_t objects() {
    auto list = must(store_->list_open());
    size_t count = 0;
    while (must(list.next())) ++count;
    return count;
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

  fs::path folder_;
  log::Capture log_;
  std::map<std::string, std::string> crypto_options_;
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<plugin::Store> store_;
  std::optional<plugin::Crypto> crypto_;
  std::optional<plugin::Compress> compress_;
  std::optional<plugin::KeyPair> pair_;
  Vault::Parts parts_;
  std::optional<Vault> vault_;
  ClientId client_;
};

TEST_F(VaultTest, every_size_around_frames_and_chunks_comes_back) {
  const size_t chunk = must(crypto_->props()).chunk_plain;
  for (const size_t border : {size_t{0}, kFramePlain, 2 * kFramePlain, chunk - kFrameHeaderSize,
                              chunk, 3 * chunk - 3 * kFrameHeaderSize, 5 * chunk})
    for (int off = -2; off <= 2; ++off) {
      if (border == 0 && off < 0) continue;
      const size_t size = border + static_cast<size_t>(off);
      for (const Bytes& plain : {random_bytes(size, 7), text(size)}) {
        const auto back = get(put(plain));
        ASSERT_TRUE(back) << size << ": " << back.error().text();
        ASSERT_TRUE(*back == plain) << size;
      }
    }
}

TEST_F(VaultTest, any_mixture_in_any_pieces_comes_back) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    Bytes plain;
    for (auto part = random() % 6; part > 0; --part) {
      const size_t size = random() % 300'000;
      const Bytes more = random() % 2 == 0 ? text(size) : random_bytes(size, random());
      plain.insert(plain.end(), more.begin(), more.end());
    }
    const auto back = get(put(plain, "file", random()));
    ASSERT_TRUE(back) << back.error().text();
    ASSERT_TRUE(*back == plain) << round;
  }
}

TEST_F(VaultTest, file_names_of_any_bytes_work) {
  using namespace std::string_literals;
  for (const std::string& name : {"a\0b"s, std::string(255, '\xff'), "../../etc/passwd"s, ""s}) {
    const auto back = get(put(as_bytes("hello"), name), name);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(as_text(*back), "hello");
  }
}

TEST_F(VaultTest, text_shrinks_and_random_bytes_grow_by_less_than_a_thousandth) {
  const size_t size = 4 << 20;
  EXPECT_LT(must(store_->stat(put(text(size)))).length, size / 4);
  EXPECT_LT(must(store_->stat(put(random_bytes(size, 3)))).length, size + size / 1000);
}

TEST_F(VaultTest, nothing_is_visible_before_commit_and_nothing_stays_without_it) {
  {
    auto upload = must(vault_->begin(client_, "file", 0));
    ASSERT_TRUE(upload->write(random_bytes(1'000'000, 1)));
    EXPECT_EQ(objects(), 0u);
    EXPECT_EQ(get(upload->object_name()).error().code, Code::not_found);
  }
  EXPECT_EQ(objects(), 0u);
  put(as_bytes("x"));
  EXPECT_EQ(objects(), 1u);
}

TEST_F(VaultTest, uploads_that_are_open_at_once_do_not_mix) {
  auto a = must(vault_->begin(client_, "file", 0));
  auto b = must(vault_->begin(client_, "file", 0));
  const Bytes as = text(300'000);
  const Bytes bs = random_bytes(300'000, 5);
  for (size_t at = 0; at < as.size(); at += 50'000) {
    ASSERT_TRUE(a->write(ByteView(as).subspan(at, 50'000)));
    ASSERT_TRUE(b->write(ByteView(bs).subspan(at, 50'000)));
  }
  ASSERT_TRUE(a->commit());
  ASSERT_TRUE(b->commit());
  EXPECT_TRUE(get(a->object_name()).value() == as);
  EXPECT_TRUE(get(b->object_name()).value() == bs);
}

TEST_F(VaultTest, a_committed_upload_takes_nothing_more) {
  auto upload = must(vault_->begin(client_, "file", 0));
  ASSERT_TRUE(upload->commit());
  EXPECT_EQ(upload->write(as_bytes("x")).error().code, Code::state);
  EXPECT_EQ(upload->commit().error().code, Code::state);
}

TEST_F(VaultTest, an_upload_whose_write_failed_cannot_be_committed) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto upload = must(vault_->begin(client_, "file", 0));
  const rlimit small{200'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Status written;
  for (unsigned i = 0; i < 100 && written; ++i) written = upload->write(random_bytes(65'536, i));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(written);
  EXPECT_EQ(upload->commit().error().code, Code::state);
  upload.reset();
  EXPECT_EQ(objects(), 0u);
}

TEST_F(VaultTest, a_flipped_bit_anywhere_in_an_object_is_noticed) {
  const std::string object = put(as_bytes("hello, world"));
  const Bytes good = raw(object);
  const auto prefix = decode_prefix(std::span(good).first<kPrefixSize>()).value();
  const size_t header = kPrefixSize + prefix.kem_cipher_size;
  for (size_t at = 0; at < good.size(); ++at)
    // Every bit of what has structure; one of each byte of what a tag covers.
    for (size_t bit = 0; bit < (at < header ? 8u : 1u); ++bit) {
      Bytes bad = good;
      bad[at] ^= static_cast<std::byte>(1u << (at < header ? bit : at % 8));
      set_raw(object, bad);
      const auto back = get(object);
      ASSERT_FALSE(back) << "byte " << at << " bit " << bit;
      EXPECT_TRUE(back.error().code == Code::corrupt || back.error().code == Code::unsupported)
          << back.error().text();
      EXPECT_EQ(back.error().object, object);
    }
  set_raw(object, good);
  EXPECT_TRUE(get(object));
}

TEST_F(VaultTest, a_cut_or_lengthened_object_is_noticed) {
  const std::string object = put(as_bytes("hello, world"));
  Bytes good = raw(object);
  for (size_t size = 0; size < good.size(); ++size) {
    set_raw(object, ByteView(good).first(size));
    ASSERT_EQ(get(object).error().code, Code::corrupt) << size;
  }
  good.push_back(std::byte{0});
  set_raw(object, good);
  EXPECT_EQ(get(object).error().code, Code::corrupt);
}

TEST_F(VaultTest, chunks_that_are_left_out_swapped_or_repeated_are_noticed) {
  const auto props = must(crypto_->props());
  const size_t whole = props.chunk_plain + props.chunk_overhead;
  const std::string object = put(random_bytes(5 * props.chunk_plain, 9));
  const Bytes good = raw(object);
  const auto prefix = decode_prefix(std::span(good).first<kPrefixSize>()).value();
  const size_t header = kPrefixSize + prefix.kem_cipher_size + prefix.seal_header_size;
  const auto chunk = [&](size_t index) { return good.begin() + ptrdiff_t(header + index * whole); };

  Bytes cut_at_border(good.begin(), chunk(3));
  set_raw(object, cut_at_border);
  EXPECT_EQ(get(object).error().code, Code::corrupt);

  Bytes left_out = good;
  left_out.erase(left_out.begin() + (chunk(1) - good.begin()),
                 left_out.begin() + (chunk(2) - good.begin()));
  set_raw(object, left_out);
  EXPECT_EQ(get(object).error().code, Code::corrupt);

  Bytes swapped = good;
  std::swap_ranges(swapped.begin() + (chunk(1) - good.begin()),
                   swapped.begin() + (chunk(2) - good.begin()),
                   swapped.begin() + (chunk(2) - good.begin()));
  set_raw(object, swapped);
  EXPECT_EQ(get(object).error().code, Code::corrupt);

  Bytes repeated = good;
  repeated.insert(repeated.begin() + (chunk(1) - good.begin()), chunk(1), chunk(2));
  set_raw(object, repeated);
  EXPECT_EQ(get(object).error().code, Code::corrupt);
}

TEST_F(VaultTest, an_object_opens_only_in_its_own_place) {
  const std::string a = put(as_bytes("a's content"), "a");
  const std::string b = put(as_bytes("b's content"), "b");
  EXPECT_EQ(get(a, "b").error().code, Code::corrupt);
  ClientId other = client_;
  other.bytes[0] ^= std::byte{1};
  EXPECT_EQ(get_as(other, "a", a).error().code, Code::corrupt);
  const Bytes bytes_of_a = raw(a);
  set_raw(a, raw(b));
  EXPECT_EQ(get(a, "a").error().code, Code::corrupt);
  EXPECT_EQ(get(a, "b").error().code, Code::corrupt);
  const std::string copy = a.substr(0, a.size() - 4) + "0000";
  set_raw(copy, bytes_of_a);
  EXPECT_EQ(get(copy, "a").error().code, Code::corrupt);
}

TEST_F(VaultTest, another_server_s_key_opens_nothing_and_the_error_says_what_to_do) {
  const std::string object = put(as_bytes("secret"));
  const plugin::KeyPair stranger = must(crypto_->pair_new());
  Vault::Parts parts = parts_;
  parts.server_key = &stranger;
  const auto read = Vault(parts).read(client_, "file", object, [](ByteView) { return Status(); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::corrupt);
  EXPECT_NE(read.error().advice.find("server's key"), std::string::npos);
}

TEST_F(VaultTest, a_missing_object_is_not_found) {
  EXPECT_EQ(get(object_name(client_, Bytes(16))).error().code, Code::not_found);
  EXPECT_EQ(vault_->remove(object_name(client_, Bytes(16))).error().code, Code::not_found);
  const std::string object = put(as_bytes("x"));
  ASSERT_TRUE(vault_->remove(object));
  EXPECT_EQ(get(object).error().code, Code::not_found);
}

TEST_F(VaultTest, an_error_of_the_reader_stops_reading_and_comes_back) {
  const std::string object = put(random_bytes(1'000'000, 2));
  int calls = 0;
  const auto read = vault_->read(client_, "file", object, [&](ByteView) -> Status {
    ++calls;
    return failed(Code::no_space, "target", "is full");
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::no_space);
  EXPECT_EQ(calls, 1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(VaultTest, an_open_upload_takes_at_most_200_KiB) {
  constexpr size_t kUploads = 50;
  const Bytes plain = random_bytes(1'000'000, 4);
  put(plain);  // what threads and plugins keep once is there now
  const auto before = ::mallinfo2();
  std::vector<std::unique_ptr<Upload>> uploads;
  for (size_t i = 0; i < kUploads; ++i) {
    uploads.push_back(must(vault_->begin(client_, "file", plain.size())));
    ASSERT_TRUE(uploads.back()->write(plain));
  }
  const auto after = ::mallinfo2();
  const size_t taken = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
  EXPECT_LE(taken / kUploads, 200u * 1024);
}
#endif

// The object that docs/upload-format.md takes apart.
class WorkedExample : public VaultTest {
 protected:
  void SetUp() override {
    crypto_options_ = {{"cipher", "aes-256-gcm"}};
    set_up(counting_);
  }

  CountingRandom counting_;
};

TEST_F(WorkedExample, has_the_bytes_of_the_document) {
  const std::string object = put(as_bytes("hello"), "hello.txt");
  std::ifstream file(CB_TEST_DATA "/upload-format/example.hex");
  std::string hex;
  for (std::string line; std::getline(file, line);)
    if (!line.starts_with("#")) hex += line;
  EXPECT_EQ(to_hex(raw(object)), hex)
      << "object " << object << " key " << to_hex(must(pair_->private_form()).view());
  const auto back = get(object, "hello.txt");
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(as_text(*back), "hello");
}

}  // namespace
}  // namespace cb::repository
