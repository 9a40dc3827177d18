// SPDX-License-Identifier: Apache-2.0
#include "core/repository/pairing_token.h"

#include <gtest/gtest.h>

#include <random>

namespace cb::repository {
namespace {

PairingToken example() {
  PairingToken token;
  token.id.bytes.fill(std::byte{1});
  token.secret = Secret(Bytes(32, std::byte{2}));
  token.pin.fill(std::byte{3});
  token.servers = {"backup.example:7900", "[2001:db8::1]:7900"};
  return token;
}

void expect_same(const PairingToken& a, const PairingToken& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(to_hex(a.secret.view()), to_hex(b.secret.view()));
  EXPECT_EQ(a.pin, b.pin);
  EXPECT_EQ(a.servers, b.servers);
}

TEST(PairingToken, keeps_its_text) {
  EXPECT_EQ(format_pairing_token(example()).value(),
            "cb1.AQEBAQEBAQEBAQEBAQEBAQECAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgMDAwMDAwMD"
            "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAhNiYWNrdXAuZXhhbXBsZTo3OTAwElsyMDAxOmRiODo6MV06NzkwME"
            "H7bZY");
  expect_same(parse_pairing_token(format_pairing_token(example()).value()).value(), example());
}

TEST(PairingToken, any_token_comes_back) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    PairingToken token = example();
    for (std::byte& b : token.id.bytes) b = static_cast<std::byte>(random());
    for (std::byte& b : token.secret.span()) b = static_cast<std::byte>(random());
    token.servers.resize(1 + random() % 2);
    token.servers[0] =
        std::string(1 + random() % 200, 'h') + ":" + std::to_string(random() % 65536);
    const std::string text = format_pairing_token(token).value();
    const auto back = parse_pairing_token(text);
    ASSERT_TRUE(back) << back.error().text();
    expect_same(*back, token);
  }
}

TEST(PairingToken, of_another_server_is_not_one_of_an_owner) {
  const std::string text = format_replica_token(example()).value();
  EXPECT_TRUE(text.starts_with("cbr1."));
  expect_same(parse_replica_token(text).value(), example());
  EXPECT_FALSE(parse_pairing_token(text));
  EXPECT_FALSE(parse_replica_token(format_pairing_token(example()).value()));
}

TEST(PairingToken, may_be_wrapped_by_a_mail) {
  std::string text = format_pairing_token(example()).value();
  for (size_t at = 20; at < text.size(); at += 21) text.insert(at, "\r\n");
  const auto back = parse_pairing_token("  " + text + "\n");
  ASSERT_TRUE(back) << back.error().text();
  expect_same(*back, example());
}

TEST(PairingToken, each_typing_error_is_told) {
  const std::string good = format_pairing_token(example()).value();
  const std::string alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.!";
  for (size_t at = 0; at < good.size(); ++at)
    for (const char c : alphabet) {
      if (c == good[at]) continue;
      std::string bad = good;
      bad[at] = c;
      const auto parsed = parse_pairing_token(bad);
      ASSERT_FALSE(parsed) << bad;
      ASSERT_EQ(parsed.error().code, Code::invalid) << bad;
      ASSERT_FALSE(parsed.error().advice.empty());
    }
  for (size_t size = 0; size < good.size(); ++size)
    ASSERT_FALSE(parse_pairing_token(good.substr(0, size))) << size;
  for (size_t at = 0; at + 1 < good.size(); ++at) {
    if (good[at] == good[at + 1]) continue;
    std::string bad = good;
    std::swap(bad[at], bad[at + 1]);
    ASSERT_FALSE(parse_pairing_token(bad)) << bad;
  }
  EXPECT_FALSE(parse_pairing_token(good + "A"));
  EXPECT_FALSE(parse_pairing_token(std::string(100'000, 'A')));
}

TEST(PairingToken, that_could_not_be_used_is_not_made) {
  const auto refused = [](auto change) {
    PairingToken token = example();
    change(token);
    const auto text = format_pairing_token(token);
    return !text && text.error().code == Code::invalid;
  };
  EXPECT_TRUE(refused([](PairingToken& t) { t.servers.clear(); }));
  EXPECT_TRUE(refused([](PairingToken& t) { t.servers.assign(17, "a:1"); }));
  for (const char* server : {"", "host", "host:", ":1", "host:1x", "ho st:1", "h\xc3\xb6st:1"})
    EXPECT_TRUE(refused([&](PairingToken& t) { t.servers = {server}; })) << server;
  EXPECT_TRUE(refused([](PairingToken& t) { t.secret = Secret(31); }));
}

}  // namespace
}  // namespace cb::repository
