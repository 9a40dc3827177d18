// SPDX-License-Identifier: Apache-2.0
//
// The openssl program as a peer of tests. Used by one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace cb::test {

class OpensslTool {
 public:
  // Starts "openssl ARGUMENTS..." with its input, output and errors on pipes.
  explicit OpensslTool(const std::vector<std::string>& arguments);
  // Ends it, if it runs still.
  ~OpensslTool();
  OpensslTool(const OpensslTool&) = delete;
  OpensslTool& operator=(const OpensslTool&) = delete;

  void write(const std::string& text) const;
  // Waits for this text in what it prints; false when it ends or ten seconds pass before.
  bool wait_for(const std::string& text);
  // All that it has printed so far.
  [[nodiscard]] const std::string& printed() const { return printed_; }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string printed_;
};

}  // namespace cb::test
