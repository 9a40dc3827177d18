// SPDX-License-Identifier: Apache-2.0
//
// What TLS adds to a stream: who the peer is, that a cut is seen, what is resumed and reloaded.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "tests/suites/certificates.h"
#include "tests/suites/transport_pair.h"

namespace cb::test {
namespace {

using plugin::IoStep;

class TransportTls : public testing::Test {
 protected:
  [[nodiscard]] Options server_options(const Identity& identity) const {
    return {{"certificate", identity.certificate}, {"key", identity.key}};
  }
  [[nodiscard]] Ends ends(const Options& client, const Options& server) const {
    return {make("transport-tcp"),
            {make("transport-tls", client)},
            {make("transport-tls", server)},
            "localhost"};
  }
  // Shakes hands over a new connection; what the two ends say.
  static Hands meet(const Ends& with) {
    plugin::Listener listener = with.listen();
    Pair pair = with.connect(listener);
    return shake_hands(pair);
  }
  static Pair stand(const Ends& with, plugin::Listener& listener) {
    Pair pair = with.connect(listener);
    const Hands hands = shake_hands(pair);
    EXPECT_TRUE(hands.client) << hands.client.error().text();
    EXPECT_TRUE(hands.server) << hands.server.error().text();
    return pair;
  }
  static std::string text(plugin::Stream& stream, uint32_t what) {
    const auto fact = stream.info(what);
    return fact ? std::string(as_text(*fact)) : fact.error().text();
  }
  static bool resumed(plugin::Stream& stream) {
    return stream.info(CB_INFO_RESUMED).value().at(0) == std::byte{1};
  }
  // Passes a byte both ways, so that the client has read the server's tickets.
  static void chat(Pair& pair) {
    ASSERT_TRUE(transfer(*pair.client, *pair.server, pattern(1, 1)));
    ASSERT_TRUE(transfer(*pair.server, *pair.client, pattern(1, 2)));
  }
  [[nodiscard]] Error refusal(const Options& options) const {
    const auto made = try_make("transport-tls", options);
    return made ? Error{} : made.error();
  }
  [[nodiscard]] Identity issue(
      const std::string& name, const Identity& issuer,
      const std::string& alternative = "DNS:localhost,IP:127.0.0.1") const {
    return make_identity(folder_.path(),
                         {.name = name, .alternative = alternative, .issuer = &issuer});
  }

