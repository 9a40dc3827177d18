// SPDX-License-Identifier: Apache-2.0
#include "core/server/daemon.h"

#include <seccomp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <utility>

#include "core/server/admin_commands.h"
#include "core/server/admin_server.h"
#include "core/server/daemon_fixture.h"

namespace cb::server {
namespace {

using std::chrono::seconds;

size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

class DaemonTest : public DaemonFolder {
 protected:
  void SetUp() override {
    const auto made = init();
    ASSERT_TRUE(made) << made.error().text();
  }

  std::unique_ptr<Daemon> start(std::vector<std::string> set = {}) {
    auto daemon = Daemon::start(settings(std::move(set)), seams_);
    EXPECT_TRUE(daemon) << daemon.error().text();
    return daemon ? std::move(*daemon) : nullptr;
  }

  [[nodiscard]] Result<report::Json> ask(const std::string& command = "status") const {
    return ask_daemon(folder_ / "admin.sock", command, seconds(10));
  }

  // Asks until as many sessions are served; false after a while.
  [[nodiscard]] bool has_sessions(const Daemon& daemon, size_t count) const {
    const auto end = std::chrono::steady_clock::now() + seconds(10);
    while (std::chrono::steady_clock::now() < end)
      if (daemon.status()["sessions"] == count) return true;
    return false;
  }
};

TEST_F(DaemonTest, serves_and_answers_its_operator) {
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  ASSERT_EQ(daemon->ports().size(), 1u);
  const TcpPeer peer(daemon->ports()[0]);
  ASSERT_TRUE(peer.connected());
  EXPECT_TRUE(has_sessions(*daemon, 1));
  const auto status = ask();
  ASSERT_TRUE(status) << status.error().text();
  EXPECT_EQ((*status)["sessions"], 1);
  EXPECT_EQ((*status)["pid"], ::getpid());
  EXPECT_EQ((*status)["listeners"][0]["port"], daemon->ports()[0]);
  EXPECT_EQ((*status)["listeners"][0]["connections"], 1);
  EXPECT_EQ((*status)["plugins"].size(), 5u);
  EXPECT_EQ((*status)["space"]["uploads_refused"], false);
  EXPECT_GT((*status)["space"]["free"], 0);
}

// Opens an admin socket in a process that may not change its mask; 0 when it has these permissions.
int open_socket_without_mask(const os::Path& path, std::vector<uint32_t> operators, mode_t mode,
                             log::Log& log) {
  void* const filter = ::seccomp_init(SCMP_ACT_ALLOW);
  if (::seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(umask), 0) != 0 ||
      ::seccomp_load(filter) != 0)
    return 77;
  stream::IoThreads threads(1);
  stream::Workers workers(1);
  struct stat info {};
  {
    const auto server =
        AdminServer::open(path, {&threads, &workers, &log, nullptr, std::move(operators)},
                          [](const auto&, const auto&) { return report::Json(); });
    if (!server || ::stat(path.c_str(), &info) != 0) return 1;
    (*server)->close();
    threads.stop();
    threads.join();
  }
  return (info.st_mode & 0777) == mode ? 0 : 2;
}

// The mask belongs to all threads: whoever made a folder meanwhile got one that cannot be entered.
TEST_F(DaemonTest, opens_its_socket_without_changing_what_other_threads_make) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "this sanitizer bears no threads after a fork";
#endif
  const std::vector<std::pair<std::vector<uint32_t>, mode_t>> cases = {{{}, 0600}, {{12345}, 0666}};
  for (const auto& [operators, mode] : cases) {
    const pid_t child = ::fork();
    if (child == 0)
      ::_exit(open_socket_without_mask(folder_ / "other.sock", operators, mode, log_));
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "ended with " << status;
  }
}

TEST_F(DaemonTest, gives_up_what_it_was_started_with_before_it_serves_anybody) {
  std::vector<std::string> order;
  seams_.binding = [&](const std::function<Status()>& bind) {
    order.emplace_back("bind");
    return bind();
  };
  seams_.before_serving = [&]() -> Status {
    order.emplace_back(ask() ? "served before" : "give up");
    return {};
  };
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  EXPECT_EQ(order, (std::vector<std::string>{"bind", "bind", "give up"}));
  EXPECT_TRUE(ask());
}

TEST_F(DaemonTest, does_not_serve_when_it_cannot_give_up_what_it_was_started_with) {
  seams_.before_serving = []() -> Status { return failed(Code::denied, "root", "clings"); };
  const auto daemon = Daemon::start(settings(), seams_);
  ASSERT_FALSE(daemon);
  EXPECT_EQ(daemon.error().object, "root");
}

