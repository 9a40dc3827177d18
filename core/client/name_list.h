// SPDX-License-Identifier: Apache-2.0
//
// The names of a folder in order, in little memory: of a folder that has more than fit, the first
// ones, and the rest by listing it again. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/os/tree.h"

namespace cb::client {

class NameList {
 public:
  // Reads the names after `after` ("" for all), as many of the first ones as fit into `limit`
  // bytes, at least one.
  static Result<NameList> read(os::Folder& folder, const std::string& after, size_t limit);

  // Order does not matter.
  void add(std::string_view name, os::NameKind kind);
  void sort();

  [[nodiscard]] size_t size() const { return places_.size(); }
  // Good until the list changes.
  [[nodiscard]] std::string_view name(size_t i) const;
  [[nodiscard]] os::NameKind kind(size_t i) const;
  // Are there names after the last one?
  [[nodiscard]] bool cut() const { return cut_; }
  // Memory it takes.
  [[nodiscard]] size_t bytes() const;

 private:
  [[nodiscard]] std::string_view at(uint32_t place) const;
  void keep_smaller_half();

  std::string text_;              // for each name: kind, length, name
  std::vector<uint32_t> places_;  // of the names in text_
  bool cut_ = false;
};

}  // namespace cb::client
