// SPDX-License-Identifier: Apache-2.0
#include "core/notify/notifier.h"

#include <gmock/gmock.h>

#include "core/log/capture.h"
#include "core/notify/notify_fixture.h"
#include "core/notify/peer_test.h"
#include "core/report/json.h"
#include "core/server/stopped_clock.h"

namespace cb::notify {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class NotifierTest : public NotifyFixture {
 protected:
  std::unique_ptr<Notifier> notifier(std::vector<TargetSettings> settings) {
    auto made_one =
        Notifier::open({&clock_, &os::system_random(), &log_, "srv"}, targets(std::move(settings)));
    EXPECT_TRUE(made_one) << made_one.error().text();
    return std::move(*made_one);
  }

  static Notifier::Targets targets(std::vector<TargetSettings> settings) {
    Notifier::Targets all;
    for (TargetSettings& one : settings) all.push_back(made(std::move(one)));
    return all;
  }

  template <typename... Settings>
  static std::vector<TargetSettings> list_of(Settings... settings) {
    std::vector<TargetSettings> all;
    (all.push_back(std::move(settings)), ...);
    return all;
  }

  static TargetSettings hook(const WebPeer& peer) {
    return webhook("http://127.0.0.1:" + peer.port() + "/");
  }

  static Notice notice(const std::string& subject, Severity severity = Severity::warning) {
    return {"job.failed", "", "", "", subject, "", severity, 7};
  }

  static std::vector<std::string> subjects(const WebPeer& peer) {
    std::vector<std::string> all;
    for (const HttpRequest& request : peer.requests())
      if (const auto json = report::parse_json(request.body))
        all.push_back(report::text_of(*json, "subject"));
    return all;
  }

  // One that keeps what waits in a folder.
  std::unique_ptr<Notifier> keeping(std::vector<TargetSettings> settings) {
    auto made_one = Notifier::open(
        {&clock_, &os::system_random(), &log_, "srv", &os::real_file_system(), outbox()},
        targets(std::move(settings)));
    EXPECT_TRUE(made_one) << made_one.error().text();
    return std::move(*made_one);
  }
  [[nodiscard]] std::filesystem::path outbox() const {
    return std::filesystem::path(folder_) / "outbox";
  }
  [[nodiscard]] size_t files_in_outbox() const {
    if (!std::filesystem::exists(outbox())) return 0;
    const std::filesystem::directory_iterator all(outbox());
    return static_cast<size_t>(std::distance(begin(all), end(all)));
  }
  // What is left of a process that was killed: its files, and nothing that it did at its end.
  void kill(std::unique_ptr<Notifier> sender) {
    const std::filesystem::path aside = folder_ + "/aside";
    std::filesystem::copy(outbox(), aside);
    sender.reset();
    std::filesystem::remove_all(outbox());
    std::filesystem::rename(aside, outbox());
  }