TEST_F(DaemonTest, leaves_no_thread_descriptor_or_socket_behind) {
  start()->stop();  // whatever is made once per process is made now
  const uint64_t threads = os::thread_count();
  const size_t descriptors = open_descriptors();
  {
    const auto daemon = start();
    ASSERT_TRUE(daemon);
    const TcpPeer peer(daemon->ports()[0]);
    EXPECT_TRUE(has_sessions(*daemon, 1));
    daemon->stop();
    EXPECT_TRUE(peer.is_closed_by_peer());
    EXPECT_FALSE(TcpPeer(daemon->ports().empty() ? 1 : daemon->ports()[0]).connected());
    EXPECT_FALSE(std::filesystem::exists(folder_ / "admin.sock"));
  }
  EXPECT_EQ(os::thread_count(), threads);
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST_F(DaemonTest, the_number_of_threads_does_not_depend_on_clients) {
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  const uint64_t before = os::thread_count();
  std::vector<std::unique_ptr<TcpPeer>> peers;
  for (int i = 0; i < 50; ++i) peers.push_back(std::make_unique<TcpPeer>(daemon->ports()[0]));
  EXPECT_TRUE(has_sessions(*daemon, 50));
  EXPECT_EQ(os::thread_count(), before);
}

TEST_F(DaemonTest, draining_stops_accepting_and_ends_idle_sessions) {
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  const uint16_t port = daemon->ports()[0];
  const TcpPeer peer(port);
  EXPECT_TRUE(has_sessions(*daemon, 1));
  daemon->drain();
  EXPECT_TRUE(peer.is_closed_by_peer());
  EXPECT_FALSE(TcpPeer(port).connected());
  EXPECT_TRUE(log_.contains("event=drain.end sessions=0")) << log_.text();
}

TEST_F(DaemonTest, one_connection_too_many_is_closed_and_logged) {
  const auto daemon = start({"limits.connections=2"});
  ASSERT_TRUE(daemon);
  const TcpPeer one(daemon->ports()[0]);
  const TcpPeer two(daemon->ports()[0]);
  EXPECT_TRUE(has_sessions(*daemon, 2));
  const TcpPeer three(daemon->ports()[0]);
  EXPECT_TRUE(three.is_closed_by_peer());
  EXPECT_TRUE(log_.wait_for("event=connection.refused", seconds(10)));
  EXPECT_TRUE(log_.contains("cause=\"the limit of 2 connections is reached\"")) << log_.text();
}

TEST_F(DaemonTest, one_address_cannot_take_all_connections) {
  const auto daemon = start({"limits.connections_per_address=1"});
  ASSERT_TRUE(daemon);
  auto one = std::make_unique<TcpPeer>(daemon->ports()[0]);
  EXPECT_TRUE(has_sessions(*daemon, 1));
  EXPECT_TRUE(TcpPeer(daemon->ports()[0]).is_closed_by_peer());
  EXPECT_TRUE(log_.wait_for("the address' limit of 1", seconds(10))) << log_.text();
  one.reset();
  EXPECT_TRUE(has_sessions(*daemon, 0));
  const TcpPeer next(daemon->ports()[0]);
  EXPECT_TRUE(has_sessions(*daemon, 1));
}

TEST_F(DaemonTest, a_second_daemon_on_the_folder_is_refused) {
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  const auto second = Daemon::start(settings(), seams_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::busy);
  EXPECT_TRUE(ask());
}

TEST_F(DaemonTest, a_port_that_is_taken_is_named_with_its_line) {
  const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  socklen_t size = sizeof(at);
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(other, reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(other, 1), 0);
  ASSERT_EQ(::getsockname(other, reinterpret_cast<sockaddr*>(&at), &size), 0);
  const std::string port = std::to_string(ntohs(at.sin_port));
  const auto daemon = Daemon::start(settings({"listen.0.address=127.0.0.1:" + port}), seams_);
  ::close(other);
  ASSERT_FALSE(daemon);
  EXPECT_EQ(daemon.error().code, Code::busy) << daemon.error().text();
  EXPECT_NE(daemon.error().object.find("cyberbackupd.toml:"), std::string::npos)
      << daemon.error().text();
  EXPECT_FALSE(log_.contains("event=listener.open")) << log_.text();
}

TEST_F(DaemonTest, wrong_options_of_plugins_stop_it_before_any_listener_opens) {
  std::ofstream(folder_ / "cyberbackupd.toml", std::ios::app) << "\n[compress.zstd]\nlevle = 3\n";
  const auto daemon = Daemon::start(settings(), seams_);
  ASSERT_FALSE(daemon);
  EXPECT_EQ(daemon.error().code, Code::invalid);
  EXPECT_NE(daemon.error().cause.find("compress.zstd.levle: is not a known key (did you mean "
                                      "compress.zstd.level?)"),
            std::string::npos)
      << daemon.error().text();
  EXPECT_FALSE(log_.contains("listener.open"));
}

TEST_F(DaemonTest, a_plugin_that_is_not_there_is_named_with_the_line_of_its_use) {
  const auto daemon = Daemon::start(settings({"listen.0.transport=quic"}), seams_);
  ASSERT_FALSE(daemon);
  EXPECT_NE(daemon.error().cause.find("--set listen.0.transport: plugin transport-quic: "),
            std::string::npos)
      << daemon.error().text();
}

TEST_F(DaemonTest, a_server_key_that_others_can_read_is_refused) {
  std::filesystem::permissions(folder_ / "keys" / "server.key", std::filesystem::perms(0644));
  const auto daemon = Daemon::start(settings(), seams_);
  ASSERT_FALSE(daemon);
  EXPECT_EQ(daemon.error().code, Code::denied);
  EXPECT_EQ(daemon.error().advice, "chmod 600 " + (folder_ / "keys" / "server.key").string());
}

TEST_F(DaemonTest, a_full_store_is_said_in_status) {
  const auto daemon = start({"limits.reserve=1000TiB"});
  ASSERT_TRUE(daemon);
  const auto status = ask();
  ASSERT_TRUE(status);
  EXPECT_EQ((*status)["space"]["uploads_refused"], true);
  EXPECT_NE((*status)["space"]["reason"].get<std::string>().find("less than the reserve"),
            std::string::npos);
}

TEST_F(DaemonTest, reload_takes_over_limits_and_names_what_needs_a_restart) {
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  const TcpPeer one(daemon->ports()[0]);
  EXPECT_TRUE(has_sessions(*daemon, 1));
  ASSERT_TRUE(daemon->reload(settings({"limits.connections=1", "server.workers=7"})));
  EXPECT_TRUE(TcpPeer(daemon->ports()[0]).is_closed_by_peer());
  EXPECT_TRUE(log_.contains("warn event=reload.needs-restart key=server.workers")) << log_.text();
  EXPECT_EQ(log_.count("reload.needs-restart"), 1u) << log_.text();
}

TEST_F(DaemonTest, a_broken_reload_changes_nothing) {
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  std::ofstream(folder_ / "cyberbackupd.toml", std::ios::app) << "\n[store.fs]\n";
  std::ofstream(folder_ / "cyberbackupd.toml") << "[[listen]]\naddress = '127.0.0.1:0'\n"
                                               << "[store.fs]\nfolder = 'store'\nnothing = 1\n"
                                               << "[limits]\nconnections = 1\n";
  const Status done = daemon->reload(settings());
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().cause.find("store.fs.nothing: is not a known key"), std::string::npos);
  const TcpPeer one(daemon->ports()[0]);
  const TcpPeer two(daemon->ports()[0]);
  EXPECT_TRUE(has_sessions(*daemon, 2));
}

