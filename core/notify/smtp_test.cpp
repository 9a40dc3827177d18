// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/notify/notify_fixture.h"
#include "core/notify/peer_test.h"
#include "core/notify/sending.h"

namespace cb::notify {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Smtp : public NotifyFixture {
 protected:
  TargetSettings mail(const std::string& port, MailTls tls = MailTls::none) const {
    TargetSettings settings;
    settings.name = "admins";
    SmtpSettings way;
    way.server = "localhost:" + port;
    way.tls = tls;
    way.from = "backup@example.org";
    way.to = {"ann@example.org", "bob@example.org"};
    if (tls != MailTls::none) way.ca = identity_.certificate;
    settings.way = std::move(way);
    return settings;
  }

  static void log_in(TargetSettings& settings) {
    auto& way = std::get<SmtpSettings>(settings.way);
    way.user = "backup";
    way.password = secret("pa55");
  }

  static std::string refusal_with(TargetSettings settings,
                                  const std::function<void(SmtpSettings&)>& change) {
    change(std::get<SmtpSettings>(settings.way));
    return refusal(std::move(settings));
  }

  static std::string body_of(const std::string& mail_text) {
    const size_t at = mail_text.find("\n\n");
    const auto body = from_base64(mail_text.substr(at));
    return body ? std::string(as_text(*body)) : "no base64";
  }

  // Of the headers: the lines before the first empty one.
  static std::string head_of(const std::string& mail_text) {
    return mail_text.substr(0, mail_text.find("\n\n") + 1);
  }

