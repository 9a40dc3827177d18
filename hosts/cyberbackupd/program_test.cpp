// SPDX-License-Identifier: Apache-2.0
//
// The program as a user meets it: real processes, real signals, exit codes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/report/json.h"
#include "tests/folders.h"

namespace cb::host {
namespace {

const std::string kProgram = test::program("cyberbackupd");

struct Finished {
  int exit_code = -1;
  std::string output;  // stdout and stderr
};

// A running cyberbackupd whose output can be waited for; killed at the end if it still runs.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments, const std::string& notify = "") {
    int pipe[2] = {-1, -1};
    EXPECT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(pipe[1], STDOUT_FILENO);
      ::dup2(pipe[1], STDERR_FILENO);
      if (!notify.empty()) ::setenv("NOTIFY_SOCKET", notify.c_str(), 1);
      std::vector<char*> raw = {const_cast<char*>(kProgram.c_str())};
      for (std::string& argument : arguments) raw.push_back(argument.data());
      raw.push_back(nullptr);
      ::execv(kProgram.c_str(), raw.data());
      ::_exit(127);
    }
    ::close(pipe[1]);
    out_ = pipe[0];
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_);
  }

  void signal(int number) const { ::kill(pid_, number); }

  // Reads until the text has come; false at the end of the output.
  bool wait_for(const std::string& text) {
    while (output_.find(text, seen_) == std::string::npos)
      if (!read_more()) return false;
    seen_ = output_.find(text, seen_) + text.size();
    return true;
  }

  Finished finish() {
    while (read_more()) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), output_};
  }

  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  bool read_more() {
    std::array<char, 4096> part{};
    const ssize_t count = ::read(out_, part.data(), part.size());
    if (count > 0) output_.append(part.data(), static_cast<size_t>(count));
    return count > 0;
  }

  pid_t pid_ = -1;
  int out_ = -1;
  std::string output_;
  size_t seen_ = 0;
};

class Program : public ::testing::Test {
 protected:
  Program()
      : folder_("/tmp/program-" + std::to_string(::getpid()) + "-" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()),
        config_(folder_ + "/cyberbackupd.toml") {
    std::filesystem::remove_all(folder_);
  }
  ~Program() override { std::filesystem::remove_all(folder_); }

  static Finished run(std::vector<std::string> arguments) {
    return Process(std::move(arguments)).finish();
  }
  void init() const {
    const Finished made = run({"init", folder_, "--listen-v3", "127.0.0.1:0"});
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }

  std::string folder_;
  std::string config_;
};

TEST_F(Program, init_then_serve_then_status_then_sigterm) {
  init();
  Process daemon({"serve", "--config", config_});
  ASSERT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
  const Finished status = run({"status", "--config", config_, "--json"});
  EXPECT_EQ(status.exit_code, 0) << status.output;
  const auto parsed = report::parse_json(status.output);
  ASSERT_TRUE(parsed) << status.output;
  EXPECT_EQ((*parsed)["sessions"], 0);
  daemon.signal(SIGTERM);
  const Finished done = daemon.finish();
  EXPECT_EQ(done.exit_code, 0) << done.output;
  EXPECT_NE(done.output.find("event=stopped"), std::string::npos) << done.output;
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/admin.sock"));
  EXPECT_EQ(run({"status", "--config", config_}).exit_code, 10);
}

TEST_F(Program, init_says_what_the_keys_are_for) {
  const Finished made = run({"init", folder_, "--listen-v4", "127.0.0.1:0"});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_NE(made.output.find("without it nothing that clients of protocol 3 sent"),
            std::string::npos)
      << made.output;
}

TEST_F(Program, tells_systemd_when_it_is_ready) {
  init();
  const std::string name = folder_ + "/notify";
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  Process daemon({"serve", "--config", config_}, name);
  std::array<char, 64> message{};
  const ssize_t size = ::recv(fd, message.data(), message.size(), 0);
  ::close(fd);
  EXPECT_EQ(std::string(message.data(), static_cast<size_t>(size)), "READY=1");
}