TEST_F(DaemonTest, a_tls_listener_closes_on_a_peer_that_speaks_something_else) {
  std::filesystem::remove_all(folder_);
  const auto made = init("sqlite", "", "127.0.0.1:0");
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->pin.size(), 64u);
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  const TcpPeer peer(daemon->ports()[0]);
  peer.send("this is not a handshake, it is a sentence\n");
  EXPECT_TRUE(peer.is_closed_by_peer());
  EXPECT_TRUE(log_.wait_for("event=session.handshake-failed", seconds(10))) << log_.text();
}

TEST_F(DaemonTest, a_peer_that_never_shakes_hands_is_closed) {
  std::filesystem::remove_all(folder_);
  ASSERT_TRUE(init("fs", "", "127.0.0.1:0"));
  const auto daemon = start({"limits.handshake_timeout=100ms"});
  ASSERT_TRUE(daemon);
  const TcpPeer peer(daemon->ports()[0]);
  EXPECT_TRUE(peer.is_closed_by_peer());
}

TEST_F(DaemonTest, an_unknown_admin_command_is_an_error) {
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  const auto answer = ask("dance");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text(),
            "command 'dance': is not known (known are: status, " + AdminCommands::names() + ")");
}

TEST_F(DaemonTest, without_a_daemon_status_says_so) {
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::not_found);
}

TEST_F(DaemonTest, a_socket_left_by_a_dead_daemon_is_replaced) {
  std::ofstream(folder_ / "admin.sock") << "";
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  EXPECT_TRUE(ask());
}

TEST_F(DaemonTest, a_folder_without_key_names_the_copy_of_it_and_init) {
  std::filesystem::remove(folder_ / "keys" / "server.key");
  const auto daemon = Daemon::start(settings(), seams_);
  ASSERT_FALSE(daemon);
  EXPECT_EQ(daemon.error().code, Code::not_found);
  EXPECT_EQ(daemon.error().advice,
            "bring the file back from your copy of keys/; for a new server: cyberbackupd init DIR");
}

}  // namespace
}  // namespace cb::server
