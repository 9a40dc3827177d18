// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/notify/notify_fixture.h"
#include "core/notify/peer_test.h"
#include "core/report/json.h"

namespace cb::notify {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Webhook : public NotifyFixture {
 protected:
  static std::string at(const std::string& port) { return "http://127.0.0.1:" + port + "/hook"; }
};

TEST_F(Webhook, posts_every_field_as_json) {
  WebPeer peer({204});
  const Status done = sent(*made(webhook(at(peer.port()))));
  ASSERT_TRUE(done) << done.error().text();
  ASSERT_EQ(peer.requests().size(), 1u);
  const HttpRequest request = peer.requests()[0];
  EXPECT_EQ(request.first_line, "POST /hook HTTP/1.1");
  EXPECT_TRUE(request.has("Content-Type: application/json"));
  const auto json = report::parse_json(request.body);
  ASSERT_TRUE(json) << request.body;
  EXPECT_EQ(report::text_of(*json, "kind"), "job.failed");
  EXPECT_EQ(report::text_of(*json, "severity"), "alarm");
  EXPECT_EQ(report::text_of(*json, "account"), "alice");
  EXPECT_EQ(report::text_of(*json, "subject"), "verify failed");
  EXPECT_EQ(report::text_of(*json, "when"), "2027-01-15T08:00:00Z");
  EXPECT_EQ(report::text_of(*json, "server"), "srv");
  EXPECT_EQ(report::text_of(*json, "id"), "id-7");
}

TEST_F(Webhook, escapes_what_a_hostile_name_holds) {
  WebPeer peer({200});
  const std::string name = "eve\"},\r\nHost: x\\";
  ASSERT_TRUE(sent(*made(webhook(at(peer.port()), R"({"text": "{account}"})")),
                   parcel({"k", name, "", "", "s", "t"})));
  ASSERT_TRUE(sent(*made(webhook(at(peer.port()))), parcel({"k", name, "", "", "s", "t"})));
  for (const HttpRequest& request : peer.requests()) {
    const auto json = report::parse_json(request.body);
    ASSERT_TRUE(json) << request.body;
    const std::string member = json->contains("text") && json->size() == 1 ? "text" : "account";
    EXPECT_EQ(report::text_of(*json, member), "eve\"},??Host: x\\");
  }
  EXPECT_EQ(peer.requests().size(), 2u);
}

TEST_F(Webhook, shows_its_token_to_the_peer_and_nobody_else) {
  WebPeer peer({500});
  TargetSettings settings = webhook(at(peer.port()) + "?key=s3cret");
  std::get<WebhookSettings>(settings.way).token = secret("t0ken");
  const auto target = made(std::move(settings));
  const Status done = sent(*target);
  ASSERT_FALSE(done);
  EXPECT_TRUE(peer.requests().at(0).has("Authorization: Bearer t0ken"));
  const std::string told = done.error().text() + target->description();
  EXPECT_THAT(told, Not(HasSubstr("s3cret")));
  EXPECT_THAT(told, Not(HasSubstr("t0ken")));
  EXPECT_THAT(told, HasSubstr("webhook to 127.0.0.1:" + peer.port()));
}

TEST_F(Webhook, tells_what_may_pass_from_what_will_not) {
  const auto retry_after = [](int status) {
    WebPeer peer({status});
    const Status done = sent(*made(webhook(at(peer.port()))));
    EXPECT_FALSE(done) << status;
    return done ? Retry::unknown : done.error().retry;
  };
  EXPECT_EQ(retry_after(500), Retry::yes);
  EXPECT_EQ(retry_after(503), Retry::yes);
  EXPECT_EQ(retry_after(429), Retry::yes);
  EXPECT_EQ(retry_after(404), Retry::no);
  EXPECT_EQ(retry_after(401), Retry::no);
}

TEST_F(Webhook, follows_no_redirect) {
  WebPeer peer({302});
  const Status done = sent(*made(webhook(at(peer.port()))));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().retry, Retry::no);
  EXPECT_THAT(done.error().cause, HasSubstr("answered 302"));
  EXPECT_EQ(peer.requests().size(), 1u);
}

TEST_F(Webhook, that_nobody_listens_to_may_be_tried_again) {
  std::string port;
  {
    WebPeer gone({200});
    port = gone.port();
  }
  const Status done = sent(*made(webhook(at(port))));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::closed);
  EXPECT_EQ(done.error().retry, Retry::yes);
}

