// SPDX-License-Identifier: Apache-2.0
//
// Prints, for every file named on standard input (zero-terminated), where its data lies:
// "NAME: begin-end ...", so that two trees can be compared with their holes. Edges are rounded
// outwards to 4 KiB, the unit in which file systems keep holes.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>

namespace {

constexpr off_t kUnit = 4096;

int print_map(const std::string& name) {
  const int fd = ::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    std::perror(name.c_str());
    return 1;
  }
  std::string line = name + ":";
  off_t last_end = -1;
  for (off_t at = ::lseek(fd, 0, SEEK_DATA); at >= 0; at = ::lseek(fd, at, SEEK_DATA)) {
    const off_t end = ::lseek(fd, at, SEEK_HOLE);
    const off_t from = at / kUnit * kUnit;
    const off_t to = (end + kUnit - 1) / kUnit * kUnit;
    if (from != last_end) line += " " + std::to_string(from) + "-";
    last_end = to;
    at = end;
    const off_t next = ::lseek(fd, at, SEEK_DATA);
    if (next != end) line += std::to_string(to);
    if (next < 0) break;
  }
  ::close(fd);
  std::cout << line << '\0';
  return 0;
}

}  // namespace

int main() {
  int failed = 0;
  std::string name;
  while (std::getline(std::cin, name, '\0')) failed |= print_map(name);
  return failed;
}
