// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/hidden_line.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace cb {
namespace {

constexpr const char* kTerminal = "terminal";

// A terminal that shows nothing and hands over every key, until this goes.
class Hushed {
 public:
  static Result<Hushed> make(int fd) {
    termios before{};
    if (::tcgetattr(fd, &before) != 0) return failed(fail_errno(errno, kTerminal, "read settings"));
    termios quiet = before;
    // Signals too: a program that ends here would leave the echo off.
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    if (::tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
      return failed(fail_errno(errno, kTerminal, "switch off the echo"));
    return Hushed(fd, before);
  }
  Hushed(Hushed&& other) noexcept : fd_(std::exchange(other.fd_, -1)), before_(other.before_) {}
  Hushed& operator=(Hushed&&) = delete;
  ~Hushed() {
    if (fd_ >= 0) ::tcsetattr(fd_, TCSANOW, &before_);
  }

 private:
  Hushed(int fd, const termios& before) : fd_(fd), before_(before) {}
  int fd_;
  termios before_;
};

Result<char> read_key(int fd) {
  char key = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, &key, 1);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return failed(fail_errno(errno, kTerminal, "read"));
  if (got == 0) return failed(Code::cancelled, kTerminal, "was closed");
  return key;
}

Status show(int fd, const std::string& text) {
  size_t at = 0;
  while (at < text.size()) {
    const ssize_t put = ::write(fd, text.data() + at, text.size() - at);
    if (put < 0 && errno != EINTR) return failed(fail_errno(errno, kTerminal, "write"));
    if (put > 0) at += static_cast<size_t>(put);
  }
  return {};
}

// Takes one key away that is more than one byte in UTF-8.
size_t without_last(ByteView line, size_t size) {
  while (size > 0 && (line[size - 1] & std::byte{0xc0}) == std::byte{0x80}) --size;
  return size == 0 ? 0 : size - 1;
}

Result<Secret> read_keys(int fd) {
  Secret line(kLongestHiddenLine);
  size_t size = 0;
  while (true) {
    CB_ASSIGN(const char key, read_key(fd));
    switch (key) {
      case '\n':
      case '\r':
        line.truncate(size);
        return line;
      case '\x03':
        return failed(Code::cancelled, "passphrase", "was not given");
      case '\x04':
        if (size == 0) return failed(Code::cancelled, "passphrase", "was not given");
        break;
      case '\x15':
        size = 0;
        break;
      case '\x08':
      case '\x7f':
        size = without_last(line.view(), size);
        break;
      default:
        if (size == kLongestHiddenLine)
          return failed(Code::limit, "passphrase", "is longer than 4,096 bytes");
        line.span()[size++] = static_cast<std::byte>(key);
    }
  }
}

}  // namespace

Result<Secret> read_hidden_line(int fd, const std::string& prompt) {
  CB_ASSIGN(const Hushed hushed, Hushed::make(fd));
  CB_TRY(show(fd, prompt));
  auto line = read_keys(fd);
  CB_TRY(show(fd, "\n"));
  return line;
}

}  // namespace cb
