// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup send` as a user meets it: a real process, its output and its exit code.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/folders.h"
#include "tests/v3-client/bench.h"

namespace cb::testing {
namespace {

using v3::Reply;
using v3::Request;

struct Finished {
  int exit_code = -1;
  std::string output;  // stdout and stderr
};

class SendProgram : public Bench {
 protected:
  // Starts the program in the folder of the test.
  void start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"cyberbackup", "send"});
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    int pipe_ends[2] = {-1, -1};
    ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    const std::string home = folder_.string();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(pipe_ends[1], STDOUT_FILENO);
      dup2(pipe_ends[1], STDERR_FILENO);
      setenv("CYBERBACKUP_CONFIG_DIR", (home + "/config").c_str(), 1);
      setenv("CYBERBACKUP_CACHE_DIR", (home + "/cache").c_str(), 1);
      unsetenv("CYBERBACKUP_PLUGIN_DIR");
      if (chdir(home.c_str()) == 0) execv(test::program("cyberbackup").c_str(), raw.data());
      _exit(127);
    }
    close(pipe_ends[1]);
    out_ = pipe_ends[0];
  }

  Finished finish() {
    Finished finished;
    char part[4096];
    for (ssize_t got = 0; (got = ::read(out_, part, sizeof part)) > 0;)
      finished.output.append(part, static_cast<size_t>(got));
    close(out_);
    int status = 0;
    waitpid(pid_, &status, 0);
    finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return finished;
  }

  Finished run(std::vector<std::string> arguments) {
    start(std::move(arguments));
    return finish();
  }

  ScriptedServer::Script kind_server() {
    return [this](Peer& peer) {
      if (!known_) side_.register_client(peer, id_);
      if (known_) side_.reconnect(peer, id_);
      known_ = true;
      for (;;) {
        side_.answer_file(peer, id_, peer.read_file());
        peer.expect(Request::checksum_right);
        peer.reply(Reply::acknowledged, {id_.view()});
      }
    };
  }

  static std::string address(const ScriptedServer& server) {
    return "127.0.0.1:" + std::to_string(server.port());
  }

  const ClientId id_ = id_of(3);
  ServerSide side_{suites().sha256};
  bool known_ = false;
  std::atomic<pid_t> pid_{-1};
  int out_ = -1;
};

TEST_F(SendProgram, keeps_one_identity_for_a_name_in_the_configuration_folder) {
  make_file("note.txt", "hello");
  for (int round = 0; round < 2; ++round) {
    ScriptedServer server(kind_server());
    const auto done = run({"--server", address(server), "--name", "alice", "note.txt"});
    EXPECT_EQ(done.exit_code, 0) << done.output;
    EXPECT_NE(done.output.find("note.txt: confirmed"), std::string::npos) << done.output;
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "config/legacy/alice/me.info"));
}

TEST_F(SendProgram, without_arguments_does_as_the_old_client_did) {
  make_file("note.txt", "hello");
  for (int round = 0; round < 2; ++round) {
    ScriptedServer server(kind_server());
    make_file("transfer.info", address(server) + "\r\nBob Old\r\nnote.txt\r\n");
    const auto done = run({"--quiet"});
    EXPECT_EQ(done.exit_code, 0) << done.output;
    EXPECT_EQ(done.output, "");
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "me.info"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "priv.key"));
}

TEST_F(SendProgram, writes_json_lines_and_tells_what_could_not_be_read) {
  make_file("note.txt", "hello");
  ScriptedServer server(kind_server());
  const auto done =
      run({"--json", "--server", address(server), "--name", "alice", "missing", "note.txt"});
  EXPECT_EQ(done.exit_code, 3) << done.output;
  EXPECT_NE(done.output.find(R"("file":"note.txt","outcome":"confirmed")"), std::string::npos);
  EXPECT_NE(done.output.find(R"("files":2,"confirmed":1,)"), std::string::npos) << done.output;
}

TEST_F(SendProgram, exits_as_documented) {
  const auto file = make_file("note.txt", "hello").string();
  EXPECT_EQ(run({}).exit_code, 10);  // no transfer.info
  EXPECT_EQ(run({"--bogus"}).exit_code, 2);
  EXPECT_EQ(run({"--server", "h:1", "--name", "a"}).exit_code, 2);
  EXPECT_EQ(run({"--server", "h:1", "--name", "a", "--piece-size", "17", file}).exit_code, 2);
  EXPECT_EQ(run({"--server", "h:1", "--name", "a", "--pin", "00", file}).exit_code, 2);
  EXPECT_EQ(run({"--server", "h:1", "--name", "a", file, file}).exit_code, 2);
  const auto refused = std::to_string(refused_port());
  const auto down = run({"--server", "127.0.0.1:" + refused, "--name", "a", file});
  EXPECT_EQ(down.exit_code, 13) << down.output;
  ScriptedServer taken([](Peer& peer) {
    peer.expect(Request::sign_up);
    peer.reply(Reply::sign_up_refused);
  });
  EXPECT_EQ(run({"--server", address(taken), "--name", "a", file}).exit_code, 12);
}

TEST_F(SendProgram, says_not_confirmed_when_no_acknowledgement_comes) {
  make_file("note.txt", "hello");
  ScriptedServer server([this](Peer& peer) {
    side_.register_client(peer, id_);
    side_.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.wait_for_end();
  });
  const auto done = run(
      {"--server", address(server), "--name", "alice", "--confirm-timeout", "50ms", "note.txt"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_NE(done.output.find("note.txt: not confirmed"), std::string::npos) << done.output;
}

TEST_F(SendProgram, stops_cleanly_on_sigint) {
  make_file("note.txt", "hello");
  ScriptedServer server([this](Peer& peer) {
    side_.register_client(peer, id_);
    peer.read_file();
    kill(pid_, SIGINT);
    peer.wait_for_end();
  });
  start({"--server", address(server), "--name", "alice", "note.txt"});
  const auto done = finish();
  EXPECT_EQ(done.exit_code, 130) << done.output;
  EXPECT_NE(done.output.find("interrupted"), std::string::npos);
}

TEST_F(SendProgram, helps_with_an_example) {
  const auto help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.output.find("cyberbackup send --server backup.example:1256 --name alice"),
            std::string::npos);
}

}  // namespace
}  // namespace cb::testing