  TemporaryFolder folder_;
  Identity authority_ = make_identity(folder_.path(), {.name = "authority", .alternative = ""});
  Identity server_ = issue("server", authority_);
};

TEST_F(TransportTls, a_server_of_a_known_authority_and_the_right_name_is_taken) {
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair pair = stand(with, listener);
  EXPECT_EQ(text(*pair.client, CB_INFO_PEER_SUBJECT), "CN=server");
  EXPECT_EQ(to_hex(pair.client->info(CB_INFO_PEER_SPKI).value()), server_.pin);
  EXPECT_EQ(pair.server->info(CB_INFO_PEER_SPKI).error().code, Code::unsupported);
  EXPECT_NE(pair.client->capabilities() & CB_TRANSPORT_AUTHENTICATES_PEER, 0U);
}

TEST_F(TransportTls, an_address_is_a_name_too) {
  Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  with.peer_name = "127.0.0.1";
  EXPECT_TRUE(meet(with).client);
  with.peer_name = "127.0.0.2";
  EXPECT_EQ(meet(with).client.error().code, Code::auth);
}

TEST_F(TransportTls, another_name_is_refused) {
  Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  with.peer_name = "other.example";
  const Hands hands = meet(with);
  ASSERT_FALSE(hands.client);
  EXPECT_EQ(hands.client.error().code, Code::auth);
  EXPECT_NE(hands.client.error().text().find("another name"), std::string::npos);
  EXPECT_FALSE(hands.server) << "the server hears of it";
}

TEST_F(TransportTls, an_unknown_issuer_is_refused_and_the_message_shows_the_key) {
  const Identity alone = make_identity(folder_.path(), {.name = "alone"});
  const Hands hands = meet(ends({{"ca", authority_.certificate}}, server_options(alone)));
  ASSERT_FALSE(hands.client);
  EXPECT_EQ(hands.client.error().code, Code::auth);
  EXPECT_NE(hands.client.error().text().find(alone.pin), std::string::npos)
      << hands.client.error().text();
  EXPECT_EQ(meet(ends({}, server_options(alone))).client.error().code, Code::auth)
      << "without ca only the system's authorities count";
}

TEST_F(TransportTls, certificates_out_of_their_dates_are_refused_and_logged) {
  const Identity expired = make_identity(
      folder_.path(),
      {.name = "expired", .from_seconds = -7200, .to_seconds = -3600, .issuer = &authority_});
  const Identity early = make_identity(
      folder_.path(),
      {.name = "early", .from_seconds = 3600, .to_seconds = 30 * 24 * 3600, .issuer = &authority_});
  const Options client{{"ca", authority_.certificate}};
  const Hands late = meet(ends(client, server_options(expired)));
  EXPECT_EQ(late.client.error().code, Code::auth);
  EXPECT_NE(late.client.error().text().find("expired"), std::string::npos);
  EXPECT_TRUE(plugin_log().contains("expired.pem: the certificate has expired"));
  const Identity soon = make_identity(
      folder_.path(), {.name = "soon", .to_seconds = 7 * 24 * 3600, .issuer = &authority_});
  (void)meet(ends(client, server_options(soon)));
  EXPECT_TRUE(plugin_log().contains("soon.pem: the certificate expires within 14 days"));
  EXPECT_EQ(meet(ends(client, server_options(early))).client.error().code, Code::auth);
}

TEST_F(TransportTls, a_pinned_key_suffices_alone) {
  // Unknown issuer, expired, for another name.
  const Identity odd = make_identity(
      folder_.path(),
      {.name = "odd", .alternative = "DNS:odd", .from_seconds = -7200, .to_seconds = -3600});
  EXPECT_TRUE(meet(ends({{"pin", odd.pin}}, server_options(odd))).client);
}

TEST_F(TransportTls, another_key_than_the_pinned_is_refused_even_of_a_good_certificate) {
  const Identity other = issue("other", authority_);
  const Hands hands = meet(ends({{"pin", other.pin}}, server_options(server_)));
  ASSERT_FALSE(hands.client);
  EXPECT_EQ(hands.client.error().code, Code::auth);
  EXPECT_NE(hands.client.error().text().find(server_.pin), std::string::npos);
  EXPECT_NE(hands.client.error().text().find("pinned"), std::string::npos);
}

TEST_F(TransportTls, insecure_takes_anybody_and_says_so_in_the_log) {
  const Identity alone = make_identity(folder_.path(), {.name = "alone"});
  EXPECT_TRUE(meet(ends({{"insecure", "true"}}, server_options(alone))).client);
  EXPECT_TRUE(plugin_log().contains("insecure = true"));
}

TEST_F(TransportTls, a_required_client_certificate_must_be_there_and_be_good) {
  const Identity client = issue("client", authority_, "");
  const Identity stranger = make_identity(folder_.path(), {.name = "stranger"});
  Options server = server_options(server_);
  server["client_ca"] = authority_.certificate;
  server["require_client_certificate"] = "true";
  Options good = server_options(client), bad = server_options(stranger);
  good["ca"] = bad["ca"] = authority_.certificate;

  const Ends with = ends(good, server);
  plugin::Listener listener = with.listen();
  Pair pair = stand(with, listener);
  EXPECT_EQ(text(*pair.server, CB_INFO_PEER_SUBJECT), "CN=client");
  EXPECT_EQ(to_hex(pair.server->info(CB_INFO_PEER_SPKI).value()), client.pin);

  const Hands none = meet(ends({{"ca", authority_.certificate}}, server));
  ASSERT_FALSE(none.server);
  EXPECT_EQ(none.server.error().code, Code::auth) << none.server.error().text();
  const Hands wrong = meet(ends(bad, server));
  ASSERT_FALSE(wrong.server);
  EXPECT_EQ(wrong.server.error().code, Code::auth) << wrong.server.error().text();
}

TEST_F(TransportTls, a_client_without_the_required_certificate_learns_why_when_it_reads) {
  Options server = server_options(server_);
  server["client_ca"] = authority_.certificate;
  server["require_client_certificate"] = "true";
  const Ends with = ends({{"ca", authority_.certificate}}, server);
  plugin::Listener listener = with.listen();
  Pair pair = with.connect(listener);
  ASSERT_TRUE(shake_hands(pair).client) << "in TLS 1.3 the client is done first";
  Bytes room(10);
  const auto heard = read_some(*pair.client, room);
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, Code::auth);
  EXPECT_NE(heard.error().text().find("requires a client certificate"), std::string::npos);
}

TEST_F(TransportTls, an_optional_client_certificate_may_be_missing_but_not_wrong) {
  const Identity stranger = make_identity(folder_.path(), {.name = "stranger"});
  Options server = server_options(server_);
  server["client_ca"] = authority_.certificate;
  EXPECT_TRUE(meet(ends({{"ca", authority_.certificate}}, server)).server);
  Options bad = server_options(stranger);
  bad["ca"] = authority_.certificate;
  EXPECT_EQ(meet(ends(bad, server)).server.error().code, Code::auth);
}

TEST_F(TransportTls, a_cut_without_closing_message_is_not_an_end) {
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair pair = stand(with, listener);
  ASSERT_TRUE(write_all(*pair.server, as_bytes("almost all")));
  // The TCP connection below ends cleanly; TLS was not asked.
  ASSERT_EQ(::shutdown(pair.server->fd(), SHUT_WR), 0);
  Bytes room(100);
  ASSERT_EQ(read_some(*pair.client, room).value(), 10U);
  const auto cut = read_some(*pair.client, room);
  ASSERT_FALSE(cut) << "a truncated stream must not look complete";
  EXPECT_EQ(cut.error().code, Code::closed);
  EXPECT_EQ(read_some(*pair.client, room).error().code, Code::state);
}

TEST_F(TransportTls, a_peer_that_closes_during_the_handshake_is_closed) {
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair pair = with.connect(listener);
  pair.server.reset();
  const Status hands = shake_hands(*pair.client);
  ASSERT_FALSE(hands);
  EXPECT_EQ(hands.error().code, Code::closed) << hands.error().text();
}

TEST_F(TransportTls, garbage_instead_of_a_handshake_is_a_clear_failure_on_both_sides) {
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  const Ends bare{with.tcp, {}, {}, ""};
  const Bytes header = pattern(23, 5);
  for (const ByteView garbage : {as_bytes("GET / HTTP/1.0\r\n\r\n"), ByteView(header)}) {
    Pair to_server = bare.connect(listener);
    ASSERT_TRUE(shake_hands(*to_server.client));
    ASSERT_TRUE(write_all(*to_server.client, garbage));
    const StreamPtr server = with.wrap_server(std::move(to_server.server)).value();
    const Status served = shake_hands(*server);
    ASSERT_FALSE(served);
    EXPECT_EQ(served.error().code, Code::corrupt) << served.error().text();
    EXPECT_NE(served.error().text().find("does not speak TLS"), std::string::npos)
        << served.error().text();

    Pair to_client = bare.connect(listener);
    ASSERT_TRUE(shake_hands(to_client).client);
    ASSERT_TRUE(write_all(*to_client.server, garbage));
    const StreamPtr client = with.wrap_client(std::move(to_client.client), 1).value();
    const Status met = shake_hands(*client);
    ASSERT_FALSE(met);
    EXPECT_EQ(met.error().code, Code::corrupt) << met.error().text();
  }
}

TEST_F(TransportTls, a_changed_byte_on_the_way_is_noticed) {
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair pair = stand(with, listener);
  // A record header of application data with a body that was never sealed.
  const Bytes forged = {std::byte{0x17}, std::byte{3}, std::byte{3}, std::byte{0}, std::byte{20},
                        std::byte{1},    std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5},
                        std::byte{1},    std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5},
                        std::byte{1},    std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5},
                        std::byte{1},    std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5}};
  ASSERT_EQ(::send(pair.server->fd(), forged.data(), forged.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(forged.size()));
  Bytes room(100);
  const auto read = read_some(*pair.client, room);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::auth) << read.error().text();
}

