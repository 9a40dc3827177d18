// SPDX-License-Identifier: Apache-2.0
//
// The scan of hostile files: whatever the bytes say, it answers and stays inside of them. What it
// says to each kind of wrong file is tested with the bad plugins.
#include "core/plugin/scan.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

namespace cb::plugin {
namespace {

// This very test is an ELF file of the right kind, though no plugin.
std::string this_program() {
  std::ifstream from("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(from), {}};
}

// A small file with all parts that the scan reads: header, one segment, sections, symbols, names.
std::string small_plugin() {
  constexpr std::string_view kNames("\0cb_plugin_entry_v1\0", 20);
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
#if defined(__aarch64__)
  header.e_machine = EM_AARCH64;
#else
  header.e_machine = EM_X86_64;
#endif
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  Elf64_Sym symbols[2]{};
  symbols[1].st_name = 1;
  symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
  symbols[1].st_shndx = 1;
  const size_t symbols_at = sizeof header + sizeof segment;
  const size_t names_at = symbols_at + sizeof symbols;
  header.e_shoff = names_at + kNames.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  Elf64_Shdr sections[3]{};
  sections[1].sh_type = SHT_DYNSYM;
  sections[1].sh_offset = symbols_at;
  sections[1].sh_size = sizeof symbols;
  sections[1].sh_link = 2;
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = names_at;
  sections[2].sh_size = kNames.size();
  segment.p_filesz = header.e_shoff + sizeof sections;
  std::string file;
  const auto add = [&](const void* part, size_t size) {
    file.append(static_cast<const char*>(part), size);
  };
  add(&header, sizeof header);
  add(&segment, sizeof segment);
  add(symbols, sizeof symbols);
  file += kNames;
  add(sections, sizeof sections);
  return file;
}

Status scan_text(const std::string& text) {
  // In memory of just that size, so that a sanitizer sees the first byte too far.
  const Bytes exact = to_bytes(as_bytes(text));
  return scan(exact, "plugin x.so");
}

TEST(Scan, the_smallest_plugin_passes) {
  const Status done = scan_text(small_plugin());
  EXPECT_TRUE(done) << done.error().text();
}

TEST(Scan, a_program_without_entry_is_no_plugin) {
  EXPECT_EQ(scan_text(this_program()).error().code, Code::invalid);
}

TEST(Scan, every_truncation_is_refused) {
  const std::string whole = small_plugin();
  for (size_t size = 0; size < whole.size(); ++size) {
    const Status done = scan_text(whole.substr(0, size));
    ASSERT_FALSE(done) << size;
    EXPECT_EQ(done.error().code, Code::corrupt) << size << done.error().text();
  }
}

TEST(Scan, every_byte_may_lie) {
  const std::string whole = small_plugin();
  for (size_t at = 0; at < whole.size(); ++at)
    for (const int value : {0, 1, 0x7f, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      const Status done = scan_text(changed);
      EXPECT_TRUE(done || !done.error().cause.empty());
    }
}

TEST(Scan, random_changes_are_survived) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string whole = small_plugin();
  for (int round = 0; round < 20000; ++round) {
    std::string changed = whole;
    for (unsigned flips = random() % 8 + 1; flips > 0; --flips)
      changed[random() % changed.size()] = static_cast<char>(random());
    const Status done = scan_text(changed);
    EXPECT_TRUE(done || !done.error().cause.empty());
  }
}

}  // namespace
}  // namespace cb::plugin
