// SPDX-License-Identifier: Apache-2.0
//
// The control file: rules that an operator writes while the store is in use. Used by one thread at
// a time.
#pragma once

#include <string>
#include <string_view>

namespace store_fault {

class Control {
 public:
  // An empty path: there is no control file.
  explicit Control(std::string_view path) : path_(path) {}

  // Reads the file; is its text another one than last time? A missing file is an empty one. Throws
  // sdk::Failure when it cannot be read, once for as long as that lasts.
  bool changed();
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::string text_;
  bool unreadable_ = false;
};

}  // namespace store_fault
