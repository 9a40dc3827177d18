// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/elf_file.h"

#include <algorithm>
#include <cstring>

namespace cb::check {
namespace {

tl::unexpected<Error> outside(const char* what) {
  return failed(Code::corrupt, "the file", std::string("its ") + what + " lies outside of it");
}

template <typename T>
Result<std::vector<T>> table_at(ByteView file, uint64_t offset, uint64_t size, const char* what) {
  if (offset > file.size() || size > file.size() - offset) return outside(what);
  std::vector<T> table(size / sizeof(T));
  if (!table.empty()) std::memcpy(table.data(), file.data() + offset, table.size() * sizeof(T));
  return table;
}

std::string text_at(std::string_view texts, uint64_t at) {
  if (at >= texts.size()) return {};
  texts.remove_prefix(at);
  return std::string(texts.substr(0, texts.find('\0')));
}

Result<std::string_view> texts_of(ByteView file, const std::vector<Elf64_Shdr>& sections,
                                  const Elf64_Shdr& of) {
  if (of.sh_link >= sections.size()) return outside("table of names");
  const Elf64_Shdr& names = sections[of.sh_link];
  if (names.sh_offset > file.size() || names.sh_size > file.size() - names.sh_offset)
    return outside("table of names");
  return as_text(file.subspan(names.sh_offset, names.sh_size));
}

void take_dynamic(ElfFile& elf, const std::vector<Elf64_Dyn>& entries, std::string_view texts) {
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_NULL) return;
    elf.dynamic.push_back(entry);
    if (entry.d_tag == DT_NEEDED) elf.needed.push_back(text_at(texts, entry.d_un.d_val));
    if (entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH) continue;
    std::string list = text_at(texts, entry.d_un.d_val);
    for (size_t colon = list.find(':'); colon != std::string::npos; colon = list.find(':')) {
      elf.folders.push_back(list.substr(0, colon));
      list.erase(0, colon + 1);
    }
    elf.folders.push_back(list);
  }
}

void take_symbols(ElfFile& elf, const std::vector<Elf64_Sym>& symbols, std::string_view texts) {
  for (const Elf64_Sym& symbol : symbols) {
    const auto bind = ELF64_ST_BIND(symbol.st_info);
    const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    if (bind == STB_LOCAL || symbol.st_name == 0) continue;
    if (visibility != STV_DEFAULT && visibility != STV_PROTECTED) continue;
    elf.symbols.push_back({text_at(texts, symbol.st_name), symbol.st_shndx != SHN_UNDEF,
                           bind == STB_WEAK,
                           symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS});
  }
}

}  // namespace

bool ElfFile::has_tag(Elf64_Sxword tag) const {
  return std::any_of(dynamic.begin(), dynamic.end(),
                     [&](const Elf64_Dyn& entry) { return entry.d_tag == tag; });
}

uint64_t ElfFile::value_of(Elf64_Sxword tag) const {
  uint64_t value = 0;
  for (const Elf64_Dyn& entry : dynamic)
    if (entry.d_tag == tag) value |= entry.d_un.d_val;
  return value;
}

Result<ElfFile> read_elf(ByteView file) {
  CB_ASSIGN(const auto headers, table_at<Elf64_Ehdr>(file, 0, sizeof(Elf64_Ehdr), "header"));
  const Elf64_Ehdr& header = headers.front();
  ElfFile elf;
  CB_ASSIGN(elf.segments,
            table_at<Elf64_Phdr>(file, header.e_phoff,
                                 uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), "segment table"));
  CB_ASSIGN(const auto sections,
            table_at<Elf64_Shdr>(file, header.e_shoff,
                                 uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), "section table"));
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNAMIC && section.sh_type != SHT_DYNSYM) continue;
    CB_ASSIGN(const std::string_view texts, texts_of(file, sections, section));
    if (section.sh_type == SHT_DYNAMIC) {
      CB_ASSIGN(const auto entries,
                table_at<Elf64_Dyn>(file, section.sh_offset, section.sh_size, "dynamic section"));
      take_dynamic(elf, entries, texts);
    } else {
      CB_ASSIGN(const auto symbols,
                table_at<Elf64_Sym>(file, section.sh_offset, section.sh_size, "symbol table"));
      take_symbols(elf, symbols, texts);
    }
  }
  return elf;
}

}  // namespace cb::check
