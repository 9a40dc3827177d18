// SPDX-License-Identifier: Apache-2.0
//
// crypto-legacy against the recorded sessions of protocol v3: the AES key that each server sent is
// recovered with the client's private key, and each upload opens to the file that was sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "cyberbackup/cpp/failure.hpp"
#include "plugins/crypto-legacy/key.h"
#include "plugins/crypto-legacy/rsa.h"
#include "tests/folders.h"
#include "tests/suites/crypto_suite_vectors.h"

namespace {

using namespace crypto_legacy;  // NOLINT: the subject of this file
using cb::Bytes;
using cb::ByteView;
using cb::load_le;
using cb::to_hex;

struct Message {
  uint16_t code;
  Bytes payload;
};

// Cuts a recorded direction into messages: the header ends with code[2] and payload size[4]. The
// 2023 dialect does not count the content of 1028 in that size.
std::vector<Message> messages_in(const Bytes& recorded, size_t header, bool dialect_2023) {
  std::vector<Message> messages;
  for (size_t at = 0; at + header <= recorded.size();) {
    const auto code = load_le<uint16_t>(&recorded[at + header - 6]);
    size_t size = load_le<uint32_t>(&recorded[at + header - 4]);
    at += header;
    if (dialect_2023 && code == 1028) size += load_le<uint32_t>(&recorded[at]);
    const auto from = recorded.begin() + static_cast<ptrdiff_t>(at);
    at += size;
    if (at > recorded.size()) break;
    messages.push_back({code, Bytes(from, from + static_cast<ptrdiff_t>(size))});
  }
  return messages;
}

// The first value of that name among the facts of a README; empty when there is none.
std::string first_fact(const std::string& readme, const std::string& name) {
  const std::string key = "\"" + name + "\": \"";
  const size_t at = readme.find(key);
  if (at == std::string::npos) return {};
  const size_t from = at + key.size();
  return readme.substr(from, readme.find('"', from) - from);
}

struct Session {
  explicit Session(const std::string& folder)
      : dialect_2023(folder.find("dialect2023") != std::string::npos),
        requests(messages_in(cb::testing::read_bytes(folder + "/client-to-server.bin"), 23,
                             dialect_2023)),
        responses(messages_in(cb::testing::read_bytes(folder + "/server-to-client.bin"), 7, false)),
        plain(cb::testing::read_bytes(folder + "/plain.bin")),
        private_der(cb::testing::read_bytes(folder + "/priv.key")) {
    if (auto decoded = cb::from_base64(cb::as_text(private_der))) private_der = *decoded;
    const Bytes readme = cb::testing::read_bytes(folder + "/README.md");
    const std::string text(cb::as_text(readme));
    if (first_fact(text, "oaep_hash") == "SHA-1") hash = OaepHash::sha1;
    key_hex = first_fact(text, "aes_key_hex");
  }

  // The 128 bytes of the first response that carries a key.
  [[nodiscard]] std::optional<Bytes> encapsulated() const {
    for (const Message& message : responses)
      if (message.payload.size() == 144)
        return Bytes(message.payload.end() - 128, message.payload.end());
    return std::nullopt;
  }

  // The ciphertext of each upload, its packets joined.
  [[nodiscard]] std::vector<Bytes> uploads() const {
    std::vector<Bytes> all;
    Bytes joined;
    for (const Message& message : requests) {
      if (message.code != 1028) continue;
      const Bytes& payload = message.payload;
      const ptrdiff_t content = dialect_2023 ? 259 : 267;
      joined.insert(joined.end(), payload.begin() + content, payload.end());
      const bool last =
          dialect_2023 || load_le<uint16_t>(&payload[8]) == load_le<uint16_t>(&payload[10]);
      if (last) all.push_back(std::exchange(joined, {}));
    }
    return all;
  }

  bool dialect_2023;
  std::vector<Message> requests;
  std::vector<Message> responses;
  Bytes plain;
  Bytes private_der;
  OaepHash hash = OaepHash::sha256;
  std::string key_hex;  // empty when the client could not read it
};

std::vector<std::string> folders() {
  std::vector<std::string> all;
  for (const auto& entry :
       std::filesystem::directory_iterator(cb::test::data("legacy/transcripts")))
    if (entry.is_directory()) all.push_back(entry.path().string());
  std::ranges::sort(all);
  return all;
}

std::string name_of_folder(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).filename().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

// Opens a ciphertext as the server does: whole chunks, then what is left as the last.
Bytes open_all(const Key& key, ByteView sealed) {
  Bytes plain(sealed.size());
  size_t size = 0;
  uint64_t index = 0;
  const auto open = key.open_begin({}, {});
  for (; sealed.size() > kChunkPlain; sealed = sealed.subspan(kChunkPlain))
    size += open->chunk(index++, false, sealed.first(kChunkPlain), Span(plain).subspan(size));
  size += open->chunk(index, true, sealed, Span(plain).subspan(size));
  plain.resize(size);
  return plain;
}

class RecordedSession : public ::testing::TestWithParam<std::string> {};

TEST_P(RecordedSession, gives_its_key_to_the_clients_private_key_and_the_right_hash_only) {
  const Session session(GetParam());
  const auto cipher = session.encapsulated();
  if (!cipher) GTEST_SKIP() << "no key was sent";
  const RsaKey pair = RsaKey::from_private(session.private_der);
  for (const OaepHash hash : {OaepHash::sha1, OaepHash::sha256}) {
    Bytes text(kRsaBytes);
    try {
      const size_t size = pair.decrypt(hash, *cipher, text);
      EXPECT_EQ(to_hex(ByteView(text).first(size)), session.key_hex);
      EXPECT_EQ(hash, session.hash);
    } catch (const cyberbackup::sdk::Failure& failure) {
      EXPECT_EQ(failure.status(), CB_E_AUTH) << failure.what();
      EXPECT_TRUE(hash != session.hash || session.key_hex.empty());
    }
  }
}

TEST_P(RecordedSession, opens_each_upload_to_the_file) {
  const Session session(GetParam());
  const std::vector<Bytes> uploads = session.uploads();
  if (uploads.empty()) GTEST_SKIP() << "nothing was uploaded";
  const auto raw = cb::from_hex(session.key_hex);
  ASSERT_TRUE(raw.has_value() && !raw->empty());
  const Ciphers ciphers;
  const Key key(ciphers, *raw);
  for (const Bytes& sealed : uploads) {
    EXPECT_EQ(sealed.size(), 16 * (session.plain.size() / 16 + 1));
    EXPECT_EQ(to_hex(open_all(key, sealed)), to_hex(session.plain));
  }
}

TEST_P(RecordedSession, sends_the_public_half_as_we_write_it) {
  const Session session(GetParam());
  const Bytes ours = RsaKey::from_private(session.private_der).public_der();
  EXPECT_EQ(ours.size(), 160U);
  for (const Message& message : session.requests) {
    if (message.code != 1026) continue;
    const ByteView field = ByteView(message.payload).subspan(255);
    EXPECT_EQ(to_hex(field), to_hex(ours));
    EXPECT_EQ(RsaKey::from_public(field).public_der(), ours);
  }
}

INSTANTIATE_TEST_SUITE_P(V3, RecordedSession, ::testing::ValuesIn(folders()), name_of_folder);

}  // namespace
