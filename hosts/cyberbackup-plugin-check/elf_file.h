// SPDX-License-Identifier: Apache-2.0
//
// What an ELF file says to the dynamic linker: its segments, the libraries it needs and its
// symbols. For files that passed the host's scan. Functions are pure.
#pragma once

#include <elf.h>

#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace cb::check {

struct DynamicSymbol {
  std::string name;
  bool defined = false;
  bool weak = false;
  bool in_section = false;  // defined in the file, not a mere number (the name of a version)
};

struct ElfFile {
  std::vector<Elf64_Phdr> segments;
  std::vector<Elf64_Dyn> dynamic;    // up to DT_NULL
  std::vector<std::string> needed;   // DT_NEEDED
  std::vector<std::string> folders;  // DT_RPATH and DT_RUNPATH, split
  std::vector<DynamicSymbol> symbols;

  [[nodiscard]] bool has_tag(Elf64_Sxword tag) const;
  // All bits of the values of `tag`, or-ed.
  [[nodiscard]] uint64_t value_of(Elf64_Sxword tag) const;
};

// Code::corrupt when something lies outside of the file.
Result<ElfFile> read_elf(ByteView file);

}  // namespace cb::check
