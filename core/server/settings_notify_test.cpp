// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/server/settings.h"

namespace cb::server {
namespace {

class NotifySettings : public ::testing::Test {
 protected:
  NotifySettings() : folder_("/tmp/notify-settings-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
    request_.file = folder_ / "d.toml";
    EXPECT_TRUE(os::write_file_atomically(os::real_file_system(), folder_ / "secret",
                                          as_bytes("s3cret\n")));
  }
  ~NotifySettings() override { std::filesystem::remove_all(folder_); }

  Settings load(const std::string& toml) {
    const std::string all = toml + "[[listen]]\naddress = '127.0.0.1:0'\n";
    EXPECT_TRUE(os::write_file_atomically(os::real_file_system(), request_.file, as_bytes(all)));
    problems_ = {};
    auto settings = load_settings(request_, problems_);
    EXPECT_TRUE(settings) << settings.error().text();
    return settings ? std::move(*settings) : Settings();
  }

  // The first problem of a file with this table, without the file's name.
  std::string problem(const std::string& table) {
    (void)load("[[notify]]\n" + table);
    if (problems_.list.empty()) return {};
    return problems_.list[0].key + ": " + problems_.list[0].cause;
  }

  os::Path folder_;
  SettingsRequest request_;
  config::Problems problems_;
};

TEST_F(NotifySettings, each_way_can_be_written_and_means_what_it_says) {
  const Settings settings = load(
      "[[notify]]\nname = 'hook'\nurl = 'https://hooks.example.org/x'\n"
      "token = { file = 'secret' }\nkinds = ['job.*']\nseverity = 'alarm'\nrate = 2\n"
      "rate_per = '1d'\n"
      "[[notify]]\nname = 'admins'\nsmtp = 'mail.example.org'\nfrom = 'a@b.org'\n"
      "to = ['c@d.org', 'e@f.org']\nuser = 'u'\npassword = { file = 'secret' }\n"
      "[[notify]]\nname = 'script'\ncommand = ['/bin/true', 'x']\ntimeout = '5s'\n");
  ASSERT_FALSE(problems_.has_errors()) << problems_.error("").text();
  ASSERT_EQ(settings.notify.size(), 3u);
  const notify::TargetSettings& hook = settings.notify[0]->settings();
  EXPECT_EQ(hook.kinds, std::vector<std::string>{"job.*"});
  EXPECT_EQ(hook.least, notify::Severity::alarm);
  EXPECT_EQ(hook.rate, (notify::Rate{2, std::chrono::hours(24)}));
  EXPECT_EQ(as_text(std::get<notify::WebhookSettings>(hook.way).token.view()), "s3cret");
  const auto& mail = std::get<notify::SmtpSettings>(settings.notify[1]->settings().way);
  EXPECT_EQ(mail.tls, notify::MailTls::starttls);
  EXPECT_EQ(mail.to.size(), 2u);
  EXPECT_EQ(as_text(mail.password.view()), "s3cret");
  EXPECT_EQ(settings.notify[2]->settings().timeout, std::chrono::seconds(5));
}

TEST_F(NotifySettings, defaults_in_the_schema_are_those_of_the_code) {
  const Settings settings = load("[[notify]]\nname = 'hook'\nurl = 'https://x.org/'\n");
  ASSERT_EQ(settings.notify.size(), 1u);
  const notify::TargetSettings code;
  const notify::TargetSettings& read = settings.notify[0]->settings();
  EXPECT_EQ(read.least, code.least);
  EXPECT_EQ(read.rate, code.rate);
  EXPECT_EQ(read.timeout, code.timeout);
  EXPECT_EQ(read.give_up, code.give_up);
}

TEST_F(NotifySettings, what_cannot_work_is_refused_with_its_place_and_reason) {
  EXPECT_EQ(problem("name = 'a'\n"), "notify.0.name: says not where events go");
  EXPECT_EQ(problem("url = 'https://x.org/'\n"), "notify.0.name: is required, but was not written");
  EXPECT_EQ(problem("name = 'a b'\nurl = 'https://x.org/'\n"), "notify.0.name: is not a name");
  EXPECT_EQ(problem("name = 'a'\nurl = 'https://x.org/'\ncommand = ['/bin/true']\n"),
            "notify.0.command: cannot stand beside url");
  EXPECT_EQ(problem("name = 'a'\nurl = 'https://x.org/'\nto = ['a@b.org']\n"),
            "notify.0.to: means nothing beside url");
  EXPECT_EQ(problem("name = 'a'\nurl = 'gopher://x.org/'\n"),
            "notify.0.url: does not begin with https:// or http://");
  EXPECT_EQ(problem("name = 'a'\nurl = 'https://x.org/'\nbody = '{nothing}'\n"),
            "notify.0.body: has the unknown placeholder {nothing}");
  EXPECT_EQ(problem("name = 'a'\ncommand = ['/nowhere/at/all']\n"),
            "notify.0.command: '/nowhere/at/all' cannot be run: No such file or directory");
  EXPECT_EQ(problem("name = 'a'\nurl = 'https://x.org/'\n"
                    "[[notify]]\nname = 'a'\nurl = 'https://y.org/'\n"),
            "notify.1.name: is the name of another [[notify]], too");
}

TEST_F(NotifySettings, no_secret_is_shown) {
  const Settings settings = load(
      "[[notify]]\nname = 'a'\nsecret_url = { file = 'address' }\n"
      "token = { file = 'secret' }\n");
  for (const ShownOption& option : settings.shown)
    EXPECT_EQ(option.value.find("s3cret"), std::string::npos) << option.key;
  EXPECT_TRUE(problems_.has_errors());  // there is no file "address"
  EXPECT_TRUE(settings.notify.empty());
}

}  // namespace
}  // namespace cb::server
