// SPDX-License-Identifier: Apache-2.0
//
// Retention over protocol 4 and through the operator's program, with the real daemon.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>

#include "core/os/account_names.h"
#include "core/server/admin_server.h"
#include "tests/folders.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using repository::Role;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Retention : public V4Server {
 protected:
  V4Retention() : owner_(V4Owner::make()) {
    start();
    peer_ = enrolled("alice", owner_);
    const V4Blobs blobs(3000);
    for (const auto& blob : blobs.all) peer_->put(peer_->next_id++, blob.head, blob.stored);
    EXPECT_EQ(ask(*peer_, Request::commit, blobs.commit(owner_)).code, Response::commit);
    snapshot_ = blobs.snapshot;
  }

  V4Answer set(V4Peer& by, const std::string& rules, const std::string& source = {}) {
    v4::pb::SetRetention message;
    message.set_rules(rules);
    message.set_source(source);
    return ask(by, Request::set_retention, message);
  }
  v4::pb::RetentionReply shown() {
    return ask(*peer_, Request::retention, v4::pb::Retention()).as<v4::pb::RetentionReply>();
  }
  Result<Json> command(Json request) {
    CB_ASSIGN(auto answer,
              ask_daemon_if_any(folder_ / "admin.sock", request, std::chrono::seconds(10)));
    return answer.value_or(Json());
  }
  struct Ran {
    int code = -1;
    std::string out;  // both streams
  };
  [[nodiscard]] Ran run(const std::string& command) const {
    const std::string line = test::program("cyberbackupd") + " " + command + " --config " +
                             (folder_ / "cyberbackupd.toml").string() +
                             " --set plugins.dir=" + test::plugins() + " 2>&1";
    Ran ran;
    FILE* pipe = ::popen(line.c_str(), "r");
    std::array<char, 4096> part{};
    while (const size_t got = std::fread(part.data(), 1, part.size(), pipe))
      ran.out.append(part.data(), got);
    ran.code = WEXITSTATUS(::pclose(pipe));
    return ran;
  }

  V4Owner owner_;
  std::unique_ptr<V4Peer> peer_;
  repository::BlobId snapshot_;
};

TEST_F(V4Retention, an_owner_sets_rules_and_sees_them) {
  EXPECT_EQ(shown().rules_size(), 0);
  const auto done = set(*peer_, "keep-daily 7, trash-stay 30d").as<v4::pb::SetRetentionReply>();
  EXPECT_EQ(done.request(), 0u);
  EXPECT_EQ(done.rules().rules(), "keep-daily 7, cadence 1d, trash-stay 30d");
  EXPECT_THAT(done.rules().set_by(), HasSubstr("device "));
  set(*peer_, "keep-all, trash-stay 30d", std::string(48, 'x'));
  const auto all = shown();
  ASSERT_EQ(all.rules_size(), 2);
  EXPECT_EQ(all.rules(1).source(), std::string(48, 'x'));
  EXPECT_FALSE(all.cut());
  EXPECT_EQ(set(*peer_, "", std::string(48, 'x')).code, Response::set_retention);
  EXPECT_EQ(shown().rules_size(), 1);
  EXPECT_TRUE(log_.contains("event=v4.retention.set")) << log_.text();
}

TEST_F(V4Retention, a_shorter_stay_is_not_in_force_at_once) {
  const auto done = set(*peer_, "keep-daily 7, trash-stay 1d").as<v4::pb::SetRetentionReply>();
  EXPECT_GT(done.request(), 0u);
  EXPECT_THAT(done.rules().rules(), HasSubstr("trash-stay 7d"));
  const auto waiting = command({{"command", "job.requests"}});
  ASSERT_TRUE(waiting) << waiting.error().text();
  ASSERT_EQ(waiting->size(), 1u);
  EXPECT_EQ((*waiting)[0]["number"], done.request());
  const auto approved = command({{"command", "job.approve"}, {"number", done.request()}});
  ASSERT_TRUE(approved) << approved.error().text();
  EXPECT_THAT(shown().rules(0).rules(), HasSubstr("trash-stay 1d"));
}

