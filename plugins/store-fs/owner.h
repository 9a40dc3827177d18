// SPDX-License-Identifier: Apache-2.0
//
// Who made a temporary file: the file's name says so, and this tells whether that process still
// lives. Functions are thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace store_fs {

// A process, told apart from others that had or will have the same number.
struct Owner {
  int64_t pid = 0;
  uint64_t started = 0;    // ticks after boot, field 22 of /proc/PID/stat
  uint64_t boot = 0;       // the first 64 bits of the kernel's boot id
  uint64_t numbering = 0;  // the process-number namespace

  bool operator==(const Owner&) const = default;
};

// This process.
Owner this_process();

// "put-PID-STARTED-BOOT-NUMBERING-TAIL", and back. Nothing for names of another form.
std::string temporary_name(const Owner& owner, uint64_t tail);
std::optional<Owner> owner_of(std::string_view temporary_name);

enum class Life { dead, alive, unknown };

// Does the owner live? Unknown when it belongs to another boot or numbering than this process.
Life life_of(const Owner& owner, const Owner& self);

}  // namespace store_fs