  server::StoppedClock clock_;
  log::Capture log_;
};

TEST_F(NotifierTest, passes_on_what_a_target_wants_and_nothing_else) {
  WebPeer peer({200});
  TargetSettings settings = hook(peer);
  settings.kinds = {"job.*"};
  const auto sender = notifier(list_of(std::move(settings)));
  sender->post(notice("one"));
  sender->post(notice("too little", Severity::info));
  sender->post({"store.low", "", "", "", "another kind", "", Severity::alarm, 7});
  sender->post(notice("two", Severity::alarm));
  EXPECT_EQ(sender->run_due(), 2u);
  EXPECT_THAT(subjects(peer), ElementsAre("one", "two"));
  EXPECT_EQ(sender->list().at(0).sent, 2u);
  EXPECT_FALSE(sender->next_due());
}

TEST_F(NotifierTest, tries_again_later_and_later_with_the_same_id) {
  WebPeer peer({500, 500, 200});
  const auto sender = notifier(list_of(hook(peer)));
  sender->post(notice("one"));
  EXPECT_EQ(sender->run_due(), 1u);
  EXPECT_EQ(sender->list()[0].waiting, 1u);
  EXPECT_THAT(sender->list()[0].last_error, HasSubstr("answered 500"));
  clock_.forward(seconds(7));
  EXPECT_EQ(sender->run_due(), 0u);
  clock_.forward(seconds(3));
  EXPECT_EQ(sender->run_due(), 1u);
  clock_.forward(seconds(14));
  EXPECT_EQ(sender->run_due(), 0u);
  clock_.forward(seconds(6));
  EXPECT_EQ(sender->run_due(), 1u);
  const TargetReport report = sender->list()[0];
  EXPECT_EQ(report.sent, 1u);
  EXPECT_EQ(report.retries, 2u);
  EXPECT_EQ(report.waiting, 0u);
  EXPECT_EQ(report.last_error, "");
  std::set<std::string> ids;
  for (const HttpRequest& request : peer.requests())
    ids.insert(report::text_of(*report::parse_json(request.body), "id"));
  EXPECT_EQ(ids.size(), 1u);
}

TEST_F(NotifierTest, gives_up_after_a_day_and_says_so) {
  WebPeer peer({503});
  const auto sender = notifier(list_of(hook(peer)));
  sender->post(notice("one"));
  size_t tries = 0;
  for (int half_hours = 0; half_hours < 50; ++half_hours) {
    tries += sender->run_due();
    clock_.forward(minutes(30));
  }
  EXPECT_GE(tries, 48u);
  EXPECT_EQ(sender->list()[0].failed, 1u);
  EXPECT_EQ(sender->list()[0].waiting, 0u);
  EXPECT_TRUE(log_.contains("error event=notify.failed target=hook")) << log_.text();
}

TEST_F(NotifierTest, gives_up_at_once_when_another_try_cannot_help) {
  WebPeer peer({404, 200});
  const auto sender = notifier(list_of(hook(peer)));
  sender->post(notice("one"));
  sender->post(notice("two"));
  EXPECT_EQ(sender->run_due(), 2u);
  EXPECT_EQ(sender->list()[0].failed, 1u);
  EXPECT_EQ(sender->list()[0].sent, 1u);
}

TEST_F(NotifierTest, holds_back_what_is_too_much_and_sums_it_up) {
  WebPeer peer({200});
  TargetSettings settings = hook(peer);
  settings.rate = {1, hours(1)};
  const auto sender = notifier(list_of(std::move(settings)));
  sender->post(notice("one"));
  sender->post(notice("two"));
  sender->post(notice("three"));
  EXPECT_EQ(sender->run_due(), 1u);
  EXPECT_EQ(sender->list()[0].held, 2u);
  EXPECT_EQ(sender->next_due(), clock_.monotonic() + hours(1));
  clock_.forward(hours(1));
  sender->post(notice("four"));
  EXPECT_EQ(sender->run_due(), 1u);
  EXPECT_THAT(subjects(peer), ElementsAre("one", "four"));
  const auto last = report::parse_json(peer.requests().back().body);
  EXPECT_EQ(report::number_of(*last, "held_back", 0), 2);
  EXPECT_EQ(last->at("held_back_subjects").dump(), R"(["two","three"])");
}

TEST_F(NotifierTest, tells_what_it_held_back_also_when_nothing_more_comes) {
  WebPeer peer({200});
  TargetSettings settings = hook(peer);
  settings.rate = {1, hours(1)};
  const auto sender = notifier(list_of(std::move(settings)));
  sender->post(notice("one"));
  sender->post(notice("two"));
  EXPECT_EQ(sender->run_due(), 1u);
  clock_.forward(hours(1));
  EXPECT_EQ(sender->run_due(), 1u);
  EXPECT_THAT(subjects(peer), ElementsAre("one", "1 held back of job.failed"));
}

TEST_F(NotifierTest, keeps_a_bounded_line_and_counts_what_did_not_fit) {
  WebPeer peer({500});
  TargetSettings settings = hook(peer);
  settings.rate = {0, hours(1)};
  const auto sender = notifier(list_of(std::move(settings)));
  for (int i = 0; i < 1000; ++i) sender->post(notice(std::to_string(i)));
  EXPECT_EQ(sender->list()[0].waiting, 256u);
  EXPECT_EQ(sender->list()[0].held, 744u);
}

TEST_F(NotifierTest, lets_no_target_wait_for_another_ones_tries) {
  WebPeer bad({500}), good({200});
  TargetSettings other = hook(good);
  other.name = "good";
  const auto sender = notifier(list_of(hook(bad), std::move(other)));
  for (int i = 0; i < 3; ++i) sender->post(notice(std::to_string(i)));
  // The bad one waits after its first try; all of the good one's go out.
  EXPECT_EQ(sender->run_due(), 4u);
  EXPECT_EQ(sender->list()[1].sent, 3u);
  EXPECT_EQ(sender->list()[0].waiting, 3u);
}

TEST_F(NotifierTest, tests_a_target_whatever_its_filters_say) {
  WebPeer peer({200, 500});
  TargetSettings settings = hook(peer);
  settings.kinds = {"store.full"};
  settings.least = Severity::alarm;
  const auto sender = notifier(list_of(std::move(settings)));
  const auto good = sender->test("hook", "uid 0 (root)");
  ASSERT_TRUE(good);
  ASSERT_EQ(good->size(), 1u);
  EXPECT_FALSE(good->at(0).error);
  EXPECT_THAT(peer.requests().at(0).body, HasSubstr("uid 0 (root)"));
  EXPECT_GT(sender->list()[0].last_success_ns, 0);
  const auto bad = sender->test("", "x");
  ASSERT_TRUE(bad);
  ASSERT_TRUE(bad->at(0).error);
  EXPECT_THAT(bad->at(0).error->text(), HasSubstr("answered 500"));
  const auto unknown = sender->test("hok", "x");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::not_found);
}

