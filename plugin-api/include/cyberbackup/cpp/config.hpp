// SPDX-License-Identifier: Apache-2.0
//
// The values of a plugin's options, by position in the descriptor. A Config borrows: it is valid
// inside check and the constructor only, and so is the text it hands out. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cyberbackup/base.h"
#include "cyberbackup/cpp/failure.hpp"

namespace cyberbackup::sdk {

// The values of one cb_config, by position; refers to it.
class Config {
 public:
  // `config` outlives this value.
  explicit Config(const cb_config* config) noexcept : config_(config) {}

  // Was the option written, or does it have a default?
  [[nodiscard]] bool is_set(size_t index) const { return at(index).is_set != 0; }

  // The number of an INT, SIZE (bytes), DURATION (nanoseconds), BOOL, or an ENUM's index; 0 when
  // not set.
  [[nodiscard]] int64_t number(size_t index) const { return at(index).number; }
  // The value of a BOOL option.
  [[nodiscard]] bool boolean(size_t index) const { return at(index).number != 0; }

  // The text of a STRING, PATH, ENUM or SECRET, borrowed and followed by a zero byte; empty when
  // not set. Copy a secret into memory that the plugin wipes.
  [[nodiscard]] std::string_view text(size_t index) const {
    const cb_value& value = at(index);
    return value.text == nullptr ? std::string_view("")
                                 : std::string_view(value.text, value.length);
  }

  // The strings of a LIST; empty when not set.
  [[nodiscard]] std::vector<std::string> list(size_t index) const {
    std::vector<std::string> strings;
    std::string_view rest = text(index);
    while (!rest.empty()) {
      const size_t end = rest.find('\0');
      strings.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return strings;
  }

 private:
  // The stride is the host's: its cb_value may be longer than the one of these headers.
  [[nodiscard]] const cb_value& at(size_t index) const {
    if (index >= config_->count) throw Failure(CB_E_INTERNAL, "option index out of range");
    const auto* base = reinterpret_cast<const unsigned char*>(config_->values);
    return *reinterpret_cast<const cb_value*>(base + index * config_->value_size);
  }

  const cb_config* config_;
};

}  // namespace cyberbackup::sdk