TEST_F(Program, a_broken_configuration_at_sighup_keeps_the_old_one) {
  init();
  Process daemon({"serve", "--config", config_});
  ASSERT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
  std::ofstream(config_, std::ios::app) << "conections = 5\n";
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.wait_for("event=reload.refused")) << daemon.output();
  ASSERT_TRUE(
      daemon.wait_for("limits.conections: is not a known key (did you mean "
                      "limits.connections?)"))
      << daemon.output();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.finish().exit_code, 0);
}

TEST_F(Program, sighup_reloads_a_good_configuration) {
  init();
  Process daemon({"serve", "--config", config_});
  ASSERT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
  std::ofstream(config_, std::ios::app) << "connections = 5\n";
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.wait_for("event=reload.done")) << daemon.output();
  daemon.signal(SIGINT);
  EXPECT_EQ(daemon.finish().exit_code, 0);
}

TEST_F(Program, a_wrong_configuration_stops_it_with_file_line_key_and_nearest_key) {
  init();
  std::ofstream(config_, std::ios::app) << "conections = 5\n";
  size_t lines = 0;
  std::ifstream file(config_);
  for (std::string line; std::getline(file, line);) ++lines;
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"serve"}, {"config", "check"}, {"status"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--config", config_});
    const Finished done = run(arguments);
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_EQ(done.output, "cyberbackupd: " + config_ + ":" + std::to_string(lines) +
                               ":1: limits.conections: is not a known key (did you mean "
                               "limits.connections?)\n");
  }
}

TEST_F(Program, a_second_daemon_exits_with_busy) {
  init();
  Process daemon({"serve", "--config", config_});
  ASSERT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
  EXPECT_EQ(run({"serve", "--config", config_}).exit_code, 11);
}

TEST_F(Program, it_can_be_killed_and_started_again) {
  init();
  {
    Process daemon({"serve", "--config", config_});
    ASSERT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.finish().exit_code, 128 + SIGKILL);
  }
  Process daemon({"serve", "--config", config_});
  EXPECT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
}

// Both signals wait while the program is stopped, so that none can come too late.
TEST_F(Program, a_second_signal_ends_it_at_once) {
  init();
  Process daemon({"serve", "--config", config_});
  ASSERT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
  daemon.signal(SIGSTOP);
  daemon.signal(SIGTERM);
  daemon.signal(SIGINT);
  daemon.signal(SIGCONT);
  const Finished done = daemon.finish();
  EXPECT_EQ(done.exit_code, 0) << done.output;
  EXPECT_NE(done.output.find("event=stop.at-once"), std::string::npos) << done.output;
  EXPECT_NE(done.output.find("event=stopped"), std::string::npos) << done.output;
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/admin.sock"));
}

TEST_F(Program, wrong_usage_exits_with_2) {
  EXPECT_EQ(run({}).exit_code, 2);
  EXPECT_EQ(run({"dance"}).exit_code, 2);
  EXPECT_EQ(run({"init"}).exit_code, 2);
  EXPECT_EQ(run({"legacy", "export"}).exit_code, 2);
}

TEST_F(Program, every_command_has_help_with_an_example) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"init"},
                                                  {"serve"},
                                                  {"status"},
                                                  {"config", "check"},
                                                  {"config", "show"},
                                                  {"config", "options"},
                                                  {"plugins", "list"},
                                                  {"plugins", "options"},
                                                  {"plugins", "pin"},
                                                  {"legacy", "list"},
                                                  {"legacy", "import"},
                                                  {"legacy", "export"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const Finished done = run(arguments);
    EXPECT_EQ(done.exit_code, 0);
    EXPECT_NE(done.output.find("Example:\n  cyberbackupd " + command[0]), std::string::npos)
        << done.output;
  }
  EXPECT_NE(run({"--help"}).output.find("13   server unreachable"), std::string::npos);
}

TEST_F(Program, pins_that_it_prints_are_pins_that_it_takes) {
  init();
  const Finished pins = run({"plugins", "pin", "--config", config_});
  ASSERT_EQ(pins.exit_code, 0) << pins.output;
  std::ofstream(config_, std::ios::app) << pins.output << "[plugins]\npins = \"enforce\"\n";
  const Finished good = run({"config", "check", "--config", config_});
  EXPECT_EQ(good.exit_code, 0) << good.output;
  EXPECT_EQ(good.output, config_ + ": good\n");
}

