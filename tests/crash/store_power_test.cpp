// SPDX-License-Identifier: Apache-2.0
//
// Takes the power from a disk at random moments while a process puts, replaces and removes objects:
// an ext4 file system in an image is shut down without writing what was not synced. Every object is
// whole or absent afterwards, and what was acknowledged is there. Needs root, loop devices and
// mkfs.ext4; skipped, with the reason, without them. One thread.
//
// CB_POWER_ROUNDS (default 8) and CB_KILL_SEED set length and course.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>

#include "tests/crash/churn_watch.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

// EXT4_IOC_SHUTDOWN, and its way that forgets even the log of the file system.
constexpr unsigned long kShutdown = _IOR('X', 125, uint32_t);
constexpr uint32_t kWithoutFlush = 2;

// From now on this process alone sees what it mounts. Whoever else takes a copy of the mounts, as a
// container does, would keep the disk alive, and without power, past the time that it is unmounted.
bool has_own_mounts() {
  static const bool done = ::unshare(CLONE_NEWNS) == 0 &&
                           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return done;
}

// A disk of its own in a file. What was not synced is lost with cut_power.
class ImageDisk {
 public:
  explicit ImageDisk(const os::Path& folder) : image_(folder / "image"), at_(folder / "disk") {
    if (!has_own_mounts()) return;
    std::filesystem::create_directory(at_);
    run("truncate -s 256M " + image_.string());
    run("mkfs.ext4 -q -F " + image_.string() + " 2>/dev/null");
    mount();
  }
  ImageDisk(const ImageDisk&) = delete;
  ImageDisk& operator=(const ImageDisk&) = delete;
  ~ImageDisk() { unmount(); }

  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const os::Path& path() const { return at_; }

  bool cut_power() {
    const int fd = ::open(at_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t how = kWithoutFlush;
    const bool done = fd >= 0 && ::ioctl(fd, kShutdown, &how) == 0;
    if (fd >= 0) ::close(fd);
    return done;
  }
  void power_up() {
    unmount();
    if (mounted_) return failed_to_unmount();
    mount();
  }

 private:
  void failed_to_unmount() {
    ADD_FAILURE() << at_ << " cannot be unmounted: " << std::strerror(errno);
  }
  static bool run(const std::string& command) { return std::system(command.c_str()) == 0; }
  void mount() {
    mounted_ = run("mount -o loop " + image_.string() + " " + at_.string() + " 2>&1");
  }
  // Whoever was killed may hold the disk for a moment longer.
  void unmount() {
    constexpr int kTries = 500;
    constexpr int kPauseMs = 10;
    for (int tries = 0; mounted_ && tries < kTries; ++tries) {
      mounted_ = ::umount2(at_.c_str(), 0) != 0;
      if (mounted_ && errno != EBUSY) return;
      if (mounted_) ::poll(nullptr, 0, kPauseMs);
    }
  }

  os::Path image_;
  os::Path at_;
  bool mounted_ = false;
};

class StorePower : public testing::TestWithParam<const char*> {};

TEST_P(StorePower, what_was_acknowledged_survives_a_loss_of_power) {
  const TemporaryFolder folder;
  ImageDisk disk(folder.path());
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount an ext4 image; needs root and loop devices";
  const uint64_t rounds = number_of("CB_POWER_ROUNDS", 8);
  const uint64_t seed = number_of("CB_KILL_SEED", std::random_device{}());
  SCOPED_TRACE("CB_KILL_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  ChurnWatch watch;
  for (uint64_t round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Child child(GetParam(), disk.path(), "churn", round + 1);
    ASSERT_TRUE(watch.hear(child, 20 + random() % 60));
    // It stands still first: what it says, it said before the cut.
    child.stop();
    if (!disk.cut_power()) GTEST_SKIP() << "cannot shut the disk down: " << std::strerror(errno);
    child.kill();
    child.wait();
    watch.hear_rest(child);
    disk.power_up();
    ASSERT_TRUE(disk.mounted());
    Subject subject(GetParam(), disk.path());
    plugin::Store store = value(subject.open());
    EXPECT_EQ(watch.look(store), "");
    EXPECT_EQ(subject.leftovers(), 0u);
  }
  EXPECT_GT(watch.acknowledged(), rounds);
}

INSTANTIATE_TEST_SUITE_P(stores, StorePower, testing::Values("store-fs", "store-sqlite"),
                         test_name);

}  // namespace
}  // namespace cb::test
