// SPDX-License-Identifier: Apache-2.0
//
// An account as people have it, for tests that attack it: the real daemon over TLS, and machines
// that run the real client program, each with folders and a host name of its own. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/client/profile.h"
#include "tests/v4/v4_server.h"

namespace cb::trust {

struct Finished {
  int exit_code = -1;
  std::string output;  // stdout and stderr
};
// A program with its arguments and some environment beside that of this process; no input.
Finished run_program(std::vector<std::string> command,
                     const std::vector<std::string>& environment = {});

using Files = std::map<std::string, Bytes>;  // by path below the folder
// The regular files below a folder.
Files files_below(const os::Path& folder);
// Of each file that has one of the words in it, as it is, in hex or in base64: "WORD in FILE".
std::vector<std::string> finds(const os::Path& folder, const std::vector<std::string>& words);

class House : public server::V4Server {
 protected:
  House();  // starts the daemon
  ~House() override;

  // Ends the daemon and starts it again, on the same port.
  void restart();

  // The folder of a machine, with config/, cache/ and passphrase; its home and temporary folder,
  // too.
  [[nodiscard]] os::Path machine(const std::string& name) const { return machines_ / name; }
  // Runs `cyberbackup` there.
  [[nodiscard]] Finished client(const std::string& name, std::vector<std::string> arguments) const;
  // The same for what must end well; its output.
  std::string done(const std::string& name, std::vector<std::string> arguments) const;
  // The first owner, on the machine "owner", named "name-of-owner".
  void enroll_owner();
  // A further device, named so for the owners: the text of its invite, and how it comes.
  [[nodiscard]] std::string invite(const std::string& name, const std::string& role) const;
  void join(const std::string& name, const std::string& invite) const;
  void let_in(const std::string& name, const std::string& role) const {
    join(name, invite(name, role));
  }
  // Backs a tree up; the snapshot's id.
  std::string back_up(const std::string& name, const os::Path& tree) const;
  // Does the machine get exactly these files back?
  void expect_restores(const std::string& name, const std::string& snapshot, const os::Path& tree,
                       const Files& files) const;

  [[nodiscard]] client::Profile profile(const std::string& name) const;
  [[nodiscard]] repository::DeviceId device(const std::string& name) const;

  // Writes a file, with its folders.
  static void write(const os::Path& file, const std::string& text);
  // A text of some length with a word in every line.
  static std::string text_of(const std::string& word, size_t size);

  const os::Path machines_;
};

}  // namespace cb::trust
