// SPDX-License-Identifier: Apache-2.0
//
// Jobs through the operator's program, and damage from the disk to the device that heals it: the
// real daemon, protocol 4.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "tests/folders.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using repository::BlobKind;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Jobs : public V4Server {
 protected:
  V4Jobs() : owner_(V4Owner::make()), blobs_(3000) {
    start();
    peer_ = enrolled("alice", owner_);
    for (const auto& blob : blobs_.all) peer_->put(peer_->next_id++, blob.head, blob.stored);
    EXPECT_EQ(ask(*peer_, Request::commit, blobs_.commit(owner_)).code, Response::commit);
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

  // Changes a byte of the blob where it lies on the disk.
  void damage(const repository::StoredBlob& blob) {
    const std::string bytes(as_text(blob.stored));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store")) {
      if (!entry.is_regular_file()) continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      const std::string all((std::istreambuf_iterator<char>(file)), {});
      const size_t at = all.find(bytes);
      if (at == std::string::npos) continue;
      file.clear();
      file.seekp(static_cast<std::streamoff>(at + 7));
      file.put(static_cast<char>(all[at + 7] ^ 1));
      return;
    }
    FAIL() << "no file has the blob";
  }
  const repository::StoredBlob& of_kind(BlobKind kind) const {
    return *std::find_if(blobs_.all.begin(), blobs_.all.end(),
                         [kind](const auto& blob) { return blob.head.kind == kind; });
  }
  // A new login of the owner, and what it is told that is wanted.
  uint64_t wanted_at_login() {
    peer_ = peer();
    const auto answer = peer_->login(owner_);
    return answer && answer->code == Response::login ? answer->as<v4::pb::LoginReply>().wanted()
                                                     : 999;
  }

  V4Owner owner_;
  V4Blobs blobs_;
  std::unique_ptr<V4Peer> peer_;
};

TEST_F(V4Jobs, damage_is_named_wanted_and_healed_by_who_sends_it_again) {
  EXPECT_EQ(run("job run verify").code, 0);
  EXPECT_EQ(wanted_at_login(), 0u);
  const auto& data = of_kind(BlobKind::data);
  damage(data);
  const Ran found = run("job run verify --budget-time 1h");
  EXPECT_EQ(found.code, 0) << "it was found whole just now: " << found.out;
  change_config("[limits]", "[upkeep]\nverify_age = \"0s\"\n\n[limits]");
  stop();
  start();
  const Ran again = run("job run verify");
  EXPECT_EQ(again.code, 1) << again.out;
  EXPECT_THAT(again.out, HasSubstr(data.head.id.hex()));
  EXPECT_THAT(again.out, HasSubstr("damage in alice"));
  EXPECT_THAT(run("status").out, HasSubstr("1 damaged blobs wait"));
  EXPECT_EQ(wanted_at_login(), 1u);
  const auto page = ask(*peer_, Request::wanted, v4::pb::Wanted()).as<v4::pb::WantedReply>();
  EXPECT_EQ(page.ids(), v4::field_of(data.head.id.view()));
  EXPECT_EQ(page.kinds(), std::string(1, '\1'));
  EXPECT_TRUE(page.last());
  for (const auto& blob : blobs_.all) peer_->put(peer_->next_id++, blob.head, blob.stored);
  EXPECT_EQ(ask(*peer_, Request::flush, v4::pb::Flush()).code, Response::flush);
  EXPECT_EQ(wanted_at_login(), 0u);
  EXPECT_EQ(run("job run verify").code, 0);
  EXPECT_EQ(run("check --read-data").code, 0);
}

TEST_F(V4Jobs, only_who_backs_up_is_told_what_is_wanted) {
  auto reader = member(joined(*peer_, owner_, repository::Role::reader).member(owner_));
  EXPECT_EQ(ask(*reader, Request::wanted, v4::pb::Wanted()).as<v4::pb::Failure>().code(),
            static_cast<int>(Code::denied));
  auto writer = member(joined(*peer_, owner_, repository::Role::writer).member(owner_));
  EXPECT_TRUE(ask(*writer, Request::wanted, v4::pb::Wanted()).as<v4::pb::WantedReply>().last());
  v4::pb::Wanted wrong;
  wrong.set_after("short");
  EXPECT_EQ(ask(*writer, Request::wanted, wrong).as<v4::pb::Failure>().code(),
            static_cast<int>(Code::corrupt));
}

TEST_F(V4Jobs, an_operator_lists_runs_and_looks_back) {
  const Ran list = run("job list");
  EXPECT_EQ(list.code, 0);
  for (const char* job : {"retention", "collect", "compact", "verify", "clean", "watch"})
    EXPECT_THAT(list.out, HasSubstr(job));
  EXPECT_EQ(run("job run clean").code, 0);
  EXPECT_EQ(run("job run verify --dry-run --account alice").code, 0);
  const Ran history = run("job history clean --json");
  const auto runs = report::parse_json(history.out);
  ASSERT_TRUE(runs) << history.out;
  ASSERT_EQ(runs->size(), 1u);  // a dry run leaves no trace
  EXPECT_EQ((*runs)[0]["job"], "clean");
  EXPECT_EQ((*runs)[0]["outcome"], "done");
  EXPECT_THAT((*runs)[0]["asked_by"].get<std::string>(), HasSubstr("uid "));
  EXPECT_EQ(run("job run nonsense").code, 10);
  EXPECT_EQ(run("job run verify --account nobody").code, 10);
  EXPECT_EQ(run("job cancel verify").code, 1);
  EXPECT_THAT(run("status").out, HasSubstr("clean done at"));
  EXPECT_TRUE(log_.contains("event=job.end job=clean")) << log_.text();
}

TEST_F(V4Jobs, without_a_daemon_jobs_work_on_its_files) {
  peer_.reset();
  stop();
  damage(of_kind(BlobKind::node));
  const Ran found = run("job run verify");
  EXPECT_EQ(found.code, 1) << found.out;
  EXPECT_THAT(found.out, HasSubstr(of_kind(BlobKind::node).head.id.hex()));
  start();
  EXPECT_EQ(wanted_at_login(), 1u);
}

TEST_F(V4Jobs, nonsense_in_place_of_a_time_is_refused_where_it_stands) {
  change_config("[limits]", "[upkeep]\nverify = \"weekly sun 03:00\"\n\n[limits]");
  EXPECT_EQ(run("config check").code, 0);
  change_config("weekly sun 03:00", "weekly never");
  const Ran wrong = run("config check");
  EXPECT_EQ(wrong.code, 1) << wrong.out;
  EXPECT_THAT(wrong.out, HasSubstr("upkeep.verify"));
  EXPECT_THAT(wrong.out, HasSubstr("daily 02:30"));
}

}  // namespace
}  // namespace cb::server
