// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/scan.h"

#include <elf.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "cyberbackup/version.h"

namespace cb::plugin {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kThisMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kThisMachine = EM_AARCH64;
#else
#error "the plugin loader does not know this machine's ELF number"
#endif

constexpr std::string_view kEntryPrefix = "cb_plugin_entry_v";
constexpr std::string_view kRebuild = "build or install it again";
// More than any real library has; bounds the work for a made-up one.
constexpr size_t kMostSymbols = 4U << 20;

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "x86 (32 bit)";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "ARM (32 bit)";
    case EM_AARCH64:
      return "AArch64";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "PowerPC 64";
    case EM_S390:
      return "s390x";
    default:
      return "machine " + std::to_string(machine);
  }
}

// Reads a T at `offset`, if it lies in the file.
template <typename T>
std::optional<T> read_at(ByteView file, uint64_t offset) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

bool lies_inside(ByteView file, uint64_t offset, uint64_t size) {
  return offset <= file.size() && size <= file.size() - offset;
}

// One file under scrutiny.
class Scan {
 public:
  Scan(ByteView file, const std::string& object) : file_(file), object_(object) {}

  Status run() {
    CB_TRY(check_is_elf());
    CB_TRY(check_header());
    CB_TRY(check_segments());
    CB_TRY(find_entries());
    return judge_entries();
  }

 private:
  [[nodiscard]] tl::unexpected<Error> corrupt(const std::string& why) const {
    return failed(Code::corrupt, object_, why, std::string(kRebuild));
  }

  [[nodiscard]] tl::unexpected<Error> truncated(const std::string& part) const {
    return corrupt("is truncated: its " + part + " lies past the end of the file (" +
                   std::to_string(file_.size()) + " bytes)");
  }

