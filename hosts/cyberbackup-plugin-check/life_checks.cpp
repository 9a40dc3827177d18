// SPDX-License-Identifier: Apache-2.0
//
// How instances begin and end, whatever the interface.
#include "core/os/process.h"
#include "hosts/cyberbackup-plugin-check/allocator.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/exercise.h"
#include "hosts/cyberbackup-plugin-check/life_failure_checks.h"
#include "hosts/cyberbackup-plugin-check/process_state.h"

namespace cb::check {
namespace {

Result<Verdict> create_from_defaults(Subject& subject) {
  CB_ASSIGN(const auto instance, subject.instance());
  CB_TRY(expect(instance->handle() != nullptr, "create gave no instance"));
  return passed();
}

Result<Verdict> create_with(Subject& subject, Bytes (*as_host)(const cb_host&)) {
  CB_ASSIGN(const auto raw, RawPlugin::make(subject));
  const GuardedMemory host(as_host(raw->host()));
  cb_instance* instance = nullptr;
  const Used used = created(*raw, host_in(host), instance);
  CB_TRY(expect(used.ok(), used.text()));
  const Used in_use = exercise(raw->descriptor(), instance);
  CB_TRY(raw->destroy(instance));
  CB_TRY(expect(in_use.is_clean(), in_use.text()));
  return passed();
}

Result<Verdict> create_with_older_host(Subject& subject) {
  CB_ASSIGN(const plugin::Module* const module, subject.module());
  if (module->entry().needs_minor > 0) return skipped("it needs a newer host than 1.0");
  return create_with(subject, as_older_host);
}

Result<Verdict> create_with_newer_host(Subject& subject) {
  return create_with(subject, as_newer_host);
}

Result<Verdict> destroy_accepts_null(Subject& subject) {
  CB_ASSIGN(const auto raw, RawPlugin::make(subject));
  CB_TRY(raw->destroy(nullptr));
  return passed();
}

struct Levels {
  size_t descriptors = descriptor_count();
  uint64_t threads = os::thread_count();
  int64_t blocks = blocks_in_use();
};

Status create_and_destroy(const RawPlugin& raw, int times) {
  for (int i = 0; i < times; ++i) {
    cb_instance* instance = nullptr;
    const Used used = created(raw, raw.host(), instance);
    CB_TRY(expect(used.ok(), "the " + std::to_string(i + 1) + "th time " + used.text()));
    CB_TRY(raw.destroy(instance));
  }
  return {};
}

Result<Verdict> create_destroy_200_times(Subject& subject) {
  constexpr int kWarmUp = 20;
  constexpr int kTimes = 200;
  subject.services().log = nullptr;  // what it keeps would be counted
  CB_ASSIGN(const auto raw, RawPlugin::make(subject));
  CB_TRY(create_and_destroy(*raw, kWarmUp));
  const Levels before;
  CB_TRY(create_and_destroy(*raw, kTimes));
  const Levels after;
  CB_TRY(expect(after.descriptors <= before.descriptors,
                "leaves " + std::to_string(after.descriptors - before.descriptors) +
                    " descriptors open after 200 rounds"));
  CB_TRY(expect(after.threads <= before.threads,
                "leaves " + std::to_string(after.threads - before.threads) +
                    " threads running after 200 rounds"));
  const int64_t blocks = after.blocks - before.blocks;
  CB_TRY(expect(blocks < kTimes / 2, "leaves " + std::to_string(blocks) +
                                         " blocks of memory allocated after 200 rounds"));
  return allocator_counts() ? passed() : passed("memory is not counted in this build");
}

Result<Verdict> threads_as_declared(Subject& subject) {
  CB_ASSIGN(const auto raw, RawPlugin::make(subject));
  const uint64_t before = os::thread_count();
  cb_instance* instance = nullptr;
  const Used used = created(*raw, raw->host(), instance);
  CB_TRY(expect(used.ok(), used.text()));
  const Used in_use = exercise(raw->descriptor(), instance);
  const uint64_t during = os::thread_count();
  CB_TRY(raw->destroy(instance));
  const uint64_t after = os::thread_count();
  CB_TRY(expect(in_use.is_clean(), in_use.text()));
  const bool declared = (raw->descriptor().flags & CB_OWN_THREADS) != 0;
  CB_TRY(expect(declared || during <= before,
                "keeps " + std::to_string(during - before) +
                    " threads of its own without the flag CB_OWN_THREADS"));
  CB_TRY(expect(after <= before, "leaves " + std::to_string(after - before) +
                                     " threads running after destroy, which has to join them"));
  return passed();
}

Result<Verdict> leaves_process_alone_in_use(Subject& subject) {
  CB_ASSIGN(const auto raw, RawPlugin::make(subject));
  const SignalState signals = SignalState::now();
  const ProcessState process = ProcessState::now();
  Output output((subject.scratch() / "said").string());
  const Used used = create_and_exercise(*raw);
  const std::string said = output.take();
  CB_TRY(expect(used.is_clean(), used.text()));
  CB_TRY(expect(said.empty(),
                "writes to stdout or stderr: '" + plugin::one_line(said.c_str(), 200) + "'"));
  const std::string changed = signals.changes(SignalState::now());
  CB_TRY(expect(changed.empty(), "changes " + changed));
  const std::string others = process.changes(ProcessState::now());
  CB_TRY(expect(others.empty(), "changes " + others));
  return passed();
}

constexpr std::string_view kCreate = "create-from-defaults";

}  // namespace

Check life_check(std::string_view name, std::string_view sentence, Result<Verdict> (*run)(Subject&),
                 std::chrono::seconds timeout) {
  return {.name = name,
          .sentence = sentence,
          .group = Group::life,
          .run = run,
          .timeout = timeout,
          .after = name == kCreate ? "capabilities-match-table" : kCreate};
}

std::vector<Check> life_checks() {
  constexpr std::chrono::seconds kShort(20);
  std::vector<Check> checks = {
      life_check(kCreate,
                 "Defaults and something for each required option are enough for an instance.",
                 create_from_defaults, kShort),
      life_check("create-with-older-host", "An instance works with the table of a host of 1.0.",
                 create_with_older_host, kShort),
      life_check("create-with-newer-host", "An instance works with the table of a newer host.",
                 create_with_newer_host, kShort),
      life_check("destroy-accepts-null", "destroy(null) does nothing.", destroy_accepts_null,
                 kShort),
      life_check("create-destroy-200-times",
                 "Instances leave no descriptors, threads or memory behind.",
                 create_destroy_200_times, std::chrono::seconds(60)),
      life_check("threads-as-declared",
                 "An instance has threads only if its descriptor says so, and joins them.",
                 threads_as_declared, kShort),
      life_check("leaves-process-alone-in-use",
                 "In use it prints nothing and leaves signals, locale, umask and folder alone.",
                 leaves_process_alone_in_use, kShort),
  };
  for (const Check& check : life_failure_checks()) checks.push_back(check);
  return checks;
}

}  // namespace cb::check
