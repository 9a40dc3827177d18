// SPDX-License-Identifier: Apache-2.0
#include "tests/trust/house.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/repository/signatures.h"
#include "tests/folders.h"

namespace cb::trust {
namespace {

namespace fs = std::filesystem;

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> raw;
  for (std::string& text : texts) raw.push_back(text.data());
  raw.push_back(nullptr);
  return raw;
}

std::string content_of(const os::Path& file) {
  std::ostringstream all;
  all << std::ifstream(file, std::ios::binary).rdbuf();
  return all.str();
}

std::string base64(const std::string& text) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t at = 0; at + 3 <= text.size(); at += 3) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) bits = bits << 8 | static_cast<unsigned char>(text[at + i]);
    for (int shift = 18; shift >= 0; shift -= 6) out += digits[bits >> shift & 63];
  }
  return out;
}

// A word as it may lie in a file: plain, hex, and base64 at each of its three beginnings.
std::vector<std::string> forms_of(const std::string& word) {
  return {word, to_hex(as_bytes(word)), base64(word), base64(word.substr(1)),
          base64(word.substr(2))};
}

// Those given, and of this process what they leave.
std::vector<std::string> variables_of(const std::vector<std::string>& given) {
  const auto name = [](std::string_view variable) {
    return variable.substr(0, variable.find('='));
  };
  std::vector<std::string> all = given;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("CYBERBACKUP_") &&
        std::none_of(given.begin(), given.end(),
                     [&](const std::string& one) { return name(one) == name(*entry); }))
      all.emplace_back(*entry);
  return all;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

Finished run_program(std::vector<std::string> command,
                     const std::vector<std::string>& environment) {
  std::vector<std::string> variables = variables_of(environment);
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, command.front().c_str(), &actions, nullptr,
                                    pointers(command).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  Finished finished;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; failed == 0 && (got = ::read(ends[0], part.data(), part.size())) > 0;)
    finished.output.append(part.data(), static_cast<size_t>(got));
  ::close(ends[0]);
  int status = 0;
  if (failed == 0 && ::waitpid(pid, &status, 0) == pid)
    finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

Files files_below(const os::Path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files.emplace(entry.path().lexically_relative(folder).string(),
                    to_bytes(as_bytes(content_of(entry.path()))));
  return files;
}

std::vector<std::string> finds(const os::Path& folder, const std::vector<std::string>& words) {
  std::vector<std::string> found;
  for (const auto& [path, bytes] : files_below(folder))
    for (const std::string& word : words)
      for (const std::string& form : forms_of(word))
        if ((path + "\n").append(as_text(bytes)).find(form) != std::string::npos) {
          found.push_back(word + " in " + path);
          break;
        }
  return found;
}

House::House() : machines_(folder_.string() + "-machines") {
  fs::remove_all(machines_);
  start({"v4.hellos_per_minute=6000"});
  change_config("127.0.0.1:0", "127.0.0.1:" + std::to_string(port()));
}

House::~House() {
  daemon_.reset();
  fs::remove_all(machines_);
}

void House::restart() {
  stop();
  start({"v4.hellos_per_minute=6000"});
}

Finished House::client(const std::string& name, std::vector<std::string> arguments) const {
  const os::Path folder = machine(name);
  std::vector<std::string> command = {"unshare",
                                      "--uts",
                                      "sh",
                                      "-c",
                                      "hostname \"$0\" && exec \"$@\"",
                                      "host-of-" + name,
                                      test::program("cyberbackup"),
                                      "--reach-timeout",
                                      "20s"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_program(std::move(command),
                     {"HOME=" + folder.string(), "TMPDIR=" + folder.string(),
                      "CYBERBACKUP_CONFIG_DIR=" + (folder / "config").string(),
                      "CYBERBACKUP_CACHE_DIR=" + (folder / "cache").string(),
                      "CYBERBACKUP_PLUGIN_DIR=" + test::plugins(),
                      "CYBERBACKUP_PASSPHRASE_FILE=" + (folder / "passphrase").string()});
}

std::string House::done(const std::string& name, std::vector<std::string> arguments) const {
  std::string what;
  for (const std::string& argument : arguments) what += " " + argument;
  Finished finished = client(name, std::move(arguments));
  if (finished.exit_code != 0)
    throw std::runtime_error(name + ":" + what + ": exit " + std::to_string(finished.exit_code) +
                             ": " + finished.output);
  return std::move(finished.output);
}

void House::enroll_owner() {
  write(machine("owner") / "passphrase", "the passphrase of the owner\n");
  done("owner", {"enroll", last_line(token("alice")), "--name", "name-of-owner"});
}

std::string House::invite(const std::string& name, const std::string& role) const {
  std::istringstream lines(
      done("owner", {"--quiet", "device", "invite", "--role", role, "--name", "name-of-" + name}));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("cbi1.")) return line;
  throw std::runtime_error("there is no invite");
}

void House::join(const std::string& name, const std::string& invite) const {
  write(machine(name) / "passphrase", "the passphrase of " + name + "\n");
  done(name, {"enroll", invite});
}

std::string House::back_up(const std::string& name, const os::Path& tree) const {
  return last_line(done(name, {"--quiet", "backup", tree.string()}));
}

void House::expect_restores(const std::string& name, const std::string& snapshot,
                            const os::Path& tree, const Files& files) const {
  const os::Path target = machine(name) / "restored";
  fs::remove_all(target);
  const Finished restored =
      client(name, {"restore", snapshot + ":" + tree.string(), "--target", target.string()});
  EXPECT_EQ(restored.exit_code, 0) << name << ": " << restored.output;
  if (restored.exit_code != 0) return;
  EXPECT_TRUE(files_below(target) == files) << name << " restores other files than were saved";
}

client::Profile House::profile(const std::string& name) const {
  return must(client::load_profile(os::real_file_system(),
                                   machine(name) / "config" / "profiles" / "default"));
}

repository::DeviceId House::device(const std::string& name) const {
  const auto key = must(identity::SigningKey::from_seed(profile(name).device_seed.view()));
  return repository::device_of(key.public_key());
}

void House::write(const os::Path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

std::string House::text_of(const std::string& word, size_t size) {
  std::string text;
  for (size_t line = 0; text.size() < size; ++line)
    text += "line " + std::to_string(line) + " about " + word + "\n";
  return text;
}

}  // namespace cb::trust
