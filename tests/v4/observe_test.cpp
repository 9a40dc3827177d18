// SPDX-License-Identifier: Apache-2.0
//
// What a real daemon shows of itself: its pages, the list of its metrics in the manual and on the
// dashboard, and that its log holds no secret.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "core/repository/pairing_token.h"
#include "tests/folders.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using testing::HasSubstr;
using testing::StartsWith;
using v4::Request;
using v4::Response;

std::string file_text(const os::Path& path) {
  std::ostringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

os::Path top() { return os::Path(test::data()) / ".." / ".."; }

class V4Observe : public V4Server {
 protected:
  void start_observed(std::vector<std::string> set = {}) {
    set.emplace_back("observe.listen=127.0.0.1:0");
    start(std::move(set));
  }
  // The whole answer.
  [[nodiscard]] std::string get(const std::string& path) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(daemon_->observe_port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string all;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
      const std::string text = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
      (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      std::array<char, 4096> part{};
      while (true) {
        const ssize_t got = ::recv(fd, part.data(), part.size(), 0);
        if (got <= 0) break;
        all.append(part.data(), static_cast<size_t>(got));
      }
    }
    ::close(fd);
    return all;
  }
  [[nodiscard]] std::string body(const std::string& path) const {
    const std::string all = get(path);
    const size_t at = all.find("\r\n\r\n");
    return at == std::string::npos ? "" : all.substr(at + 4);
  }
  // One backup, so that there is something to count.
  void back_up(const V4Owner& owner, V4Peer& peer) {
    const V4Blobs blobs(50'000, 2);
    uint32_t id = 10;
    for (const auto& blob : blobs.all) peer.put(id++, blob.head, blob.stored);
    peer.request(Request::commit, id, blobs.commit(owner));
    ASSERT_EQ(peer.answer()->code, Response::commit);
    // A request is counted after its answer.
    peer.request(Request::counts, id + 1);
    ASSERT_EQ(peer.answer()->code, Response::counts);
  }
  // The names of all metrics, as their # TYPE lines tell.
  [[nodiscard]] std::set<std::string> metric_names() const {
    std::set<std::string> names;
    std::istringstream lines(body("/metrics"));
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("# TYPE ")) names.insert(line.substr(7, line.find(' ', 7) - 7));
    return names;
  }
};

TEST_F(V4Observe, there_are_no_pages_unless_the_configuration_says_so) {
  start();
  EXPECT_EQ(daemon_->observe_port(), 0);
  EXPECT_FALSE(try_start({"observe.listen=0.0.0.0:0"}));
  EXPECT_FALSE(try_start({"observe.listen=example.org:80"}));
}

TEST_F(V4Observe, health_and_readiness_are_told) {
  start_observed();
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(body("/health"), "ok\n");
  EXPECT_THAT(get("/ready"), StartsWith("HTTP/1.1 200 "));
  const Json ready = report::parse_json(body("/ready")).value();
  EXPECT_EQ(ready["ready"], true);
  EXPECT_EQ(ready["checks"]["catalog"], "ok");
  stop();
  // More than any disk has.
  start_observed({"limits.reserve=8388607TiB"});
  EXPECT_THAT(get("/ready"), StartsWith("HTTP/1.1 503 "));
  EXPECT_NE(report::parse_json(body("/ready")).value()["checks"]["space"], "ok");
  EXPECT_THAT(body("/metrics"), HasSubstr("\ncyberbackup_uploads_refused 1\n"));
}

TEST_F(V4Observe, a_store_in_maintenance_is_not_ready) {
  start_observed({"store.mode=read-only"});
  EXPECT_THAT(get("/ready"), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(report::parse_json(body("/ready")).value()["checks"]["mode"], "the store is read-only");
  EXPECT_THAT(body("/metrics"), HasSubstr("\ncyberbackup_store_mode{mode=\"read-only\"} 1\n"));
}

TEST_F(V4Observe, numbers_follow_what_happens) {
  start_observed();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  back_up(owner, *peer);
  const std::string page = body("/metrics");
  EXPECT_THAT(page, HasSubstr("\ncyberbackup_sessions{protocol=\"4\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\ncyberbackup_enrolments_total 1\n"));
  EXPECT_THAT(page, HasSubstr("\ncyberbackup_commits_total 1\n"));
  EXPECT_THAT(page, HasSubstr("\ncyberbackup_blobs_received_total 5\n"));
  EXPECT_THAT(page, HasSubstr("\ncyberbackup_snapshots 1\n"));
  EXPECT_THAT(page, HasSubstr("\ncyberbackup_request_duration_seconds_count{protocol=\"4\","
                              "request=\"2024\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("cyberbackup_plugin_calls_total{plugin=\"store-fs\"} "));
  auto stranger = this->peer();
  (void)stranger->login(V4Owner::make());
  EXPECT_TRUE(stranger->ended());
  const std::string after = body("/metrics");
  EXPECT_THAT(after, HasSubstr("\ncyberbackup_logins_refused_total 1\n"));
  EXPECT_THAT(after, HasSubstr("cyberbackup_request_failures_total{protocol=\"4\",code=\""));
}

TEST_F(V4Observe, the_page_is_what_prometheus_wants) {
  if (std::system("promtool --version > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is not installed";
  start_observed();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  back_up(owner, *peer);
  const os::Path file = folder_ / "metrics";
  std::ofstream(file) << body("/metrics");
  const std::string line = "promtool check metrics < " + file.string() + " 2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  std::string said;
  std::array<char, 4096> part{};
  while (const size_t got = std::fread(part.data(), 1, part.size(), pipe))
    said.append(part.data(), got);
  EXPECT_EQ(WEXITSTATUS(::pclose(pipe)), 0) << said;
  EXPECT_EQ(said, "");
}

TEST_F(V4Observe, the_manual_lists_every_metric_and_the_dashboard_no_other) {
  start_observed();
  const std::set<std::string> names = metric_names();
  EXPECT_GT(names.size(), 40U);
  std::set<std::string> listed;
  const std::string manual = file_text(top() / "docs" / "operations.md");
  const std::regex row("\\n\\| `(cyberbackup_[a-z0-9_]+)` \\|");
  for (std::sregex_iterator at(manual.begin(), manual.end(), row), end; at != end; ++at)
    listed.insert((*at)[1]);
  EXPECT_EQ(names, listed);
  const std::string board = file_text(top() / "dashboards" / "cyberbackup.json");
  ASSERT_TRUE(report::parse_json(board));
  const std::regex used("cyberbackup_[a-z0-9_]+");
  size_t uses = 0;
  for (std::sregex_iterator at(board.begin(), board.end(), used), end; at != end; ++at, ++uses) {
    std::string name = at->str();
    if (!names.contains(name))
      name = std::regex_replace(name, std::regex("_(bucket|count|sum)$"), "");
    EXPECT_TRUE(names.contains(name)) << at->str();
  }
  EXPECT_GT(uses, 30U);
}

TEST_F(V4Observe, diagnostics_tell_what_went_wrong_and_no_secret) {
  start_observed();
  auto stranger = peer();
  (void)stranger->login(V4Owner::make());
  EXPECT_TRUE(stranger->ended());
  const std::string page = body("/diagnostics");
  const Json all = report::parse_json(page).value();
  EXPECT_EQ(all["checks"]["store"], "ok");
  EXPECT_THAT(all["settings"]["server.data"].get<std::string>(), HasSubstr(folder_.string()));
  EXPECT_FALSE(all["plugins"].empty());
  EXPECT_LE(all["audit"]["waiting"], 1);  // the stranger's may be on its way
  EXPECT_THAT(report::json_line(all["troubles"]), HasSubstr("v4.login.refused"));
  EXPECT_THAT(page, testing::Not(HasSubstr("PRIVATE KEY")));
}

// Secrets of a whole life of an account, looked for in the log at its most talkative.
TEST_F(V4Observe, the_log_and_the_pages_hold_no_secret) {
  start_observed({"log.level=trace"});
  const std::string text = token("alice");
  const auto token = repository::parse_pairing_token(text).value();
  V4Owner owner = V4Owner::make();
  auto peer = this->peer();
  ASSERT_EQ(peer->enroll(owner, text)->code, Response::enroll);
  back_up(owner, *peer);
  set_password("alice", "correct horse");
  const V4Invited phone = joined(*peer, owner, repository::Role::writer);
  auto person = this->peer();
  (void)person->hello();
  v4::pb::PasswordLogin login;
  login.set_account("alice");
  login.set_password("correct horse");
  (void)ask(*person, Request::password_login, login);
  login.set_password("wrong horse");
  auto guesser = this->peer();
  (void)guesser->hello();
  (void)ask(*guesser, Request::password_login, login);
  auto again = member(owner);
  std::vector<std::string> secrets = {"correct horse", "wrong horse", text, "$argon2"};
  for (const ByteView secret :
       {token.secret.view(), owner.root.seed().view(), owner.key.seed().view(),
        phone.key.seed().view(), phone.invite_key.seed().view(), ByteView(phone.proof)}) {
    secrets.push_back(to_hex(secret));
    secrets.push_back(to_base64(secret).substr(0, 40));
    secrets.emplace_back(as_text(secret));
  }
  for (const std::string& file : {std::string("signing.key"), std::string("server.key")}) {
    const std::string key = file_text(folder_ / "keys" / file);
    secrets.push_back(to_hex(as_bytes(key)).substr(0, 64));
    if (key.size() >= 16) secrets.push_back(key.substr(0, 32));
  }
  const std::string audit = report::json_line(admin({{"command", "audit.list"}}).value());
  const std::string shown = log_.text() + body("/metrics") + body("/diagnostics") + audit;
  EXPECT_THAT(shown, HasSubstr("v4.enrolled"));
  for (const std::string& secret : secrets) {
    ASSERT_FALSE(secret.empty());
    EXPECT_EQ(shown.find(secret), std::string::npos) << to_hex(as_bytes(secret));
  }
}

}  // namespace
}  // namespace cb::server
