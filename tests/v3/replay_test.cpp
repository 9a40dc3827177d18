// SPDX-License-Identifier: Apache-2.0
//
// Every recorded session of protocol v3, replayed against the real server: the client's bytes as
// they were, the server's answers compared with what the original servers said, or with what a
// better server is to say (docs/protocol-v3.md).
#include <gtest/gtest.h>

#include "tests/v3/transcript.h"
#include "tests/v3/v3_peer.h"
#include "tests/v3/v3_server.h"

namespace cb::server {
namespace {

using v3::Reply;

bool starts_with(const std::string& text, const std::string& head) {
  return text.rfind(head, 0) == 0;
}

// The server as it was before the session: who was registered, and which random bytes it will draw.
void prepare(V3Server& server, const Transcript& session) {
  const auto hash = session.sha1 ? catalog::OaepHash::sha1 : catalog::OaepHash::sha256;
  const bool starts_known = session.messages.front().code == 1027;
  const ClientId first = session.request_ids.front();
  if (session.name == "orig-reconnect-denied-reregister")
    server.add_client(first, "Alice Legacy", session.private_key, hash);
  else if (starts_known && !session.response_ids.empty() && session.response_ids.front() == first &&
           session.name != "orig-reconnect-denied-closed")
    server.add_client(first, session.user_name, session.private_key, hash);
  for (const ClientId& id : session.response_ids)
    if (id != first) server.ids().push(to_bytes(id.view()));
  if (!session.aes_key.empty()) server.aes_keys().push(session.aes_key);
}

V3Settings settings_for(const Transcript& session, bool at_once) {
  V3Settings settings;
  settings.oaep = session.sha1 ? OaepChoice::sha1 : OaepChoice::sha256;
  settings.ack_resend_at_once = at_once;
  settings.ack_delay = std::chrono::milliseconds(20);
  return settings;
}

void expect_same(const Transcript& session, const RecordedMessage& recorded, const Response& got) {
  const auto expected = protocol::decode_response_header(
      std::span<const std::byte, protocol::kResponseHeaderSize>(recorded.bytes.data(), 7));
  EXPECT_EQ(got.header.version, 3);
  EXPECT_EQ(got.header.code, recorded.code);
  const ByteView payload = ByteView(recorded.bytes).subspan(7);
  switch (*v3::reply_of(recorded.code)) {
    case Reply::key:
    case Reply::reconnected: {
      ASSERT_EQ(got.payload.size(), 144U);
      if (session.aes_key.empty()) break;
      const auto key =
          open_aes_key(session.private_key, ByteView(got.payload).subspan(16), session.sha1);
      ASSERT_TRUE(key) << "the client could not open its AES key";
      EXPECT_EQ(*key, session.aes_key);
      EXPECT_TRUE(std::equal(got.payload.begin(), got.payload.begin() + 16, payload.begin()));
      break;
    }
    case Reply::reconnect_refused:
      EXPECT_EQ(got.payload, to_bytes(session.request_ids.front().view()));
      break;
    default:
      EXPECT_EQ(got.header.payload_size, expected.payload_size);
      EXPECT_EQ(to_hex(got.payload), to_hex(payload));
  }
}

// Is this the 1604 to a 1030 that the next message of the client overtakes?
bool is_overtaken(const Transcript& session, size_t index) {
  const auto& messages = session.messages;
  if (messages[index].from_client || messages[index].code % 100 != 4) return false;
  size_t before = index;
  while (before > 0 && !messages[--before].from_client) {
  }
  return messages[before].code == 1030 && starts_with(session.name, "orig-");
}

class Replay : public testing::TestWithParam<std::tuple<std::string, bool>> {};

TEST_P(Replay, answers_as_recorded_and_stores_the_plain_file) {
  const Transcript session = load_transcript(std::get<0>(GetParam()));
  const bool at_once = std::get<1>(GetParam());
  const Dialect dialect =
      starts_with(session.name, "dialect2023") ? Dialect::of_2023 : Dialect::usual;
  V3Server server(settings_for(session, at_once), dialect);
  prepare(server, session);

  V3Peer peer(server.port());
  bool confirmed = false;
  ClientId last_id;
  for (size_t i = 0; i < session.messages.size(); ++i) {
    const RecordedMessage& message = session.messages[i];
    SCOPED_TRACE("message " + std::to_string(i) + ", code " + std::to_string(message.code));
    if (message.from_client) {
      ASSERT_TRUE(peer.send(message.bytes));
      confirmed = confirmed || message.code == 1029;
      last_id = ClientId::from_bytes(ByteView(message.bytes).first(16)).value();
      continue;
    }
    if (!at_once && is_overtaken(session, i)) continue;
    const std::optional<Response> got = peer.response();
    ASSERT_TRUE(got) << server.log().text();
    expect_same(session, message, *got);
  }
  if (session.name == "orig-reconnect-denied-closed") {
    // The original server had closed; this one stays and registers the client.
    const std::optional<Response> got = peer.response();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->header.code, 1600);
  }
  if (session.messages.back().code == 1031 && session.messages.back().from_client) {
    EXPECT_EQ(peer.response()->header.code, 1604);
  }

  EXPECT_TRUE(peer.ended());
  server.wait_until_idle();
  if (confirmed) {
    EXPECT_EQ(server.stored(last_id, session.file_name), session.plain);
    const auto versions = server.catalog().versions(last_id).value();
    ASSERT_EQ(versions.size(), 1U);
    EXPECT_EQ(versions[0].cksum, session.plain_cksum);
    EXPECT_EQ(server.object_count(), 1U);
  } else {
    EXPECT_EQ(server.catalog().totals()->versions, 0U);
    EXPECT_EQ(server.object_count(), 0U) << "something was left behind";
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, Replay,
                         testing::Combine(testing::ValuesIn(transcript_names()), testing::Bool()),
                         [](const auto& entry) {
                           std::string name = std::get<0>(entry.param) +
                                              (std::get<1>(entry.param) ? "_at_once" : "_delayed");
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Replay, a_client_that_cannot_open_its_key_gets_the_other_hash_next_time) {
  const Transcript session = load_transcript("orig-undecryptable-key");
  V3Server server;
  server.add_client(session.request_ids[0], session.user_name, session.private_key);
  {
    V3Peer peer(server.port());
    peer.send(session.messages[0].bytes);
    const auto first = peer.response();
    ASSERT_TRUE(first);
    EXPECT_TRUE(open_aes_key(session.private_key, ByteView(first->payload).subspan(16), false));
    peer.send(session.messages[2].bytes);  // 1025 with the same name
    EXPECT_EQ(peer.response()->header.code, 1601);
  }
  server.wait_until_idle();
  V3Peer peer(server.port());
  peer.send(session.messages[0].bytes);
  const auto second = peer.response();
  ASSERT_TRUE(second);
  EXPECT_TRUE(open_aes_key(session.private_key, ByteView(second->payload).subspan(16), true));
}

}  // namespace
}  // namespace cb::server
