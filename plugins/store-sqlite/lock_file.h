// SPDX-License-Identifier: Apache-2.0
//
// Who is at work, told across processes by locks on bytes of the file FILE-locks, which the system
// drops when a process ends, however it ends. The file stays empty. Thread-safe.
//
//   byte = a content's number        shared: somebody reads it, so its segments must stay
//   byte = 2^62 + an owner's number  exclusive: the store that began a content is still open
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace store_sqlite {

class LockFile {
 public:
  explicit LockFile(const std::string& database);
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

  // Takes an owner's number for the life of this object; false when another has it.
  bool own(int64_t owner);
  // Does an open store have this owner's number?
  bool is_owned(int64_t owner);

  // Keeps a content from being deleted until unpin; false while somebody is about to delete it.
  bool pin(int64_t content);
  void unpin(int64_t content) noexcept;
  // Does nobody read this content? It is dead already, so nobody begins to.
  bool is_unread(int64_t content);

 private:
  // Sets or drops a lock without waiting; errno.
  int set(int64_t byte, short type) noexcept;
  bool lock(int64_t byte, short type);

  int fd_ = -1;
  int64_t owner_ = -1;
  std::mutex mutex_;
  // Under mutex_: locks of one open file do not exclude each other, so readers here are counted.
  std::map<int64_t, uint64_t> readers_;
};

}  // namespace store_sqlite