TEST_F(NotifierTest, takes_over_other_targets_and_keeps_what_waits_for_those_that_stay) {
  WebPeer bad({500}), good({200});
  TargetSettings other = hook(bad);
  other.name = "other";
  const auto sender = notifier(list_of(hook(bad), std::move(other)));
  sender->post(notice("one"));
  EXPECT_EQ(sender->run_due(), 2u);
  TargetSettings third = hook(good);
  third.name = "third";
  const TargetChanges changes = sender->reconfigure(targets(list_of(hook(good), std::move(third))));
  EXPECT_THAT(changes.added, ElementsAre("third"));
  EXPECT_THAT(changes.removed, ElementsAre("other"));
  EXPECT_THAT(changes.changed, ElementsAre("hook"));
  EXPECT_EQ(sender->run_due(), 1u);
  EXPECT_THAT(subjects(good), ElementsAre("one"));
  EXPECT_TRUE(log_.contains("notify.dropped target=other notices=1")) << log_.text();
  EXPECT_TRUE(sender->reconfigure(targets(list_of(hook(good)))).changed.empty());
}

TEST_F(NotifierTest, notices_that_a_secret_changed) {
  WebPeer peer({200});
  const auto with_token = [&](const std::string& token) {
    TargetSettings settings = hook(peer);
    std::get<WebhookSettings>(settings.way).token = secret(token);
    return settings;
  };
  const auto sender = notifier(list_of(with_token("a")));
  EXPECT_TRUE(sender->reconfigure(targets(list_of(with_token("a")))).empty());
  EXPECT_THAT(sender->reconfigure(targets(list_of(with_token("b")))).changed, ElementsAre("hook"));
}

TEST_F(NotifierTest, sends_on_a_thread_of_its_own_and_ends_although_a_target_hangs) {
  TestPeer silent([](Talk& with) { with.wait_for_end(); });
  const auto sender = notifier(list_of(webhook("http://127.0.0.1:" + silent.port() + "/")));
  sender->start();
  sender->post(notice("one"));
  sender->post(notice("two"));
  sender->close();
  EXPECT_TRUE(log_.contains("notify.dropped target=hook notices=2")) << log_.text();
}

TEST_F(NotifierTest, sends_after_a_kill_what_had_waited_with_the_same_id_and_in_its_order) {
  WebPeer bad({500}), good({200});
  auto sender = keeping(list_of(hook(bad)));
  sender->post(notice("one"));
  clock_.forward(seconds(1));
  sender->post(notice("two", Severity::alarm));
  EXPECT_EQ(sender->run_due(), 1u);
  kill(std::move(sender));
  clock_.forward(hours(1));
  const auto next = keeping(list_of(hook(good)));
  EXPECT_EQ(next->list()[0].waiting, 2u);
  EXPECT_EQ(next->run_due(), 2u);
  EXPECT_THAT(subjects(good), ElementsAre("one", "two"));
  const auto id = [](const WebPeer& peer) {
    return report::text_of(*report::parse_json(peer.requests().at(0).body), "id");
  };
  EXPECT_EQ(id(bad), id(good));
  EXPECT_EQ(files_in_outbox(), 0u) << "it is not sent once more";
}

