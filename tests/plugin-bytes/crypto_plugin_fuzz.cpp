// SPDX-License-Identifier: Apache-2.0
//
// Any bytes to the crypto plugins: as keys, as what an encapsulation or a wrap gave, as a sealed
// stream and as a blob's inside that somebody who has the key made. Nothing opens that was not
// sealed. The first byte chooses, the second the plugin.
#include <algorithm>

#include "core/repository/sealed_blob.h"
#include "core/repository/sealed_stream.h"
#include "tests/plugin-bytes/plugins.h"

using namespace cb;
using conversation::must;
using conversation::require;

namespace {

struct Subject {
  explicit Subject(const std::string& id)
      : crypto(must(test::plugin_registry().make_crypto(id, test::options_of(id)))),
        sizes(must(repository::stream_sizes(crypto))),
        pair(must(crypto.pair_new())),
        key(must(pair.encapsulate({})).key) {}

  plugin::Crypto crypto;
  repository::StreamSizes sizes;
  plugin::KeyPair pair;
  plugin::Key key;
};

const plugin::Compress& zstd() {
  static const plugin::Compress made = must(
      test::plugin_registry().make_compress("compress-zstd", test::options_of("compress-zstd")));
  return made;
}

void import_all(const Subject& subject, ByteView bytes) {
  if (const auto pair = subject.crypto.import_private(bytes)) {
    (void)pair->public_half();
    (void)pair->private_form();
  }
  if (const auto pair = subject.crypto.import_public(bytes)) {
    (void)pair->encapsulate({});
    require(!pair->decapsulate({}, bytes), "a public half opened something");
  }
  if (const auto key = subject.crypto.import_key(bytes)) (void)key->id_of(bytes);
}

// Authentic ones open nothing that was made up; the old suite opens some by chance.
void open_all(const Subject& subject, ByteView bytes, bool is_authentic) {
  const auto inner = subject.key.unwrap(bytes);
  (void)subject.pair.decapsulate({}, bytes);
  require(!is_authentic || !inner, "a made-up wrap was opened");
  Bytes out(bytes.size() + 64);
  const auto opened = repository::open_stream(subject.key, subject.sizes, {}, bytes, out);
  require(!is_authentic || !opened, "a made-up stream was opened");
}

// The right seal around any inside.
void open_inside(const Subject& subject, ByteView bytes) {
  const repository::Suite suite{&subject.crypto, &zstd()};
  const repository::BlobSeal how{suite, subject.sizes, subject.key, {}};
  const Bytes stored = must(repository::seal_stream(subject.key, subject.sizes, {}, {{}, bytes}));
  constexpr size_t kMost = 1024 * 1024;
  const auto plain = repository::open_plain(how, stored, kMost, 32);
  if (!plain) return;
  require(plain->size() <= kMost + 32, "more came out than may");
  const Bytes copy(plain->begin() + 32, plain->end());
  require(repository::check_sealed(how, stored, copy).has_value(), "another thing was opened");
}

// What was sealed and then changed does not open to something else.
void open_changed(const Subject& subject, ByteView bytes) {
  if (bytes.size() < 3) return;
  const ByteView plain = bytes.subspan(3);
  Bytes sealed = must(repository::seal_stream(subject.key, subject.sizes, {}, {{}, plain}));
  const size_t at = load_le<uint16_t>(bytes.data()) % sealed.size();
  const bool is_same = bytes[2] == std::byte{0};
  sealed[at] ^= bytes[2];
  Bytes out(sealed.size());
  const auto opened = repository::open_stream(subject.key, subject.sizes, {}, sealed, out);
  require(opened.has_value() == is_same, "a change of a sealed stream was not noticed");
  if (opened) require(std::equal(plain.begin(), plain.end(), out.begin()), "it opens otherwise");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Subject modern("crypto-modern"), legacy("crypto-legacy");
  if (size < 2) return 0;
  const auto bytes = std::as_bytes(std::span(data + 2, size - 2));
  const bool is_modern = data[1] % 2 == 0;
  const Subject& subject = is_modern ? modern : legacy;
  if (data[0] == 'k') import_all(subject, bytes);
  if (data[0] == 'o') open_all(subject, bytes, is_modern);
  if (data[0] == 'i') open_inside(modern, bytes);
  if (data[0] == 'c') open_changed(modern, bytes);
  test::check_plugins();
  return 0;
}
