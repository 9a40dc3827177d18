// SPDX-License-Identifier: Apache-2.0
//
// A house with all that the table of damage is about: a daemon's folder, devices of an account with
// their profiles and caches, an old client, a witness, and a copy of everything as it was some time
// before. It always lies at the same place: each process that works on one has its own view of that
// path, and a network of its own, so several go on side by side. One thread; throws
// std::runtime_error.
#pragma once

#include <map>
#include <string>

#include "tests/damage/program.h"

namespace cb::damage {

// Bytes of a file that is one piece of its own and never changes.
constexpr size_t kSameFile = 600'000;

// Folders of one run of the test, below the system's folder for temporary files.
class Ground {
 public:
  Ground();  // makes it; needs root
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;
  ~Ground();  // removes all of it

  // May a process have a view of the file system of its own, and a network? Mostly root may.
  static bool may_move_in();

  // Where every house is seen.
  [[nodiscard]] std::string house() const { return folder_ + "/house"; }
  // Where the houses see what is backed up, the same for all; with "-first", the tree as it was at
  // first. Snapshots have the folders above, too: in a folder that changes no two were the same.
  [[nodiscard]] static std::string sources() { return "/mnt/sources"; }
  // Where one of this name really lies.
  [[nodiscard]] std::string place(const std::string& name) const { return folder_ + "/" + name; }
  // Writes the sources as the first backup is to find them, or the later ones.
  void write_sources(bool later) const;
  // Copies a house.
  void copy(const std::string& from, const std::string& to) const;
  // From here on this process, and what it starts, sees the folder as the house, and has no network
  // but its own. Ends the process with a message when the system refuses.
  void move_in(const std::string& folder) const;

 private:
  [[nodiscard]] std::string written() const { return folder_ + "/written/sources"; }

  std::string folder_;
};

class Estate {
 public:
  Estate(std::string house, std::string sources)
      : house_(std::move(house)), sources_(std::move(sources)) {}

  [[nodiscard]] const std::string& house() const { return house_; }
  [[nodiscard]] std::string in_house(const std::string& below) const {
    return house_ + "/" + below;
  }
  [[nodiscard]] const std::string& sources() const { return sources_; }

  // Makes it all in the empty house: with the first sources, then with the later ones.
  void begin(const std::string& store);
  void go_on();

  // `cyberbackupd` with the configuration of the house, whether or not a daemon runs.
  [[nodiscard]] Ended server(Words arguments) const;
  // `cyberbackup` on the machine of a device.
  [[nodiscard]] Ended client(const std::string& device, Words arguments) const;
  [[nodiscard]] Ended rescue(Words arguments) const;
  // Starts the daemon. False when it does not get ready; then it has ended, and said why.
  bool start();
  [[nodiscard]] std::string daemon_log() const;
  Ended stop();
  [[nodiscard]] bool is_running() const { return daemon_.is_there(); }

  // What was noted when it was made: ids of snapshots ("first", "second", "newest", "writer").
  void note(const std::string& key, const std::string& value);
  [[nodiscard]] std::string noted(const std::string& key) const;

 private:
  void make_daemon(const std::string& store);
  void make_devices();
  void make_old_state();
  void make_new_state();
  void make_leftovers();
  void crash();
  std::string must_server(Words arguments);
  std::string must_client(const std::string& device, Words arguments);
  void join(const std::string& device, const std::string& role);

  std::string house_;
  std::string sources_;
  Running daemon_;
};

std::string last_line(std::string text);
// A file that changed within two seconds of a scan is read again: waits until this one has not.
void let_settle(const std::string& file);

}  // namespace cb::damage
