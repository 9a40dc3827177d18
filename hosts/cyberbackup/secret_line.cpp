// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/secret_line.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/os/file_system.h"
#include "hosts/cyberbackup/hidden_line.h"

namespace cb {
namespace {

class Terminal {
 public:
  static Result<Terminal> open(const SecretQuestion& question) {
    const int fd = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) return Terminal(fd);
    return failed(Code::denied, question.what, "cannot be asked for: there is no terminal",
                  question.advice);
  }
  Terminal(Terminal&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] Result<Secret> ask(const std::string& prompt, const std::string& what) const {
    CB_ASSIGN(Secret line, read_hidden_line(fd_, prompt));
    if (line.empty()) return failed(Code::invalid, what, "is empty", "type one");
    return line;
  }

 private:
  explicit Terminal(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace

Result<Secret> ask_secret(const SecretQuestion& question) {
  CB_ASSIGN(const Terminal terminal, Terminal::open(question));
  CB_ASSIGN(Secret first, terminal.ask(question.prompt, question.what));
  if (!question.twice) return first;
  CB_ASSIGN(const Secret second, terminal.ask("Once more: ", question.what));
  if (equal_in_constant_time(first.view(), second.view())) return first;
  return failed(Code::invalid, question.what, "was typed differently the second time", "try again");
}

Result<Secret> secret_of_file(const std::string& name, const std::string& what) {
  CB_ASSIGN(Secret content, os::read_secret_file(os::real_file_system(), name, kLongestHiddenLine));
  const std::string_view text = as_text(content.view());
  const size_t end = std::min(text.find_first_of("\r\n"), text.size());
  if (end == 0)
    return failed(Code::invalid, name, "holds no " + what, "write the " + what + " into it");
  const std::string_view rest = text.substr(end);
  if (!rest.empty() && rest != "\n" && rest != "\r\n")
    return failed(Code::invalid, name, "has more than one line",
                  "put the " + what + ", and nothing else, in one line");
  content.truncate(end);
  return content;
}

}  // namespace cb