  Status check_is_elf() const {
    if (file_.empty()) return corrupt("is an empty file, not a plugin");
    const std::string_view text = as_text(file_.first(std::min<size_t>(file_.size(), 64)));
    if (text.substr(0, SELFMAG) == std::string_view(ELFMAG, SELFMAG)) return {};
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t' || c == '\r';
    });
    return corrupt(printable ? "is a text file, not a plugin (a shared library)"
                             : "is not an ELF file, so it cannot be a plugin");
  }

  Status check_header() {
    if (file_.size() < EI_NIDENT) return truncated("header");
    const auto ident = [&](size_t i) { return std::to_integer<uint8_t>(file_[i]); };
    if (ident(EI_CLASS) != ELFCLASS64 || ident(EI_DATA) != ELFDATA2LSB)
      return other_machine("a 32-bit or big-endian machine");
    const auto header = read_at<Elf64_Ehdr>(file_, 0);
    if (!header) return truncated("header");
    header_ = *header;
    if (header_.e_machine != kThisMachine) return other_machine(machine_name(header_.e_machine));
    if (header_.e_type != ET_DYN)
      return corrupt("is an ELF file of type " + std::to_string(header_.e_type) +
                     ", not a shared library (type " + std::to_string(ET_DYN) + ")");
    return {};
  }

  [[nodiscard]] Status other_machine(const std::string& found) const {
    return failed(Code::unsupported, object_,
                  "is built for " + found + "; this host runs on " + machine_name(kThisMachine),
                  "install the plugin for this machine");
  }

  Status check_segments() const {
    if (header_.e_phnum == 0 || header_.e_phentsize != sizeof(Elf64_Phdr))
      return corrupt("has no usable program headers");
    if (!lies_inside(file_, header_.e_phoff, uint64_t{header_.e_phnum} * sizeof(Elf64_Phdr)))
      return truncated("program header table");
    for (size_t i = 0; i < header_.e_phnum; ++i) {
      const auto segment = read_at<Elf64_Phdr>(file_, header_.e_phoff + i * sizeof(Elf64_Phdr));
      if (!segment) return truncated("program header table");
      if (segment->p_type == PT_LOAD && !lies_inside(file_, segment->p_offset, segment->p_filesz))
        return truncated("segment " + std::to_string(i));
    }
    return {};
  }

  [[nodiscard]] std::optional<Elf64_Shdr> section(size_t index) const {
    return read_at<Elf64_Shdr>(file_, header_.e_shoff + index * sizeof(Elf64_Shdr));
  }

  Status find_entries() {
    if (header_.e_shnum == 0 || header_.e_shentsize != sizeof(Elf64_Shdr))
      return corrupt("has no section headers, so its symbols cannot be read before loading");
    if (!lies_inside(file_, header_.e_shoff, uint64_t{header_.e_shnum} * sizeof(Elf64_Shdr)))
      return truncated("section header table");
    for (size_t i = 0; i < header_.e_shnum; ++i) {
      const auto symbols = section(i);
      if (symbols && symbols->sh_type == SHT_DYNSYM) return read_symbols(*symbols);
    }
    return corrupt("has no dynamic symbol table, so it exports nothing");
  }

  Status read_symbols(const Elf64_Shdr& symbols) {
    if (!lies_inside(file_, symbols.sh_offset, symbols.sh_size))
      return truncated("dynamic symbol table");
    if (symbols.sh_link >= header_.e_shnum) return corrupt("has a symbol table without names");
    const auto names = section(symbols.sh_link);
    if (!names || names->sh_type != SHT_STRTAB) return corrupt("has a symbol table without names");
    if (!lies_inside(file_, names->sh_offset, names->sh_size)) return truncated("symbol names");
    const uint64_t count = symbols.sh_size / sizeof(Elf64_Sym);
    if (count > kMostSymbols)
      return corrupt("claims " + std::to_string(count) + " dynamic symbols, more than " +
                     std::to_string(kMostSymbols));
    const std::string_view text = as_text(file_.subspan(names->sh_offset, names->sh_size));
    for (uint64_t i = 0; i < count; ++i) {
      const auto symbol = read_at<Elf64_Sym>(file_, symbols.sh_offset + i * sizeof(Elf64_Sym));
      if (symbol) look_at(*symbol, text);
    }
    return {};
  }

  void look_at(const Elf64_Sym& symbol, std::string_view names) {
    const auto bind = ELF64_ST_BIND(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || (bind != STB_GLOBAL && bind != STB_WEAK)) return;
    if (symbol.st_name >= names.size()) return;
    std::string_view name = names.substr(symbol.st_name);
    if (!name.starts_with(kEntryPrefix)) return;
    name = name.substr(0, name.find('\0'));
    if (name == CB_ENTRY_SYMBOL) {
      has_entry_ = true;
      entry_type_ = ELF64_ST_TYPE(symbol.st_info);
    } else if (name.size() <= kEntryPrefix.size() + 10) {
      others_.insert(std::string(name));
    }
  }

  [[nodiscard]] Status judge_entries() const {
    if (has_entry_ && entry_type_ == STT_OBJECT) return {};
    if (has_entry_)
      return failed(Code::invalid, object_,
                    std::string("exports ") + CB_ENTRY_SYMBOL +
                        " as a function; the entry is a data object (cb_entry)",
                    "report this to the plugin's author");
    if (others_.empty())
      return failed(Code::invalid, object_,
                    std::string("is a library but no CyberBackup plugin: it does not export ") +
                        CB_ENTRY_SYMBOL,
                    "take it out of the list of plugins to load");
    std::string found;
    for (const std::string& other : others_) found += (found.empty() ? "" : ", ") + other;
    return failed(Code::unsupported, object_,
                  "is for another major of the plugin ABI: it exports " + found +
                      ", this host speaks " + CB_ENTRY_SYMBOL,
                  "install a build of the plugin for ABI 1, or a host that speaks its ABI");
  }

  const ByteView file_;
  const std::string& object_;
  Elf64_Ehdr header_{};
  bool has_entry_ = false;
  unsigned entry_type_ = STT_NOTYPE;
  std::set<std::string> others_;
};

}  // namespace

Status scan(ByteView file, const std::string& object) { return Scan(file, object).run(); }

}  // namespace cb::plugin
