// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/notify/notify_fixture.h"
#include "core/report/json.h"

namespace cb::notify {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using Command = NotifyFixture;

TEST_F(Command, gets_the_notice_on_its_input_and_in_its_environment) {
  const Status done = sent(*made(command(
      "cat > \"$1\"/input; echo \"$CYBERBACKUP_KIND|$CYBERBACKUP_SUBJECT|$CYBERBACKUP_WHEN\" "
      "> \"$1\"/environment",
      folder_)));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(content("environment"), "job.failed|verify failed|2027-01-15T08:00:00Z\n");
  const auto json = report::parse_json(content("input"));
  ASSERT_TRUE(json);
  EXPECT_EQ(report::text_of(*json, "account"), "alice");
}

TEST_F(Command, takes_a_hostile_name_for_nothing_but_a_value) {
  const Notice notice{"k", "$(touch /tmp/x);`id`\nPATH=/evil", "", "", "s", "t\0LD_PRELOAD=x"};
  const Status done = sent(*made(command("env > \"$1\"/environment", folder_)), parcel(notice));
  ASSERT_TRUE(done) << done.error().text();
  const std::string environment = content("environment");
  EXPECT_THAT(environment, HasSubstr("CYBERBACKUP_ACCOUNT=$(touch /tmp/x);`id`?PATH=/evil\n"));
  EXPECT_THAT(environment, testing::Not(HasSubstr("\nPATH=/evil")));
}

TEST_F(Command, that_fails_is_told_with_what_it_said) {
  const Status done = sent(*made(command("echo no route >&2; exit 3")));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().retry, Retry::yes);
  EXPECT_THAT(done.error().cause, HasSubstr("ended with 3 and said: no route"));
}

TEST_F(Command, that_hangs_is_killed) {
  TargetSettings settings = command("PATH=/usr/bin:/bin; sleep 600");
  settings.timeout = std::chrono::milliseconds(300);
  const Status done = sent(*made(std::move(settings)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::timeout);
  EXPECT_THAT(done.error().cause, HasSubstr("was killed"));
}

TEST_F(Command, is_killed_when_the_daemon_ends) {
  const Status done =
      sent(*made(command("PATH=/usr/bin:/bin; sleep 600")), usual(), [] { return true; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::cancelled);
}

TEST_F(Command, is_refused_at_once_when_it_cannot_be_run) {
  const auto with = [](std::vector<std::string> words) {
    TargetSettings settings;
    settings.way = CommandSettings{std::move(words)};
    return refusal(std::move(settings));
  };
  EXPECT_THAT(with({}), StartsWith("command: does not begin with an absolute path"));
  EXPECT_THAT(with({"notify-send"}), StartsWith("command: does not begin with an absolute path"));
  EXPECT_THAT(with({"/nowhere/tell"}), StartsWith("command: '/nowhere/tell' cannot be run"));
  EXPECT_THAT(with({"/etc"}), HasSubstr("is no program"));
  (void)command("exit 0");
  std::filesystem::permissions(folder_ + "/told", std::filesystem::perms::all);
  EXPECT_THAT(with({folder_ + "/told"}), HasSubstr("may be changed by everybody"));
}

}  // namespace
}  // namespace cb::notify