  const test::Identity identity_ = test::make_identity(folder_, {.name = "localhost"});
};

TEST_F(Smtp, sends_a_mail_to_everybody_who_is_named) {
  MailPeer peer({});
  const Status done = sent(*made(mail(peer.port())));
  ASSERT_TRUE(done) << done.error().text();
  ASSERT_EQ(peer.mails().size(), 1u);
  const SmtpMail got = peer.mails()[0];
  EXPECT_THAT(got.from, HasSubstr("<backup@example.org>"));
  EXPECT_THAT(got.to, ElementsAre("<ann@example.org>", "<bob@example.org>"));
  const std::string head = head_of(got.text);
  EXPECT_THAT(head, HasSubstr("Subject: [srv] alarm: verify failed\n"));
  EXPECT_THAT(head, HasSubstr("Date: Fri, 15 Jan 2027 08:00:00 +0000\n"));
  EXPECT_THAT(head, HasSubstr("Message-ID: <id-7@example.org>\n"));
  EXPECT_THAT(head, HasSubstr("Auto-Submitted: auto-generated\n"));
  EXPECT_THAT(body_of(got.text), StartsWith("It found damage.\n\njob.failed, alarm"));
  EXPECT_THAT(body_of(got.text), HasSubstr("account alice"));
}

TEST_F(Smtp, begins_tls_before_it_says_anything_of_substance) {
  MailPeer peer({.tls = &identity_});
  TargetSettings settings = mail(peer.port(), MailTls::starttls);
  log_in(settings);
  const Status done = sent(*made(std::move(settings)));
  ASSERT_TRUE(done) << done.error().text();
  ASSERT_EQ(peer.mails().size(), 1u);
  EXPECT_TRUE(peer.mails()[0].was_secure);
  const auto login = from_base64(peer.mails()[0].login);
  ASSERT_TRUE(login);
  EXPECT_EQ(as_text(*login), std::string_view("\0backup\0pa55", 12));
  EXPECT_THAT(peer.heard_in_clear(), ElementsAre(StartsWith("EHLO"), "STARTTLS"));
}

TEST_F(Smtp, sends_nothing_when_the_peer_cannot_do_tls) {
  MailPeer peer({});
  TargetSettings settings = mail(peer.port(), MailTls::starttls);
  log_in(settings);
  const Status done = sent(*made(std::move(settings)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::auth);
  EXPECT_TRUE(peer.mails().empty());
  EXPECT_THAT(peer.heard_in_clear(), Each(Not(StartsWith("AUTH"))));
}

TEST_F(Smtp, speaks_tls_from_the_start_when_told_so) {
  MailPeer peer({.tls = &identity_, .from_the_start = true});
  const Status done = sent(*made(mail(peer.port(), MailTls::tls)));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(peer.mails().at(0).was_secure);
}

TEST_F(Smtp, trusts_no_certificate_that_nobody_vouches_for) {
  MailPeer peer({.tls = &identity_});
  TargetSettings settings = mail(peer.port(), MailTls::starttls);
  std::get<SmtpSettings>(settings.way).ca.clear();
  const Status done = sent(*made(std::move(settings)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::auth);
}

TEST_F(Smtp, takes_the_servers_last_word_for_the_last_and_its_later_for_later) {
  MailPeer never({.to_recipient = "550 no such person"});
  const Status refused = sent(*made(mail(never.port())));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry, Retry::no);
  EXPECT_THAT(refused.error().cause, HasSubstr("550"));
  MailPeer later({.to_recipient = "451 come again"});
  const Status put_off = sent(*made(mail(later.port())));
  ASSERT_FALSE(put_off);
  EXPECT_EQ(put_off.error().retry, Retry::yes);
}

TEST_F(Smtp, never_repeats_a_password_that_was_refused) {
  MailPeer peer({.tls = &identity_, .to_login = "535 no"});
  TargetSettings settings = mail(peer.port(), MailTls::starttls);
  log_in(settings);
  const Status done = sent(*made(std::move(settings)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_THAT(done.error().text(), Not(HasSubstr("pa55")));
}

TEST_F(Smtp, that_does_not_answer_is_left_after_its_time) {
  TestPeer silent([](Talk& with) { with.wait_for_end(); });
  TargetSettings settings = mail(silent.port());
  settings.timeout = std::chrono::milliseconds(300);
  const Status done = sent(*made(std::move(settings)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::timeout);
}

TEST_F(Smtp, lets_no_hostile_name_add_a_header_or_end_the_mail) {
  MailPeer peer({});
  TargetSettings settings = mail(peer.port());
  std::get<SmtpSettings>(settings.way).subject = "{account}";
  std::get<SmtpSettings>(settings.way).body = "{account}\n{text}";
  const Status done = sent(*made(std::move(settings)),
                           parcel({"k\r\nX-Evil: 1", "eve\r\nBcc: all@example.org\r\n\r\nbody", "",
                                   "", "s", "before\r\n.\r\nMAIL FROM:<eve@example.org>\r\n"}));
  ASSERT_TRUE(done) << done.error().text();
  ASSERT_EQ(peer.mails().size(), 1u);
  const std::string text = peer.mails()[0].text;
  EXPECT_THAT(text, Not(HasSubstr("\nBcc:")));
  EXPECT_THAT(text, Not(HasSubstr("\nX-Evil")));
  EXPECT_THAT(head_of(text), HasSubstr("Subject: eve??Bcc: all@example.org????body\n"));
  EXPECT_THAT(body_of(text), HasSubstr("before?\n.?\nMAIL FROM"));
}

TEST_F(Smtp, folds_long_subjects_and_such_of_other_scripts_into_encoded_words) {
  Mail mail{"a@b.org", {"c@d.org"}, "", "x", "1", "k", 0};
  for (int i = 0; i < 30; ++i) mail.subject += "\xc3\xa4\xe2\x82\xac ";
  const std::string text = text_of(mail);
  std::string subject;
  const std::string from = text.substr(text.find("Subject: ") + 9);
  std::istringstream lines(from.substr(0, from.find("\r\nMessage-ID")));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 78u);
    const size_t begin = line.find("=?UTF-8?B?") + 10;
    const auto word = from_base64(line.substr(begin, line.find("?=") - begin));
    ASSERT_TRUE(word) << line;
    subject += as_text(*word);
  }
  EXPECT_EQ(subject, mail.subject);
}

TEST_F(Smtp, is_refused_at_once_when_its_settings_cannot_work) {
  const auto with = [this](const std::function<void(SmtpSettings&)>& change) {
    return refusal_with(mail("25"), change);
  };
  EXPECT_EQ(with([](SmtpSettings&) {}), "");
  EXPECT_EQ(with([](SmtpSettings& s) { s.server = "[::1]:25"; }), "");
  EXPECT_THAT(with([](SmtpSettings& s) { s.server = "a/b:25"; }), StartsWith("smtp:"));
  EXPECT_THAT(with([](SmtpSettings& s) { s.server = "a:0"; }), StartsWith("smtp:"));
  EXPECT_THAT(with([](SmtpSettings& s) { s.to.clear(); }), StartsWith("to: names nobody"));
  EXPECT_THAT(with([](SmtpSettings& s) { s.to = {"a@b\r\nRCPT TO:<c@d>"}; }), StartsWith("to:"));
  EXPECT_THAT(with([](SmtpSettings& s) { s.from = "nobody"; }), StartsWith("from:"));
  EXPECT_THAT(with([](SmtpSettings& s) { s.user = "u"; }), StartsWith("password: is missing"));
  EXPECT_THAT(with([](SmtpSettings& s) { s.subject = "{who}"; }), StartsWith("subject: has the"));
  EXPECT_THAT(with([](SmtpSettings& s) {
                s.server = "mail.example.org";
                s.user = "u";
                s.password = secret("p");
              }),
              StartsWith("password: would go over the network in clear"));
  EXPECT_THAT(with([](SmtpSettings& s) {
                s.server = "127.example.org:25";
                s.user = "u";
                s.password = secret("p");
              }),
              StartsWith("password: would go over the network in clear"));
}

}  // namespace
}  // namespace cb::notify
