// SPDX-License-Identifier: Apache-2.0
//
// See leftovers.h.
#include "leftovers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <string>

#include "folder_reader.h"

namespace store_fs {

namespace {

bool untouched_for(int folder, const std::string& name, std::chrono::nanoseconds age) {
  struct stat info {};
  struct timespec now {};
  if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0) return false;
  const auto idle = std::chrono::seconds(now.tv_sec - info.st_mtim.tv_sec);
  return idle > age;
}

bool is_leftover(int folder, const std::string& name, const Owner& self,
                 std::chrono::nanoseconds age) {
  const auto owner = owner_of(name);
  if (!owner) return false;
  switch (life_of(*owner, self)) {
    case Life::dead:
      return true;
    case Life::alive:
      return false;
    case Life::unknown:
      return untouched_for(folder, name, age);
  }
  return false;
}

}  // namespace

void remove_leftovers(const Descriptor& temporaries, const Owner& self,
                      std::chrono::nanoseconds age, const cyberbackup::sdk::Host& host) {
  uint64_t removed = 0;
  read_folder(temporaries.get(), [&](const std::string& name) {
    if (is_leftover(temporaries.get(), name, self, age) &&
        ::unlinkat(temporaries.get(), name.c_str(), 0) == 0)
      ++removed;
  });
  if (removed > 0)
    host.log(CB_LOG_INFO,
             "removed " + std::to_string(removed) + " unfinished objects of processes that ended");
}

}  // namespace store_fs