TEST_F(Webhook, that_does_not_answer_is_left_after_its_time) {
  TestPeer silent([](Talk& with) { with.wait_for_end(); });
  TargetSettings settings = webhook(at(silent.port()));
  settings.timeout = std::chrono::milliseconds(300);
  const Status done = sent(*made(std::move(settings)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::timeout);
  EXPECT_EQ(done.error().retry, Retry::yes);
}

TEST_F(Webhook, that_answers_drop_by_drop_is_left_after_its_time) {
  TestPeer slow([](Talk& with) {
    with.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    with.wait_for_end();
  });
  TargetSettings settings = webhook(at(slow.port()));
  settings.timeout = std::chrono::milliseconds(300);
  const Status done = sent(*made(std::move(settings)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::timeout);
}

TEST_F(Webhook, ends_when_it_is_cancelled) {
  TestPeer silent([](Talk& with) { with.wait_for_end(); });
  int asked = 0;
  const Status done =
      sent(*made(webhook(at(silent.port()))), usual(), [&asked] { return ++asked > 2; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::cancelled);
}

TEST_F(Webhook, over_tls_knows_the_peer_by_the_certificate_that_it_was_given) {
  const test::Identity identity = test::make_identity(folder_, {.name = "localhost"});
  WebPeer peer({200}, &identity);
  const std::string url = "https://localhost:" + peer.port() + "/";
  TargetSettings trusting = webhook(url);
  std::get<WebhookSettings>(trusting.way).ca = identity.certificate;
  const Status done = sent(*made(std::move(trusting)));
  EXPECT_TRUE(done) << done.error().text();
  const Status refused = sent(*made(webhook(url)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::auth);
  EXPECT_EQ(peer.requests().size(), 1u);
}

TEST_F(Webhook, over_tls_refuses_a_certificate_of_another_name) {
  const test::Identity identity =
      test::make_identity(folder_, {.name = "other", .alternative = "DNS:other.example"});
  WebPeer peer({200}, &identity);
  TargetSettings settings = webhook("https://localhost:" + peer.port() + "/");
  std::get<WebhookSettings>(settings.way).ca = identity.certificate;
  const Status refused = sent(*made(std::move(settings)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::auth);
  EXPECT_TRUE(peer.requests().empty());
}

TEST_F(Webhook, is_refused_at_once_when_its_settings_cannot_work) {
  EXPECT_THAT(refusal(webhook("ftp://x/")), StartsWith("url: does not begin with"));
  EXPECT_THAT(refusal(webhook("https:///path")), StartsWith("url: names no host"));
  EXPECT_THAT(refusal(webhook("https://x/a b")), StartsWith("url: has a space"));
  EXPECT_THAT(refusal(webhook("https://me:pw@x/")), StartsWith("url: holds a user"));
  EXPECT_THAT(refusal(webhook("https://x/", "{subjekt}")), StartsWith("body: has the unknown"));
  EXPECT_THAT(refusal(webhook("https://x/", "{\"a\": {text}}")), StartsWith("body: is not JSON"));
  EXPECT_EQ(refusal(webhook("https://x/", R"({"a": {"b": "{text}"}})")), "");
  TargetSettings in_clear = webhook("http://hooks.example.org/");
  std::get<WebhookSettings>(in_clear.way).token = secret("t");
  EXPECT_THAT(refusal(std::move(in_clear)), StartsWith("token: would go over the network"));
  // Names and numbers that only begin like this machine's.
  for (const char* const far : {"http://localhost.example.org/", "http://127.example.org/",
                                "http://127.0.0.1.example.org:8080/", "http://[::1]x/",
                                "http://128.0.0.1/", "http://127.1/"}) {
    TargetSettings with_token = webhook(far);
    std::get<WebhookSettings>(with_token.way).token = secret("t");
    EXPECT_THAT(refusal(std::move(with_token)), StartsWith("token: would go over")) << far;
    TargetSettings with_secret = webhook(far);
    std::get<WebhookSettings>(with_secret.way).is_secret = true;
    EXPECT_THAT(refusal(std::move(with_secret)), StartsWith("secret_url: would go over")) << far;
    EXPECT_EQ(refusal(webhook(far)), "") << "nothing about it is a secret";
  }
  for (const char* const near : {"http://localhost/", "http://127.0.0.1:80/x", "http://127.9.9.9/",
                                 "http://[::1]:8080/", "https://hooks.example.org/"}) {
    TargetSettings with_token = webhook(near);
    std::get<WebhookSettings>(with_token.way).token = secret("t");
    std::get<WebhookSettings>(with_token.way).is_secret = true;
    EXPECT_EQ(refusal(std::move(with_token)), "") << near;
  }
  TargetSettings kinds = webhook("https://x/");
  kinds.kinds = {"job failed"};
  EXPECT_THAT(refusal(std::move(kinds)), StartsWith("kinds: 'job failed'"));
}

}  // namespace
}  // namespace cb::notify
