// SPDX-License-Identifier: Apache-2.0
//
// transport-tls against another implementation's programs: openssl s_client and s_server.
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/suites/certificates.h"
#include "tests/suites/openssl_tool.h"
#include "tests/suites/transport_pair.h"

namespace cb::test {
namespace {

struct Version {
  const char* flag;
  const char* protocol;
  const char* option;
};

class TransportTlsPeer : public testing::TestWithParam<Version> {
 protected:
  static StreamPtr accept(plugin::Listener& listener) {
    pollfd ready{listener.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&ready, 1, 10'000), 1);
    return listener.accept().value();
  }
  StreamPtr connect(const Ends& ends, uint16_t port) const {
    plugin::Endpoint endpoint;
    endpoint.address = "127.0.0.1";
    endpoint.port = port;
    return ends.wrap_client(ends.tcp.connect(endpoint).value(), port).value();
  }
  // The port that s_server says it has; 0 when it says none.
  static uint16_t port_of(OpensslTool& server) {
    if (!server.wait_for("ACCEPT 127.0.0.1:")) return 0;
    const size_t at = server.printed().find("ACCEPT 127.0.0.1:") + 17;
    server.wait_for("\n");
    return static_cast<uint16_t>(std::stoi(server.printed().substr(at)));
  }
  std::vector<std::string> server_arguments() const {
    return {"s_server", "-accept",     "127.0.0.1:0", "-cert",        identity_.certificate,
            "-key",     identity_.key, "-rev",        GetParam().flag};
  }

  TemporaryFolder folder_;
  Identity identity_ = make_identity(folder_.path(), {.name = "server"});
  Options server_{{"certificate", identity_.certificate},
                  {"key", identity_.key},
                  {"min_version", GetParam().option}};
};

TEST_P(TransportTlsPeer, s_client_talks_to_our_server) {
  const Ends ends{make("transport-tcp"), {}, {make("transport-tls", server_)}, ""};
  plugin::Listener listener = ends.listen();
  OpensslTool client({"s_client", "-connect", "127.0.0.1:" + std::to_string(listener.port()),
                      "-CAfile", identity_.certificate, "-verify_return_error", "-verify_hostname",
                      "localhost", "-quiet", "-no_ign_eof", GetParam().flag});
  const StreamPtr server = ends.wrap_server(accept(listener)).value();
  const Status hands = shake_hands(*server);
  ASSERT_TRUE(hands) << hands.error().text();
  EXPECT_EQ(as_text(server->info(CB_INFO_PROTOCOL).value()), GetParam().protocol);
  client.write("hello\n");
  Bytes heard(6);
  ASSERT_EQ(read_some(*server, heard).value(), 6U);
  EXPECT_EQ(as_text(heard), "hello\n");
  ASSERT_TRUE(write_all(*server, as_bytes("welcome\n")));
  EXPECT_TRUE(client.wait_for("welcome\n")) << client.printed();
}

TEST_P(TransportTlsPeer, s_client_shows_a_certificate_to_our_server) {
  const Identity client_id =
      make_identity(folder_.path(), {.name = "client", .issuer = &identity_});
  server_["client_ca"] = identity_.certificate;
  server_["require_client_certificate"] = "true";
  const Ends ends{make("transport-tcp"), {}, {make("transport-tls", server_)}, ""};
  plugin::Listener listener = ends.listen();
  const std::string at = "127.0.0.1:" + std::to_string(listener.port());
  {
    const OpensslTool client({"s_client", "-connect", at, "-CAfile", identity_.certificate, "-cert",
                              client_id.certificate, "-key", client_id.key, GetParam().flag});
    const StreamPtr server = ends.wrap_server(accept(listener)).value();
    const Status hands = shake_hands(*server);
    ASSERT_TRUE(hands) << hands.error().text();
    EXPECT_EQ(to_hex(server->info(CB_INFO_PEER_SPKI).value()), client_id.pin);
  }
  const OpensslTool nobody({"s_client", "-connect", at, GetParam().flag});
  const StreamPtr server = ends.wrap_server(accept(listener)).value();
  EXPECT_EQ(shake_hands(*server).error().code, Code::auth);
}

TEST_P(TransportTlsPeer, our_client_talks_to_s_server_and_resumes) {
  OpensslTool tool(server_arguments());
  const uint16_t port = port_of(tool);
  ASSERT_NE(port, 0) << tool.printed();
  const Ends ends{
      make("transport-tcp"),
      {make("transport-tls", {{"ca", identity_.certificate}, {"min_version", GetParam().option}})},
      {},
      "localhost"};
  for (int round = 0; round < 3; ++round) {
    const StreamPtr client = connect(ends, port);
    const Status hands = shake_hands(*client);
    ASSERT_TRUE(hands) << hands.error().text();
    EXPECT_EQ(as_text(client->info(CB_INFO_PROTOCOL).value()), GetParam().protocol);
    EXPECT_EQ(client->info(CB_INFO_RESUMED).value()[0], std::byte(round > 0)) << round;
    EXPECT_EQ(to_hex(client->info(CB_INFO_PEER_SPKI).value()), identity_.pin);
    EXPECT_TRUE(client->info(CB_INFO_CHANNEL_BINDING));
    ASSERT_TRUE(write_all(*client, as_bytes("hello\n")));
    Bytes heard(6);
    for (size_t got = 0; got < heard.size();)
      got += read_some(*client, ByteSpan(heard).subspan(got)).value();
    EXPECT_EQ(as_text(heard), "olleh\n");
    ASSERT_TRUE(shut_down(*client));
  }
}

TEST_P(TransportTlsPeer, our_client_judges_s_server_by_pin_name_and_issuer) {
  OpensslTool tool(server_arguments());
  const uint16_t port = port_of(tool);
  ASSERT_NE(port, 0) << tool.printed();
  const auto meet = [&](Options options, const std::string& name) {
    options["min_version"] = GetParam().option;
    const Ends ends{make("transport-tcp"), {make("transport-tls", options)}, {}, name};
    const Status hands = shake_hands(*connect(ends, port));
    return hands ? std::optional<Code>() : std::optional<Code>(hands.error().code);
  };
  EXPECT_EQ(meet({{"pin", identity_.pin}}, "anything"), std::nullopt);
  EXPECT_EQ(meet({{"pin", std::string(64, '0')}}, "localhost"), Code::auth);
  EXPECT_EQ(meet({{"ca", identity_.certificate}}, "localhost"), std::nullopt);
  EXPECT_EQ(meet({{"ca", identity_.certificate}}, "elsewhere"), Code::auth);
  EXPECT_EQ(meet({}, "localhost"), Code::auth);
}

TEST_P(TransportTlsPeer, our_client_shows_its_certificate_to_s_server) {
  const Identity client_id =
      make_identity(folder_.path(), {.name = "client", .issuer = &identity_});
  std::vector<std::string> arguments = server_arguments();
  for (const char* more : {"-Verify", "1", "-verify_return_error", "-CAfile"})
    arguments.emplace_back(more);
  arguments.push_back(identity_.certificate);
  OpensslTool tool(arguments);
  const uint16_t port = port_of(tool);
  ASSERT_NE(port, 0) << tool.printed();
  const auto hello = [&](Options options) -> Status {
    options["ca"] = identity_.certificate;
    options["min_version"] = GetParam().option;
    const Ends ends{make("transport-tcp"), {make("transport-tls", options)}, {}, "localhost"};
    const StreamPtr client = connect(ends, port);
    CB_TRY(shake_hands(*client));
    CB_TRY(write_all(*client, as_bytes("hello\n")));
    Bytes heard(6);
    CB_TRY(read_some(*client, heard));
    return {};
  };
  const Status with = hello({{"certificate", client_id.certificate}, {"key", client_id.key}});
  EXPECT_TRUE(with) << with.error().text();
  const Status without = hello({});
  ASSERT_FALSE(without);
  EXPECT_TRUE(without.error().code == Code::auth || without.error().code == Code::unsupported)
      << without.error().text();
}

using TransportTlsOld = TransportTlsPeer;

TEST_P(TransportTlsOld, s_server_is_refused_when_more_is_demanded) {
  OpensslTool tool(server_arguments());
  const uint16_t port = port_of(tool);
  ASSERT_NE(port, 0) << tool.printed();
  const Ends ends{
      make("transport-tcp"), {make("transport-tls", {{"pin", identity_.pin}})}, {}, "localhost"};
  const Status hands = shake_hands(*connect(ends, port));
  ASSERT_FALSE(hands);
  EXPECT_EQ(hands.error().code, Code::unsupported) << hands.error().text();
  EXPECT_NE(hands.error().text().find("min_version"), std::string::npos) << hands.error().text();
}

TEST_P(TransportTlsOld, s_client_is_refused_when_more_is_demanded) {
  server_.erase("min_version");
  const Ends ends{make("transport-tcp"), {}, {make("transport-tls", server_)}, ""};
  plugin::Listener listener = ends.listen();
  const OpensslTool client(
      {"s_client", "-connect", "127.0.0.1:" + std::to_string(listener.port()), GetParam().flag});
  const StreamPtr server = ends.wrap_server(accept(listener)).value();
  EXPECT_EQ(shake_hands(*server).error().code, Code::unsupported);
}

INSTANTIATE_TEST_SUITE_P(Versions, TransportTlsPeer,
                         testing::Values(Version{"-tls1_2", "TLSv1.2", "1.2"},
                                         Version{"-tls1_3", "TLSv1.3", "1.3"}),
                         [](const auto& version) {
                           return "tls_1_" + std::string(version.param.option).substr(2);
                         });
INSTANTIATE_TEST_SUITE_P(Versions, TransportTlsOld,
                         testing::Values(Version{"-tls1_2", "TLSv1.2", "1.2"}),
                         [](const auto&) { return "tls_1_2"; });

}  // namespace
}  // namespace cb::test
