// SPDX-License-Identifier: Apache-2.0
//
// What the server of the simulated year told people: a file, so that what a process said before it
// was killed counts, too. Throws where a test cannot go on. Used by one thread of each process.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "core/server/events.h"

namespace cb::year {

struct ToldEvent {
  std::string kind;
  std::string account;
  std::string source;  // "DEVICE/HASH"; or "-"
  int64_t when_ns = 0;
};

class EventFile final : public server::EventSink {
 public:
  explicit EventFile(std::filesystem::path file) : file_(std::move(file)) {}

  // One write each, so that a kill leaves no half of a line.
  void post(server::Event event) override {
    const std::string line = event.kind + ' ' + (event.account.empty() ? "-" : event.account) +
                             ' ' + (event.source.empty() ? "-" : event.source) + ' ' +
                             std::to_string(event.when_ns) + '\n';
    const int out = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0 || ::write(out, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      throw std::runtime_error("an event cannot be noted");
    ::close(out);
  }

  [[nodiscard]] std::vector<ToldEvent> all() const {
    std::ifstream in(file_);
    std::vector<ToldEvent> events;
    for (ToldEvent one; in >> one.kind >> one.account >> one.source >> one.when_ns;)
      events.push_back(one);
    return events;
  }

 private:
  std::filesystem::path file_;
};

}  // namespace cb::year