TEST_F(NotifierTest, keeps_at_its_end_what_waits_and_what_was_held_back) {
  WebPeer bad({500}), good({200});
  TargetSettings settings = hook(bad);
  settings.rate = {1, hours(1)};
  auto sender = keeping(list_of(std::move(settings)));
  for (const char* const subject : {"one", "two", "three"}) sender->post(notice(subject));
  sender->close();
  EXPECT_TRUE(log_.contains("notify.kept target=hook notices=2")) << log_.text();
  EXPECT_FALSE(log_.contains("notify.dropped")) << log_.text();
  sender->post(notice("four"));
  sender.reset();
  const auto next = keeping(list_of(hook(good)));
  EXPECT_EQ(next->run_due(), 3u);
  EXPECT_THAT(subjects(good), testing::UnorderedElementsAre("one", "2 held back of job.failed",
                                                            "1 held back of job.failed"));
}

TEST_F(NotifierTest, gives_up_after_a_day_although_it_was_restarted) {
  WebPeer bad({500});
  kill([&] {
    auto sender = keeping(list_of(hook(bad)));
    sender->post(notice("one"));
    return sender;
  }());
  clock_.forward(hours(25));
  const auto next = keeping(list_of(hook(bad)));
  EXPECT_EQ(next->run_due(), 1u);
  EXPECT_EQ(next->list()[0].failed, 1u);
  EXPECT_EQ(files_in_outbox(), 0u);
}

TEST_F(NotifierTest, keeps_files_that_nobody_else_reads_and_leaves_none_of_what_is_gone) {
  WebPeer bad({500});
  TargetSettings other = hook(bad);
  other.name = "other";
  const auto sender = keeping(list_of(hook(bad), std::move(other)));
  sender->post(notice("one"));
  ASSERT_EQ(files_in_outbox(), 2u);
  using std::filesystem::perms;
  for (const auto& one : std::filesystem::directory_iterator(outbox()))
    EXPECT_EQ(one.status().permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(std::filesystem::status(outbox()).permissions(), perms::owner_all);
  (void)sender->reconfigure(targets(list_of(hook(bad))));
  EXPECT_EQ(files_in_outbox(), 1u);
}

TEST_F(NotifierTest, starts_although_its_folder_holds_what_is_no_notice) {
  std::filesystem::create_directory(outbox());
  std::ofstream(outbox() / "a.json") << "{\"id\": \"b\", \"target\": \"hook\"}";
  std::ofstream(outbox() / "b.json") << "half of";
  std::ofstream(outbox() / "c.json") << R"({"id": "c", "target": "gone", "subject": "old"})";
  WebPeer peer({200});
  const auto sender = keeping(list_of(hook(peer)));
  EXPECT_EQ(sender->run_due(), 0u);
  EXPECT_EQ(log_.count("event=notify.not-read"), 2u) << log_.text();
  EXPECT_TRUE(log_.contains("notify.dropped target=gone")) << log_.text();
  EXPECT_EQ(files_in_outbox(), 0u);
}

TEST_F(NotifierTest, sends_from_memory_when_its_folder_cannot_be_written) {
  std::ofstream(outbox().string()) << "a file is in its place";
  WebPeer peer({200});
  const auto sender = keeping(list_of(hook(peer)));
  sender->post(notice("one"));
  EXPECT_EQ(sender->run_due(), 1u);
  EXPECT_THAT(subjects(peer), ElementsAre("one"));
  EXPECT_TRUE(log_.contains("error event=notify.not-kept target=hook")) << log_.text();
}

TEST_F(NotifierTest, sends_without_being_asked_once_it_was_started) {
  WebPeer peer({200});
  const auto sender = notifier(list_of(hook(peer)));
  sender->start();
  sender->post(notice("one"));
  EXPECT_TRUE(log_.wait_for("event=notify.sent", seconds(30))) << log_.text();
}

}  // namespace
}  // namespace cb::notify
