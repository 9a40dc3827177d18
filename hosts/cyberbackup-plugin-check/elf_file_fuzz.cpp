// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a plugin's file, as the conformance kit looks at it behind the host's scan: segments
// and names, or an error.
#include "core/plugin/scan.h"
#include "hosts/cyberbackup-plugin-check/elf_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const cb::ByteView file(reinterpret_cast<const std::byte*>(data), size);
  if (!cb::plugin::scan(file, "f")) return 0;
  const auto elf = cb::check::read_elf(file);
  if (!elf) return 0;
  for (const auto& name : elf->needed)
    if (name.find('\0') != std::string::npos) __builtin_trap();
  (void)elf->has_tag(DT_NEEDED);
  return 0;
}
