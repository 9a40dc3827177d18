// SPDX-License-Identifier: Apache-2.0
//
// See crypto_suite.h.
#include <algorithm>

#include "tests/folders.h"
#include "tests/suites/crypto_suite.h"

namespace cb::crypto_suite {

Status ScriptedRandom::fill(ByteSpan out) {
  const std::lock_guard lock(mutex_);
  ++calls_;
  if (failure_) return failed(*failure_, "random source", "fails because the test wants it to");
  size_t done = 0;
  for (; done < out.size() && !script_.empty(); ++done) {
    out[done] = script_.front();
    script_.pop_front();
  }
  return os::system_random().fill(out.subspan(done));
}

void ScriptedRandom::script(ByteView bytes) {
  const std::lock_guard lock(mutex_);
  script_.insert(script_.end(), bytes.begin(), bytes.end());
}

void ScriptedRandom::fail_with(std::optional<Code> code) {
  const std::lock_guard lock(mutex_);
  failure_ = code;
}

uint64_t ScriptedRandom::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

LoadedCrypto::LoadedCrypto(const Subject& subject) : id_(subject.id) {
  plugin::HostServices services;
  services.log = &log_;
  services.clock = &os::system_clock();
  services.random = [this](const std::string&) -> os::Random& { return random_; };
  services.host_name = "crypto_suite";
  services.host_version = "1";
  plugin::LoadOptions options;
  options.folder = test::plugins();
  options.check_owner = false;
  options.probe_unknown = false;
  registry_ = std::make_unique<plugin::Registry>(std::move(services), std::move(options));
  if (const Status loaded = registry_->load(id_); !loaded)
    throw std::runtime_error(loaded.error().text());
  crypto_.emplace(make(subject.options));
  props_ = must(crypto_->props());
}

plugin::Crypto LoadedCrypto::make(const std::map<std::string, std::string>& options) {
  const config::Schema& schema = *must(registry_->schema(id_));
  return must(registry_->make_crypto(id_, must(config::values_from(schema, options))));
}

plugin::Key LoadedCrypto::new_key() {
  Bytes raw(props_.key_size);
  if (!os::system_random().fill(raw)) throw std::runtime_error("no randomness");
  return must(crypto_->import_key(raw));
}

ByteView LoadedCrypto::aad() const {
  return authenticates() ? as_bytes("kind and name of the object") : ByteView();
}

Sealed seal_all(const plugin::Key& key, const cb_crypto_props& props, ByteView aad,
                ByteView plain) {
  plugin::Seal seal = must(key.seal(aad));
  Sealed sealed{to_bytes(seal.header()), {}};
  for (bool last = false; !last;) {
    const size_t size = std::min<size_t>(props.chunk_plain, plain.size());
    last = size == plain.size();
    Bytes out(size + props.chunk_overhead);
    out.resize(must(seal.chunk(plain.first(size), last, out)));
    sealed.chunks.push_back(std::move(out));
    plain = plain.subspan(size);
  }
  return sealed;
}

Result<Bytes> open_all(const plugin::Key& key, ByteView aad, const Sealed& sealed) {
  CB_ASSIGN(plugin::Open open, key.open(aad, sealed.header));
  Bytes plain;
  for (size_t i = 0; i < sealed.chunks.size(); ++i) {
    const Bytes& chunk = sealed.chunks[i];
    const size_t before = plain.size();
    plain.resize(before + chunk.size());
    CB_ASSIGN(const size_t size,
              open.chunk(i, i + 1 == sealed.chunks.size(), chunk, ByteSpan(plain).subspan(before)));
    plain.resize(before + size);
  }
  return plain;
}

bool same_key(LoadedCrypto& crypto, const plugin::Key& a, const plugin::Key& b) {
  const Bytes plain = noise(100);
  const Sealed sealed = seal_all(a, crypto.props(), crypto.aad(), plain);
  const auto opened = open_all(b, crypto.aad(), sealed);
  return opened && *opened == plain;
}

bool Room::fence_stands() const {
  return std::all_of(bytes_.begin() + static_cast<ptrdiff_t>(size_), bytes_.end(),
                     [](std::byte b) { return b == kMark; });
}

bool Room::shows(ByteView plain) const {
  constexpr size_t kRun = 8;
  const size_t size = std::min(size_, plain.size());
  for (size_t at = 0; at + kRun <= size; ++at)
    if (std::equal(plain.begin() + static_cast<ptrdiff_t>(at),
                   plain.begin() + static_cast<ptrdiff_t>(at + kRun),
                   bytes_.begin() + static_cast<ptrdiff_t>(at)))
      return true;
  return false;
}

Bytes noise(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

Bytes flipped(ByteView bytes, size_t bit) {
  Bytes copy = to_bytes(bytes);
  copy.at(bit / 8) ^= static_cast<std::byte>(1U << (bit % 8));
  return copy;
}

}  // namespace cb::crypto_suite
