// SPDX-License-Identifier: Apache-2.0
//
// See folder_reader.h.
#include "folder_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "descriptor.h"

namespace store_fs {

void read_folder(int folder, const std::function<void(const std::string&)>& each) {
  const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw_errno(errno, "cannot read a folder of the store");
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), ::closedir);
  if (!stream) {
    const int os_errno = errno;
    ::close(fd);
    throw_errno(os_errno, "cannot read a folder of the store");
  }
  for (;;) {
    errno = 0;
    const struct dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") each(name);
  }
  if (errno != 0) throw_errno(errno, "cannot read a folder of the store");
}

}  // namespace store_fs
