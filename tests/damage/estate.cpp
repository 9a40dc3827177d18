// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/estate.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <random>
#include <stdexcept>

#include "tests/folders.h"

namespace cb::damage {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBigFile = 3 * 1024 * 1024;
constexpr size_t kPage = 4096;

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "damage_test: %s: %s (run it as root)\n", what.c_str(),
               std::strerror(errno));
  std::exit(1);
}

// The same at each call.
std::string bytes_of(uint64_t seed, size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (size_t at = 0; at + 8 <= size; at += 8) {
    const uint64_t word = random();
    std::memcpy(bytes.data() + at, &word, 8);
  }
  return bytes;
}

}  // namespace

Ground::Ground() {
  std::string made = (fs::temp_directory_path() / "cyberbackup-damage-XXXXXX").string();
  if (::mkdtemp(made.data()) == nullptr) refuse("cannot make " + made);
  folder_ = made;
  fs::create_directories(house());
}

Ground::~Ground() {
  std::error_code trouble;
  fs::remove_all(folder_, trouble);
}

void Ground::write_sources(bool later) const {
  const fs::path tree = fs::path(written()) / "tree";
  if (!later) {
    fs::create_directories(tree / "small");
    fs::create_directories(fs::path(written()) / "writer");
    fs::create_directories(fs::path(written()) / "v3");
    for (int i = 0; i < 12; ++i)
      write_file((tree / "small" / std::to_string(i)).string(), bytes_of(100 + i, 10'000));
    write_file((tree / "big").string(), bytes_of(7, kBigFile));
    write_file((tree / "same").string(), bytes_of(6, kSameFile));
    write_file(written() + "/writer/file", bytes_of(8, 50'000));
    write_file(written() + "/v3/note", bytes_of(9, 40'000));
    return;
  }
  fs::copy(tree, written() + "-first", fs::copy_options::recursive);
  std::string big = content_of((tree / "big").string());
  for (size_t at = 5 * kPage; at + kPage < big.size(); at += 16 * kPage)
    big.replace(at, kPage, bytes_of(1000 + at, kPage));
  write_file((tree / "big").string(), big);
  write_file((tree / "later").string(), bytes_of(10, 30'000));
  write_file(written() + "/v3/note", bytes_of(11, 40'000));
}

void Ground::copy(const std::string& from, const std::string& to) const {
  fs::remove_all(place(to));
  const Ended copied = run({"cp", "-a", place(from), place(to)});
  if (copied.exit_code != 0) throw std::runtime_error("cannot copy: " + copied.output);
}

bool Ground::may_move_in() {
  const pid_t child = ::fork();
  if (child == 0)
    ::_exit(::unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 &&
                    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
                ? 0
                : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

void Ground::move_in(const std::string& folder) const {
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) refuse("no view of its own");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) refuse("no private mounts");
  const auto show = [](const std::string& what, const std::string& where) {
    if (::mount(what.c_str(), where.c_str(), nullptr, MS_BIND, nullptr) != 0)
      refuse("cannot show " + what);
  };
  show(folder, house());
  show(folder_ + "/written", "/mnt");
  const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  if (any < 0 || ::ioctl(any, SIOCSIFFLAGS, &loopback) != 0) refuse("no network of its own");
  ::close(any);
}

Ended Estate::server(Words arguments) const {
  Words command = {test::program("cyberbackupd")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--config", in_house("daemon/cyberbackupd.toml")});
  return run(command);
}

Ended Estate::client(const std::string& device, Words arguments) const {
  Words command = {test::program("cyberbackup")};
  if (arguments.front() != "--reach-timeout")
    command.insert(command.end(), {"--reach-timeout", "10s"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  const std::string folder = in_house(device);
  return run(
      command,
      {"HOME=" + folder, "TMPDIR=" + folder, "CYBERBACKUP_CONFIG_DIR=" + folder + "/config",
       "CYBERBACKUP_CACHE_DIR=" + folder + "/cache", "CYBERBACKUP_PLUGIN_DIR=" + test::plugins(),
       "CYBERBACKUP_PASSPHRASE_FILE=" + folder + "/passphrase"});
}

Ended Estate::rescue(Words arguments) const {
  Words command = {test::program("cyberbackup-rescue")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command, {"CYBERBACKUP_PLUGIN_DIR=" + test::plugins()});
}

bool Estate::start() {
  daemon_.start(
      {test::program("cyberbackupd"), "serve", "--config", in_house("daemon/cyberbackupd.toml")},
      {}, in_house("daemon.log"));
  return daemon_.wait_for("event=ready");
}

std::string Estate::daemon_log() const { return content_of(in_house("daemon.log")); }

Ended Estate::stop() { return daemon_.stop(); }

void Estate::note(const std::string& key, const std::string& value) {
  fs::create_directories(in_house("notes"));
  write_file(in_house("notes/" + key), value);
}

std::string Estate::noted(const std::string& key) const {
  return content_of(in_house("notes/" + key));
}

void let_settle(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) throw std::runtime_error("cannot look at " + file);
  constexpr timespec kMoment{0, 50'000'000};
  while (std::time(nullptr) < info.st_ctim.tv_sec + 4) ::nanosleep(&kMoment, nullptr);
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace cb::damage
