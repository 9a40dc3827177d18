// SPDX-License-Identifier: Apache-2.0
//
// When devices were last seen. Log-ins note it here and do not wait for the catalog, which one
// thread tells of all that were seen meanwhile in one go. A crash of the machine loses the newest
// moments, which decide nothing. Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "core/catalog/accounts.h"
#include "core/log/log.h"
#include "core/repository/ids.h"

namespace cb::server {

class LastSeen {
 public:
  // Both outlive it.
  LastSeen(catalog::Accounts& accounts, log::Log& log) : accounts_(accounts), log_(log) {}
  ~LastSeen();  // as close()
  LastSeen(const LastSeen&) = delete;
  LastSeen& operator=(const LastSeen&) = delete;

  // Begins to write what is noted, on a thread of its own. Without it, only flush() writes.
  void start();
  // Ends the thread and writes what is left.
  void close();

  // Does not block.
  void note(const repository::DeviceId& device, int64_t seen_ns);
  // Writes what was noted before; blocks. What cannot be written is dropped, with a warning.
  void flush();

 private:
  void run();

  catalog::Accounts& accounts_;
  log::Log& log_;
  std::mutex writing_;  // held while the catalog is written; taken before mutex_
  std::mutex mutex_;
  std::condition_variable noted_;
  // Guarded by mutex_:
  std::map<repository::DeviceId, int64_t> seen_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace cb::server