TEST_F(V4Retention, impossible_rules_and_sources_are_refused_and_the_session_goes_on) {
  for (const char* rules : {"keep-daily 0", "nonsense", "keep-last 1, trash-stay 0s",
                            "keep-last 1, keep-last 2", ",", "keep-tag work"}) {
    const auto failure = set(*peer_, rules).as<v4::pb::Failure>();
    EXPECT_EQ(failure.code(), static_cast<int>(Code::invalid)) << rules;
    EXPECT_FALSE(failure.fatal());
  }
  EXPECT_EQ(set(*peer_, "keep-all", "short").as<v4::pb::Failure>().code(),
            static_cast<int>(Code::invalid));
  EXPECT_EQ(set(*peer_, "").as<v4::pb::Failure>().code(), static_cast<int>(Code::not_found));
  EXPECT_EQ(shown().rules_size(), 0);
}

TEST_F(V4Retention, writers_and_readers_neither_see_nor_set_rules) {
  for (const Role role : {Role::writer, Role::reader}) {
    auto other = member(joined(*peer_, owner_, role).member(owner_));
    EXPECT_EQ(set(*other, "keep-last 1").as<v4::pb::Failure>().code(),
              static_cast<int>(Code::denied));
    EXPECT_EQ(ask(*other, Request::retention, v4::pb::Retention()).as<v4::pb::Failure>().code(),
              static_cast<int>(Code::denied));
  }
  EXPECT_EQ(shown().rules_size(), 0);
}

TEST_F(V4Retention, the_operator_s_program_sets_pins_shows_and_lists_what_waits) {
  EXPECT_THAT(run("retention show --account alice").out, HasSubstr("everything is kept"));
  const Ran set = run("retention set --account alice --keep-daily 7 --trash-stay 10d");
  EXPECT_EQ(set.code, 0) << set.out;
  EXPECT_THAT(set.out, HasSubstr("keep-daily 7, cadence 1d, trash-stay 10d"));
  const Ran pin = run("retention pin --account alice " + snapshot_.hex().substr(0, 10) +
                      " --until 2262-01-01 --reason audit");
  EXPECT_NE(pin.code, 0);  // past what dates there are
  EXPECT_EQ(run("retention pin --account alice " + snapshot_.hex().substr(0, 10) +
                " --until 400d --reason audit")
                .code,
            0);
  const Ran show = run("retention show --account alice");
  EXPECT_THAT(show.out, HasSubstr("audit"));
  EXPECT_THAT(show.out, HasSubstr("repository"));
  EXPECT_EQ(shown().pins_size(), 1);
  const Ran plan = run("retention plan --account alice");
  EXPECT_EQ(plan.code, 0) << plan.out;
  EXPECT_THAT(plan.out, HasSubstr(snapshot_.hex().substr(0, 12)));
  EXPECT_THAT(plan.out, HasSubstr("newest"));
  EXPECT_THAT(plan.out, HasSubstr("would put 0 snapshots into the trash"));
  EXPECT_THAT(run("job requests").out, HasSubstr("nothing waits"));
  EXPECT_EQ(run("retention unpin --account alice " + snapshot_.hex()).code, 0);
  const Ran none = run("retention set --account alice --none");
  EXPECT_NE(none.code, 0);  // it would shorten the stay
  EXPECT_THAT(none.out, HasSubstr("another operator"));
}

TEST_F(V4Retention, who_asked_for_a_shorter_stay_does_not_approve_it) {
  ASSERT_EQ(run("retention set --account alice --keep-all --trash-stay 2d").code, 0);
  const auto approved = command(
      {{"command", "job.approve"}, {"number", 1}, {"asked_by", "uid 4711 (somebody else)"}});
  ASSERT_FALSE(approved);
  EXPECT_EQ(approved.error().code, Code::denied);
  const Ran ran = run("job approve 1");
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("[admin] operators"));
  EXPECT_THAT(run("job requests").out, HasSubstr("shorter stay"));
}

TEST_F(V4Retention, without_a_daemon_the_files_are_worked_on) {
  stop();
  EXPECT_EQ(run("retention set --account alice --keep-last 3").code, 0);
  EXPECT_THAT(run("retention show --account alice --json").out, HasSubstr("keep-last 3"));
  EXPECT_NE(run("retention set --account alice --keep-last 0").code, 0);
  EXPECT_NE(run("retention set --account nobody --keep-last 1").code, 0);
  EXPECT_NE(run("retention set --account alice").code, 0);
}

}  // namespace
}  // namespace cb::server