TEST_F(Program, bad_plugins_are_refused_with_their_reasons_and_the_daemon_serves_on) {
  init();
  const std::string plugins = folder_ + "/plugins";
  std::filesystem::copy(test::plugins(), plugins);
  for (const std::string name : {"aborts-in-constructor", "only-v2", "throws-in-init"})
    std::filesystem::copy(CB_BAD_PLUGIN_DIR "/" + name + ".so", plugins);
  std::ofstream(plugins + "/not-elf.so") << "hello\n";
  std::ofstream(config_, std::ios::app)
      << "[plugins]\ndir = \"plugins\"\nload = [\"aborts-in-constructor\", \"only-v2\", "
         "\"throws-in-init\", \"not-elf\"]\n";
  Process daemon({"serve", "--config", config_});
  ASSERT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
  const Finished status = run({"status", "--config", config_});
  EXPECT_EQ(status.exit_code, 0) << status.output;
  for (const std::string words : {"aborts-in-constructor was refused: ", "died of signal 6",
                                  "only-v2 was refused: ", "exports cb_plugin_entry_v2",
                                  "throws-in-init was refused: ", "init went wrong",
                                  "not-elf was refused: ", "is a text file"})
    EXPECT_NE(status.output.find(words), std::string::npos) << words << "\n" << status.output;
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.finish().exit_code, 0);
}

TEST_F(Program, a_bad_plugin_that_is_used_stops_the_daemon_with_its_reason) {
  init();
  const std::string plugins = folder_ + "/plugins";
  std::filesystem::copy(test::plugins(), plugins);
  std::filesystem::copy_file(CB_BAD_PLUGIN_DIR "/aborts-in-constructor.so",
                             plugins + "/transport-tcp.so",
                             std::filesystem::copy_options::overwrite_existing);
  std::ofstream(config_, std::ios::app) << "[plugins]\ndir = \"plugins\"\n";
  const Finished done = run({"serve", "--config", config_});
  EXPECT_EQ(done.exit_code, 1) << done.output;
  EXPECT_NE(done.output.find("transport-tcp.so: crashes while it is loaded"), std::string::npos)
      << done.output;
}

TEST_F(Program, the_printed_sample_is_a_valid_configuration) {
  init();
  const Finished sample = run({"config", "options", "--toml"});
  ASSERT_EQ(sample.exit_code, 0);
  const std::string file = folder_ + "/sample.toml";
  std::ofstream(file) << sample.output;
  const Finished shown =
      run({"config", "show", "--config", file, "--set", "listen.0.address=127.0.0.1:0"});
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
}

TEST_F(Program, an_old_server_is_taken_over_without_a_daemon_and_planned_beside_one) {
  init();
  const std::string old = test::data("legacy/samples/o2-clean");
  const std::vector<std::string> import = {"legacy",  "import", "--db",     old + "/defensive.db",
                                           "--files", old,      "--config", config_};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = import;
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  };
  {
    Process daemon({"serve", "--config", config_});
    ASSERT_TRUE(daemon.wait_for("\nready\n")) << daemon.output();
    const Finished refused = with({});
    EXPECT_EQ(refused.exit_code, 11) << refused.output;
    EXPECT_NE(refused.output.find("end it first"), std::string::npos) << refused.output;
    const Finished planned = with({"--dry-run"});
    EXPECT_EQ(planned.exit_code, 0) << planned.output;
    EXPECT_NE(planned.output.find("nothing was changed"), std::string::npos) << planned.output;
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.finish().exit_code, 0);
  }
  const Finished done = with({"--report", folder_ + "/report.json"});
  EXPECT_EQ(done.exit_code, 0) << done.output;
  EXPECT_NE(done.output.find("3 files (195.7 KiB) imported"), std::string::npos) << done.output;
  std::ostringstream written;
  written << std::ifstream(folder_ + "/report.json").rdbuf();
  const auto report = report::parse_json(written.str());
  ASSERT_TRUE(report) << written.str();
  EXPECT_EQ((*report)["counts"]["files"], 3);
  const Finished list = run({"legacy", "list", "--config", config_});
  EXPECT_NE(list.output.find("poem.txt"), std::string::npos) << list.output;
  EXPECT_NE(list.output.find("2026-11-23T16:46:15Z"), std::string::npos) << list.output;
  const Finished again = with({"--json"});
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_NE(again.output.find("\"there\":3"), std::string::npos) << again.output;
}

