// SPDX-License-Identifier: Apache-2.0
//
// What happens when a host loads the file.
#include <algorithm>

#include "core/base/units.h"
#include "core/os/process.h"
#include "core/plugin/descriptor.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/guarded_memory.h"
#include "hosts/cyberbackup-plugin-check/load_time.h"
#include "hosts/cyberbackup-plugin-check/process_state.h"
#include "hosts/cyberbackup-plugin-check/raw_plugin.h"

namespace cb::check {
namespace {

// What the tables of 1.0 were, which never changes.
constexpr size_t kEntrySize10 = offsetof(cb_entry, descriptors) + sizeof(void*);

Result<const cb_entry*> entry_of(Subject& subject) {
  CB_ASSIGN(const plugin::Module* const module, subject.module());
  return &module->entry();
}

std::string object_of(const Subject& subject) { return subject.file().filename().string(); }

Result<Verdict> loads_with_immediate_binding(Subject& subject) {
  CB_TRY(subject.module());
  return passed();
}

Result<Verdict> loads_twice_same_module(Subject& subject) {
  CB_ASSIGN(const plugin::Module* const first, subject.module());
  CB_ASSIGN(const auto own, subject.descriptors());
  const os::Path link = subject.scratch() / "another-name.so";
  std::filesystem::create_symlink(subject.file(), link);
  CB_ASSIGN(plugin::PluginFile again, plugin::PluginFile::open(link));
  CB_ASSIGN(const plugin::Module* const second, plugin::Module::load(std::move(again), false));
  CB_TRY(expect(first == second, "another path to the same file makes another module"));
  // A copy is another module, as under `pins = "enforce"`: it must be able to stand beside.
  Settings settings = subject.settings();
  settings.file = subject.scratch() / subject.file().filename();
  std::filesystem::copy_file(subject.file(), settings.file);
  Subject copy(settings, subject.scratch(), "copy", 0);
  CB_ASSIGN(const auto others, copy.descriptors());
  CB_TRY(expect(own.size() == others.size(), "a copy of the file beside it has other plugins"));
  for (size_t i = 0; i < own.size(); ++i)
    CB_TRY(expect(own[i] != others[i],
                  "shares its descriptors with a copy of the file: symbols that should be its own "
                  "are global (see only-entry-exported)"));
  return passed();
}

Result<Verdict> load_under_50ms(Subject& subject) {
  constexpr std::chrono::milliseconds kBudget(50);
  constexpr int kTries = 5;
  std::chrono::nanoseconds best = std::chrono::hours(1);
  for (int i = 0; i < kTries; ++i) {
    CB_ASSIGN(const std::chrono::nanoseconds took, time_to_load(subject.file()));
    best = std::min(best, took);
    if (best < kBudget) return passed(format_duration(best));
  }
  return warned("takes " + format_duration(best) + " to load and initialise, at the best of " +
                std::to_string(kTries) + " tries; each start of a host waits for that");
}

Result<Verdict> entry_magic(Subject& subject) {
  CB_ASSIGN(const cb_entry* const entry, entry_of(subject));
  cb_entry whole{};
  whole.magic = entry->magic;
  whole.size = sizeof whole;
  whole.descriptors = [](uint32_t*) -> const cb_descriptor* const* { return nullptr; };
  CB_TRY(plugin::check_entry(whole, object_of(subject)));
  return passed();
}

Result<Verdict> entry_size(Subject& subject) {
  CB_ASSIGN(const cb_entry* const entry, entry_of(subject));
  const std::string size = std::to_string(entry->size);
  CB_TRY(expect(entry->size >= kEntrySize10,
                "its entry has size " + size + "; 1.0 has " + std::to_string(kEntrySize10)));
  CB_TRY(expect(entry->size % sizeof(void*) == 0 && entry->size < 16 * kEntrySize10,
                "its entry has size " + size + ", which no cb_entry can have"));
  CB_TRY(expect(entry->descriptors != nullptr, "its entry has no descriptors function"));
  return passed();
}

Result<Verdict> needs_no_newer_host(Subject& subject) {
  CB_ASSIGN(const cb_entry* const entry, entry_of(subject));
  CB_TRY(expect(entry->needs_minor <= entry->abi_minor,
                "needs 1." + std::to_string(entry->needs_minor) + ", but was built with 1." +
                    std::to_string(entry->abi_minor)));
  CB_TRY(plugin::check_entry(*entry, object_of(subject)));
  return passed();
}

// Calls init with this table; nothing is left initialised.
Came init_with(Subject& subject, const cb_entry& entry, const cb_host& host) {
  if (entry.init == nullptr) return {};
  const std::string folder = subject.file().parent_path().string();
  Came came = call(entry.init, &host, folder.c_str());
  if (came.status == CB_OK && came.thrown.empty() && entry.deinit != nullptr) entry.deinit();
  return came;
}

Result<Verdict> refuses_older_host(Subject& subject) {
  CB_ASSIGN(const cb_entry* const entry, entry_of(subject));
  const plugin::HostTable host(subject.services(), object_of(subject));
  const GuardedMemory older(as_older_host(*host.table()));
  const Came came = init_with(subject, *entry, host_in(older));
  CB_TRY(expect(came.is_clean(), "init with a host of 1.0 came to " + came.text()));
  if (entry->needs_minor == 0)
    CB_TRY(expect(came.status == CB_OK,
                  "says that it can run on 1.0, but its init refuses such a "
                  "host with " +
                      came.text()));
  else
    CB_TRY(expect(came.status < CB_OK, "needs 1." + std::to_string(entry->needs_minor) +
                                           ", but its init accepts a host of 1.0"));
  return passed();
}

Result<Verdict> accepts_newer_host(Subject& subject) {
  CB_ASSIGN(const cb_entry* const entry, entry_of(subject));
  const plugin::HostTable host(subject.services(), object_of(subject));
  const GuardedMemory newer(as_newer_host(*host.table()));
  const Came came = init_with(subject, *entry, host_in(newer));
  CB_TRY(expect(came.is_clean() && came.status == CB_OK,
                "init with a host that has more than this one came to " + came.text()));
  return passed();
}

Result<Verdict> descriptors_can_be_read(Subject& subject) {
  CB_ASSIGN(const auto first, subject.descriptors());
  CB_ASSIGN(const auto second, subject.descriptors());
  CB_TRY(expect(first == second, "its entry gives other descriptors each time it is asked"));
  return passed(std::to_string(first.size()));
}

// In pairs, one after the other and one inside the other.
Result<Verdict> init_deinit_pairs(Subject& subject) {
  CB_ASSIGN(const cb_entry* const entry, entry_of(subject));
  if (entry->init == nullptr && entry->deinit == nullptr) return passed("it has neither");
  const plugin::HostTable host(subject.services(), object_of(subject));
  const std::string folder = subject.file().parent_path().string();
  for (const int depth : {1, 2, 1}) {
    for (int i = 0; i < depth && entry->init != nullptr; ++i) {
      const Came came = call(entry->init, host.table(), folder.c_str());
      CB_TRY(expect(came.is_clean() && came.status == CB_OK,
                    std::string(i == 0 ? "init" : "a second init before the first deinit") +
                        " came to " + came.text()));
    }
    uint32_t count = 0;
    CB_TRY(expect(entry->descriptors(&count) != nullptr && count > 0,
                  "gives no descriptors after init"));
    for (int i = 0; i < depth && entry->deinit != nullptr; ++i) entry->deinit();
  }
  return passed();
}

Result<Verdict> no_output_on_load(Subject& subject) {
  Output output((subject.scratch() / "said").string());
  const auto read = subject.descriptors();
  const std::string said = output.take();
  CB_TRY(read);
  CB_TRY(expect(said.empty(), "writes to stdout or stderr while it is loaded: '" +
                                  plugin::one_line(said.c_str(), 200) +
                                  "'; cb_host.log is for that"));
  return passed();
}

Result<Verdict> no_threads_after_load(Subject& subject) {
  const uint64_t before = os::thread_count();
  CB_TRY(subject.descriptors());
  const uint64_t after = os::thread_count();
  CB_TRY(expect(after == before, "leaves " + std::to_string(after - before) +
                                     " threads running after it was loaded and initialised"));
  return passed();
}

Result<Verdict> leaves_signals_alone(Subject& subject) {
  const SignalState before = SignalState::now();
  CB_TRY(subject.descriptors());
  const std::string changes = before.changes(SignalState::now());
  CB_TRY(expect(changes.empty(), "changes " + changes));
  return passed();
}

Result<Verdict> leaves_process_alone(Subject& subject) {
  const ProcessState before = ProcessState::now();
  CB_TRY(subject.descriptors());
  const std::string changes = before.changes(ProcessState::now());
  CB_TRY(expect(changes.empty(), "changes " + changes));
  return passed();
}

constexpr std::string_view kLoads = "loads-with-immediate-binding";
constexpr std::string_view kNeeds = "needs-no-newer-host";
constexpr std::string_view kReadable = "descriptors-can-be-read";

Check load_check(std::string_view name, std::string_view sentence, Result<Verdict> (*run)(Subject&),
                 std::string_view after) {
  return {.name = name, .sentence = sentence, .group = Group::load, .run = run, .after = after};
}

}  // namespace

std::vector<Check> load_checks() {
  return {
      load_check(kLoads, "All symbols are there at load, and the constructors return.",
                 loads_with_immediate_binding, "elf-sane"),
      load_check("entry-magic", "The entry begins with the magic number of the plugin ABI.",
                 entry_magic, kLoads),
      load_check("entry-size", "The entry is as long as it says, and no shorter than that of 1.0.",
                 entry_size, "entry-magic"),
      load_check(kNeeds, "It needs no newer host than this one, nor than it was built for.",
                 needs_no_newer_host, "entry-size"),
      load_check("refuses-older-host",
                 "init works with the table of a host of 1.0 if it says so, and refuses it if not.",
                 refuses_older_host, kNeeds),
      load_check("accepts-newer-host", "init works with the longer table of a newer host.",
                 accepts_newer_host, kNeeds),
      load_check("init-deinit-pairs", "init and deinit may come in more than one pair.",
                 init_deinit_pairs, kNeeds),
      load_check(kReadable, "The entry gives 1 to 64 descriptors, always the same.",
                 descriptors_can_be_read, kNeeds),
      load_check("loads-twice-same-module",
                 "By another path it is the same module; a copy can stand beside it.",
                 loads_twice_same_module, kReadable),
      load_check("load-under-50ms", "Loading and init take less than 50 ms.", load_under_50ms,
                 kReadable),
      load_check("no-output-on-load", "Nothing is written to stdout or stderr.", no_output_on_load,
                 kReadable),
      load_check("no-threads-after-load", "No threads run before there is an instance.",
                 no_threads_after_load, kReadable),
      load_check("leaves-signals-alone", "Signal actions and masks stay as they were.",
                 leaves_signals_alone, kReadable),
      load_check("leaves-process-alone",
                 "Locale, umask, working folder, environment and rounding stay as they were.",
                 leaves_process_alone, kReadable),
  };
}

}  // namespace cb::check
