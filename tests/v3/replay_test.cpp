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

Dialect dialect_of(const Transcript& session) {
  return starts_with(session.name, "dialect2023") ? Dialect::of_2023 : Dialect::usual;
}

using Replayed = std::tuple<std::string, bool, std::string>;  // transcript, at once, mode

class Replay : public testing::TestWithParam<Replayed> {};

TEST_P(Replay, answers_as_recorded_and_stores_the_plain_file) {
  const Transcript session = load_transcript(std::get<0>(GetParam()));
  const bool at_once = std::get<1>(GetParam());
  V3ServerOptions options;
  options.set = in_mode(std::get<2>(GetParam()));
  V3Server server(settings_for(session, at_once), dialect_of(session), options);
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
    EXPECT_EQ(server.upload_count(), 1U);
  } else {
    EXPECT_EQ(server.catalog().totals()->versions, 0U);
    EXPECT_EQ(server.upload_count(), 0U) << "something was left behind";
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, Replay,
                         testing::Combine(testing::ValuesIn(transcript_names()), testing::Bool(),
                                          testing::Values("legacy", "compat")),
                         [](const auto& entry) {
                           std::string name =
                               std::get<0>(entry.param) +
                               (std::get<1>(entry.param) ? "_at_once_" : "_delayed_") +
                               std::get<2>(entry.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class ReplayRefused : public testing::TestWithParam<std::string> {
 protected:
  // Sends what the client of `session` sent, as far as it can, and looks at the answer.
  static void expect_refused(V3Server& server, const Transcript& session) {
    V3Peer peer(server.port());
    for (const RecordedMessage& message : session.messages)
      if (message.from_client && !peer.send(message.bytes)) break;
    const std::optional<Response> got = peer.response();
    ASSERT_TRUE(got) << server.log().text();
    EXPECT_EQ(v3::reply_of(got->header.code), Reply::error) << got->header.code;
    EXPECT_EQ(got->header.payload_size, 0U);
    EXPECT_FALSE(peer.response()) << "it was answered once more";
    EXPECT_TRUE(peer.ended());
    server.wait_until_idle();
    EXPECT_EQ(server.catalog().totals()->versions, 0U);
    EXPECT_EQ(server.upload_count(), 0U) << "something was taken";
  }
};

TEST_P(ReplayRefused, by_a_listener_in_mode_secure_before_any_data_is_taken) {
  const Transcript session = load_transcript(GetParam());
  V3ServerOptions options;
  options.set = in_mode("secure");
  V3Server server(settings_for(session, true), dialect_of(session), options);
  prepare(server, session);
  const auto clients = server.catalog().totals()->clients;
  expect_refused(server, session);
  EXPECT_EQ(server.catalog().totals()->clients, clients);
  EXPECT_TRUE(server.log().contains("event=v3.refused.listener listener=127.0.0.1:0"))
      << server.log().text();
}

TEST_P(ReplayRefused, after_the_clients_ratchet_has_closed_with_an_entry_for_the_audit) {
  const Transcript session = load_transcript(GetParam());
  if (session.messages.front().code != 1027) GTEST_SKIP() << "begins with no login";
  V3Server server(settings_for(session, true), dialect_of(session));
  const ClientId client = session.request_ids.front();
  server.add_client(client, session.user_name, session.private_key);
  server.decide(client, [](catalog::LegacyPolicy& policy) { policy.ended_ns = 1; });
  expect_refused(server, session);
  EXPECT_TRUE(server.log().contains("warn event=v3.refused.ended client=" + client.hex()))
      << server.log().text();
  EXPECT_TRUE(server.catalog().legacy_uses(client)->empty());
}

INSTANTIATE_TEST_SUITE_P(Recorded, ReplayRefused, testing::ValuesIn(transcript_names()),
                         [](const auto& entry) {
                           std::string name = entry.param;
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