TEST_F(Program, an_import_of_nothing_or_of_another_database_is_refused) {
  init();
  EXPECT_EQ(run({"legacy", "import", "--config", config_}).exit_code, 2);
  const Finished foreign =
      run({"legacy", "import", "--db", folder_ + "/catalog.sqlite", "--config", config_});
  EXPECT_EQ(foreign.exit_code, 1) << foreign.output;
  EXPECT_NE(foreign.output.find("has no tables clients and files"), std::string::npos)
      << foreign.output;
  EXPECT_EQ(run({"legacy", "import", "--files", folder_ + "/none", "--config", config_}).exit_code,
            10);
}

TEST_F(Program, a_report_of_old_clients_is_text_json_or_metrics) {
  init();
  const Finished text = run({"legacy", "report", "--config", config_});
  EXPECT_EQ(text.exit_code, 0) << text.output;
  EXPECT_TRUE(text.output.ends_with(": safe to switch to secure\nsafe\n")) << text.output;
  const Finished json = run({"legacy", "report", "--json", "--since", "7d", "--config", config_});
  const auto parsed = report::parse_json(json.output);
  ASSERT_TRUE(parsed) << json.output;
  EXPECT_EQ((*parsed)["safe"], true);
  EXPECT_EQ((*parsed)["since_ns"], 7 * 24 * 3600 * int64_t{1'000'000'000});
  const Finished metrics = run({"legacy", "report", "--metrics", "--config", config_});
  EXPECT_EQ(metrics.exit_code, 0) << metrics.output;
  EXPECT_NE(metrics.output.find("\ncyberbackup_legacy_safe 1\n"), std::string::npos)
      << metrics.output;
}

TEST_F(Program, commands_about_old_clients_say_what_is_wrong_with_them) {
  init();
  EXPECT_EQ(run({"legacy", "report", "--since", "soon", "--config", config_}).exit_code, 1);
  EXPECT_EQ(run({"legacy", "report", "--json", "--metrics", "--config", config_}).exit_code, 2);
  EXPECT_EQ(run({"legacy", "ratchet", "--config", config_}).exit_code, 0);
  EXPECT_EQ(run({"legacy", "ratchet", "bob", "--config", config_}).exit_code, 10);
  EXPECT_EQ(run({"legacy", "ratchet", "--lift", "bob", "--config", config_}).exit_code, 10);
  EXPECT_EQ(run({"legacy", "ratchet", "--lift", "bob", "--close", "bob"}).exit_code, 2);
  EXPECT_EQ(run({"legacy", "ratchet", "--for", "7d"}).exit_code, 2);
  EXPECT_EQ(run({"legacy", "allow", "--config", config_}).exit_code, 2);
  EXPECT_EQ(run({"legacy", "allow", "bob", "--config", config_}).exit_code, 10);
  EXPECT_EQ(run({"token", "create", "--config", config_}).exit_code, 2);
  EXPECT_EQ(run({"token", "create", "--account", "a", "--legacy", "b"}).exit_code, 2);
  EXPECT_EQ(run({"token", "create", "--legacy", "bob", "--config", config_}).exit_code, 10);
}

TEST_F(Program, unknown_clients_and_plugins_exit_with_10) {
  init();
  EXPECT_EQ(run({"legacy", "list", "--config", config_}).exit_code, 0);
  EXPECT_EQ(
      run({"legacy", "export", "--client", "bob", "--to", folder_ + "/out", "--config", config_})
          .exit_code,
      10);
  EXPECT_EQ(run({"plugins", "options", "store-tape", "--config", config_}).exit_code, 10);
  EXPECT_EQ(run({"serve", "--config", folder_ + "/none.toml"}).exit_code, 10);
}

TEST_F(Program, errors_are_json_when_asked_for) {
  const Finished done = run({"status", "--json", "--config", "/nonexistent.toml"});
  EXPECT_EQ(done.exit_code, 10);
  const auto parsed = report::parse_json(done.output);
  ASSERT_TRUE(parsed) << done.output;
  EXPECT_EQ((*parsed)["error"]["code"], "not-found");
}

}  // namespace
}  // namespace cb::host