TEST_F(TransportTls, both_ends_have_the_same_channel_binding_and_each_connection_its_own) {
  const Ends with =
      ends({{"ca", authority_.certificate}, {"min_version", "1.2"}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair one = stand(with, listener);
  Pair two = stand(with, listener);
  const Bytes here = one.client->info(CB_INFO_CHANNEL_BINDING).value();
  EXPECT_EQ(here.size(), 32U);
  EXPECT_EQ(here, one.server->info(CB_INFO_CHANNEL_BINDING).value());
  EXPECT_NE(here, two.client->info(CB_INFO_CHANNEL_BINDING).value());
}

TEST_F(TransportTls, a_second_connection_resumes_the_first_and_still_knows_its_peer) {
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair first = stand(with, listener);
  EXPECT_FALSE(resumed(*first.client));
  chat(first);
  Pair second = stand(with, listener);
  EXPECT_TRUE(resumed(*second.client));
  EXPECT_TRUE(resumed(*second.server));
  EXPECT_EQ(to_hex(second.client->info(CB_INFO_PEER_SPKI).value()), server_.pin);
  EXPECT_NE(first.client->info(CB_INFO_CHANNEL_BINDING).value(),
            second.client->info(CB_INFO_CHANNEL_BINDING).value());
}

TEST_F(TransportTls, a_session_of_one_name_is_not_used_for_another) {
  Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair first = stand(with, listener);
  chat(first);
  with.peer_name = "other.example";
  Pair second = with.connect(listener);
  EXPECT_EQ(shake_hands(second).client.error().code, Code::auth);
}

TEST_F(TransportTls, a_client_with_a_certificate_is_known_again_after_resumption) {
  const Identity client = issue("client", authority_, "");
  Options server = server_options(server_);
  server["client_ca"] = authority_.certificate;
  server["require_client_certificate"] = "true";
  Options options = server_options(client);
  options["ca"] = authority_.certificate;
  const Ends with = ends(options, server);
  plugin::Listener listener = with.listen();
  Pair first = stand(with, listener);
  chat(first);
  Pair second = stand(with, listener);
  EXPECT_TRUE(resumed(*second.server));
  EXPECT_EQ(to_hex(second.server->info(CB_INFO_PEER_SPKI).value()), client.pin);
}

TEST_F(TransportTls, nothing_is_resumed_when_either_end_does_not_want_it) {
  for (const bool client_resumes : {true, false}) {
    Options server = server_options(server_);
    server["resume"] = client_resumes ? "false" : "true";
    const Ends with = ends(
        {{"ca", authority_.certificate}, {"resume", client_resumes ? "true" : "false"}}, server);
    plugin::Listener listener = with.listen();
    Pair first = stand(with, listener);
    chat(first);
    Pair second = stand(with, listener);
    EXPECT_FALSE(resumed(*second.client));
  }
}

TEST_F(TransportTls, reload_serves_a_new_certificate_and_leaves_open_streams_alone) {
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair old = stand(with, listener);
  chat(old);
  const std::string old_pin = server_.pin;
  const Identity renewed = issue("server", authority_);  // the same files
  ASSERT_NE(renewed.pin, old_pin);
  ASSERT_TRUE(with.server_filters[0].reload());
  const Bytes much = pattern(300'000, 1);
  EXPECT_TRUE(transfer(*old.client, *old.server, much).value() == much);
  Pair fresh = stand(with, listener);
  EXPECT_EQ(to_hex(fresh.client->info(CB_INFO_PEER_SPKI).value()), renewed.pin);
  EXPECT_FALSE(resumed(*fresh.client)) << "tickets of before the reload are not taken";
}

TEST_F(TransportTls, a_reload_that_fails_keeps_the_former_state) {
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  const std::string former = server_.pin;
  std::ofstream(server_.certificate) << "no certificate";
  const Status failed_reload = with.server_filters[0].reload();
  ASSERT_FALSE(failed_reload);
  EXPECT_EQ(failed_reload.error().code, Code::invalid);
  EXPECT_NE(failed_reload.error().text().find("server.pem"), std::string::npos);
  Pair pair = stand(with, listener);
  EXPECT_EQ(to_hex(pair.client->info(CB_INFO_PEER_SPKI).value()), former);
}

TEST_F(TransportTls, after_a_reload_the_client_trusts_only_what_its_files_say_now) {
  const std::string trust = folder_.file("trust.pem");
  std::filesystem::copy_file(authority_.certificate, trust);
  const Ends with = ends({{"ca", trust}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair first = stand(with, listener);
  chat(first);
  const Identity other = make_identity(folder_.path(), {.name = "another-authority"});
  std::filesystem::copy_file(other.certificate, trust,
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(with.client_filters[0].reload());
  Pair second = with.connect(listener);
  EXPECT_EQ(shake_hands(second).client.error().code, Code::auth)
      << "a session of before must not bring the old trust along";
}

TEST_F(TransportTls, idle_streams_hold_little_memory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have an allocator of their own";
#endif
  const Ends with = ends({{"ca", authority_.certificate}}, server_options(server_));
  plugin::Listener listener = with.listen();
  Pair first = stand(with, listener);
  chat(first);
  constexpr size_t kPairs = 100;
  std::vector<Pair> pairs(kPairs);
  const size_t before = ::mallinfo2().uordblks;
  for (Pair& pair : pairs) {
    pair = stand(with, listener);
    const Bytes much = pattern(100'000, 1);
    ASSERT_TRUE(transfer(*pair.client, *pair.server, much));
    Bytes room(1);
    ASSERT_EQ(pair.client->read(room)->step, IoStep::want_read);
    ASSERT_EQ(pair.server->read(room)->step, IoStep::want_read);
  }
  const size_t each = (::mallinfo2().uordblks - before) / (2 * kPairs);
  RecordProperty("bytes_per_stream", static_cast<int>(each));
  EXPECT_LT(each, 32U << 10);
}

TEST_F(TransportTls, a_server_needs_a_certificate_and_a_client_none) {
  const Ends with = ends({{"ca", authority_.certificate}}, {{"ca", authority_.certificate}});
  plugin::Listener listener = with.listen();
  const auto pair = with.try_connect(listener);
  ASSERT_FALSE(pair);
  EXPECT_EQ(pair.error().code, Code::invalid);
  EXPECT_NE(pair.error().text().find("set certificate and key"), std::string::npos);
}

TEST_F(TransportTls, a_key_of_another_certificate_is_refused_with_what_to_do) {
  const Identity other = issue("other", authority_);
  const Error error = refusal({{"certificate", server_.certificate}, {"key", other.key}});
  EXPECT_EQ(error.code, Code::invalid);
  EXPECT_NE(error.text().find("is not the key of the certificate"), std::string::npos)
      << error.text();
  EXPECT_NE(error.text().find(other.key), std::string::npos);
}

TEST_F(TransportTls, options_that_contradict_each_other_are_refused) {
  const std::string& ca = authority_.certificate;
  const std::vector<Options> wrong = {
      {{"certificate", server_.certificate}},
      {{"key", server_.key}},
      {{"require_client_certificate", "true"}},
      {{"client_ca", ca}},
      {{"ca", ca}, {"pin", server_.pin}},
      {{"insecure", "true"}, {"ca", ca}},
      {{"insecure", "true"}, {"pin", server_.pin}},
      {{"pin", "abc"}},
      {{"pin", std::string(64, 'g')}},
  };
  for (const Options& options : wrong) {
    EXPECT_EQ(refusal(options).code, Code::invalid)
        << options.begin()->first << ": " << refusal(options).text();
  }
}

TEST_F(TransportTls, files_that_are_missing_empty_or_open_to_all_are_refused_by_name) {
  Error error = refusal({{"ca", folder_.file("missing.pem")}});
  EXPECT_EQ(error.code, Code::not_found);
  EXPECT_NE(error.text().find("missing.pem"), std::string::npos);
  std::ofstream(folder_.file("empty.pem")) << "";
  error = refusal({{"ca", folder_.file("empty.pem")}});
  EXPECT_EQ(error.code, Code::invalid);
  EXPECT_NE(error.text().find("empty.pem"), std::string::npos);
  error = refusal({{"ca", folder_.path().string()}});
  EXPECT_FALSE(error.text().empty());
  EXPECT_NE(error.text().find(folder_.path().string()), std::string::npos) << error.text();
  ::chmod(server_.key.c_str(), 0644);
  error = refusal(server_options(server_));
  EXPECT_EQ(error.code, Code::invalid);
  EXPECT_NE(error.text().find("chmod 600"), std::string::npos);
}

}  // namespace
}  // namespace cb::test
