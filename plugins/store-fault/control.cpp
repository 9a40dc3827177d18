// SPDX-License-Identifier: Apache-2.0
//
// See control.h. The file is read at every call: it is small, and what the clock says of a file
// does not tell two changes within one tick apart.
#include "control.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "cyberbackup/cpp/failure.hpp"

namespace store_fault {

namespace sdk = cyberbackup::sdk;

namespace {

constexpr size_t kLongest = 65536;

class File {
 public:
  // Does not wait for a writer, should it be a pipe.
  explicit File(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string read_text(const std::string& path) {
  const File file(path);
  if (file.get() < 0 && errno == ENOENT) return {};
  if (file.get() < 0) throw sdk::os_failure(errno, path);
  struct ::stat info {};
  if (::fstat(file.get(), &info) != 0) throw sdk::os_failure(errno, path);
  if (!S_ISREG(info.st_mode)) throw sdk::Failure(CB_E_INVALID, path + ": is not a plain file");
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw sdk::os_failure(errno, path);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
    if (text.size() > kLongest) throw sdk::Failure(CB_E_LIMIT, path + ": is longer than 64 KiB");
  }
}

}  // namespace

bool Control::changed() {
  if (path_.empty()) return false;
  try {
    std::string text = read_text(path_);
    unreadable_ = false;
    if (text == text_) return false;
    text_ = std::move(text);
    return true;
  } catch (const sdk::Failure&) {
    if (unreadable_) return false;
    unreadable_ = true;
    throw;
  }
}

}  // namespace store_fault
