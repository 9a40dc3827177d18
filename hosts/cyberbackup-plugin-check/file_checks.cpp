// SPDX-License-Identifier: Apache-2.0
//
// What a plugin's file must be, found without running anything of it.
#include <dlfcn.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/plugin/plugin_file.h"
#include "core/plugin/scan.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/elf_file.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

constexpr std::string_view kEntryPrefix = "cb_plugin_entry_v";
constexpr size_t kMostNames = 8;

Result<ElfFile> elf_of(const Subject& subject) {
  CB_ASSIGN(const plugin::PluginFile file, plugin::PluginFile::open(subject.file()));
  return read_elf(file.content());
}

// "a, b, c and 12 more".
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMostNames); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMostNames)
    text += " and " + std::to_string(names.size() - kMostNames) + " more";
  return text;
}

Result<Verdict> elf_sane(Subject& subject) {
  CB_ASSIGN(const plugin::PluginFile file, plugin::PluginFile::open(subject.file()));
  CB_TRY(plugin::scan(file.content(), file.object()));
  return passed();
}

Result<Verdict> only_entry_exported(Subject& subject) {
  CB_ASSIGN(const ElfFile elf, elf_of(subject));
  std::vector<std::string> others;
  for (const DynamicSymbol& symbol : elf.symbols)
    if (symbol.in_section && !symbol.name.starts_with(kEntryPrefix)) others.push_back(symbol.name);
  CB_TRY(expect(others.empty(), "exports " + listed(others) +
                                    " as well; a version script (global: cb_plugin_entry_v1; "
                                    "local: *) hides what is not the entry"));
  return passed();
}

Result<Verdict> no_text_relocations(Subject& subject) {
  CB_ASSIGN(const ElfFile elf, elf_of(subject));
  const bool has = elf.has_tag(DT_TEXTREL) || (elf.value_of(DT_FLAGS) & DF_TEXTREL) != 0;
  CB_TRY(expect(!has, "has relocations in its code; compile everything in it with -fPIC"));
  return passed();
}

Result<Verdict> relro_and_now(Subject& subject) {
  CB_ASSIGN(const ElfFile elf, elf_of(subject));
  const bool relro =
      std::any_of(elf.segments.begin(), elf.segments.end(),
                  [](const Elf64_Phdr& segment) { return segment.p_type == PT_GNU_RELRO; });
  const bool now = elf.has_tag(DT_BIND_NOW) || (elf.value_of(DT_FLAGS) & DF_BIND_NOW) != 0 ||
                   (elf.value_of(DT_FLAGS_1) & DF_1_NOW) != 0;
  CB_TRY(expect(relro, "has no segment that becomes read-only; link it with -Wl,-z,relro"));
  CB_TRY(expect(now, "does not ask for immediate binding; link it with -Wl,-z,now"));
  return passed();
}

// Sanitizers leave their functions to the program.
bool is_of_sanitizer(const std::string& name) {
  constexpr std::string_view kPrefixes[] = {"__asan_", "__ubsan_", "__tsan_",
                                            "__lsan_", "__msan_",  "__sanitizer_"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

Status check_folders(const ElfFile& elf) {
  for (const std::string& folder : elf.folders)
    CB_TRY(expect(folder.starts_with('/') || folder.starts_with("$ORIGIN"),
                  "looks for libraries in '" + folder +
                      "', which depends on the working folder; build it without such an rpath"));
  return {};
}

Result<Verdict> needed_libraries_listed(Subject& subject) {
  CB_ASSIGN(const ElfFile elf, elf_of(subject));
  CB_TRY(check_folders(elf));
  std::vector<void*> libraries;
  for (const std::string& name : elf.needed) {
    void* const library = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL);
    // Found only by an rpath of the plugin: the load itself will tell.
    if (library != nullptr) libraries.push_back(library);
    if (library == nullptr && elf.folders.empty())
      return found_wrong("needs " + name + ", which is not installed");
  }
  if (libraries.size() < elf.needed.size()) return skipped("has libraries in folders of its own");
  std::vector<std::string> missing;
  for (const DynamicSymbol& symbol : elf.symbols) {
    if (symbol.defined || symbol.weak || is_of_sanitizer(symbol.name)) continue;
    const bool found = std::any_of(libraries.begin(), libraries.end(), [&](void* library) {
      return ::dlsym(library, symbol.name.c_str()) != nullptr;
    });
    if (!found) missing.push_back(symbol.name);
  }
  CB_TRY(expect(missing.empty(), "uses " + listed(missing) +
                                     ", which no library that it names has; link it with "
                                     "-Wl,--no-undefined to see what is missing"));
  return passed();
}

Result<Verdict> no_executable_stack(Subject& subject) {
  CB_ASSIGN(const ElfFile elf, elf_of(subject));
  bool told = false;
  for (const Elf64_Phdr& segment : elf.segments) {
    const bool executable = (segment.p_flags & PF_X) != 0;
    if (segment.p_type == PT_GNU_STACK) {
      told = true;
      CB_TRY(expect(!executable, "asks for an executable stack; link it with -Wl,-z,noexecstack"));
    }
    if (segment.p_type == PT_LOAD)
      CB_TRY(expect(!executable || (segment.p_flags & PF_W) == 0,
                    "has memory that is both writable and executable"));
  }
  CB_TRY(expect(told, "does not say that its stack is not executable (-Wl,-z,noexecstack)"));
  return passed();
}

Result<Verdict> not_world_writable(Subject& subject) {
  struct stat info {};
  if (::stat(subject.file().c_str(), &info) != 0)
    return failed(fail_errno(errno, subject.file().string(), "looking at"));
  CB_TRY(expect((info.st_mode & S_IWOTH) == 0,
                "anybody may write the file: chmod o-w " + subject.file().filename().string()));
  const os::Path folder = subject.file().parent_path();
  if (::stat(folder.c_str(), &info) == 0 && (info.st_mode & S_IWOTH) != 0 &&
      (info.st_mode & S_ISVTX) == 0)
    return warned("anybody may replace the file: chmod o-w " + folder.string());
  return passed();
}

}  // namespace

std::vector<Check> file_checks() {
  constexpr std::string_view kElfSane = "elf-sane";
  return {
      {.name = kElfSane,
       .sentence = "The file is a whole shared library for this machine that exports the entry.",
       .group = Group::file,
       .run = elf_sane},
      {.name = "only-entry-exported",
       .sentence = "The file exports the entry and nothing else that could replace or be replaced.",
       .group = Group::file,
       .run = only_entry_exported,
       .after = kElfSane},
      {.name = "no-text-relocations",
       .sentence = "The code can be loaded anywhere without being changed.",
       .group = Group::file,
       .run = no_text_relocations,
       .after = kElfSane},
      {.name = "relro-and-now",
       .sentence = "All symbols are bound at load, and the tables of that are read-only after it.",
       .group = Group::file,
       .run = relro_and_now,
       .after = kElfSane},
      {.name = "needed-libraries-listed",
       .sentence = "Each symbol that the file uses comes from a library that the file names.",
       .group = Group::file,
       .run = needed_libraries_listed,
       .after = kElfSane},
      {.name = "no-executable-stack",
       .sentence = "No memory is writable and executable, the stack included.",
       .group = Group::file,
       .run = no_executable_stack,
       .after = kElfSane},
      {.name = "not-world-writable",
       .sentence = "Not everybody may write the file.",
       .group = Group::file,
       .run = not_world_writable,
       .after = kElfSane},
  };
}

}  // namespace cb::check
