// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "core/base/units.h"
#include "core/os/process.h"
#include "core/plugin/crash_report.h"
#include "core/plugin/probe.h"
#include "core/plugin/probe_child.h"

namespace cb::check {
namespace {

// Sanitizers make everything slower, and report crashes themselves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif
constexpr int kPatience = kSanitized ? 6 : 1;

constexpr std::string_view kSurveyHead = "survey\n";
constexpr std::chrono::seconds kSurveyTimeout(20);
constexpr uint64_t kMostOutput = 1 << 20;

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(at), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string write_verdict(const Verdict& verdict) {
  return std::string(name_of(verdict.outcome)) + "\n" +
         plugin::one_line(verdict.text.c_str(), 8000) + "\n";
}

bool read_verdict(std::string_view said, Verdict& verdict) {
  const size_t end = said.find('\n');
  if (end == std::string_view::npos || !said.ends_with('\n')) return false;
  for (const Outcome outcome :
       {Outcome::passed, Outcome::failed, Outcome::warning, Outcome::skipped}) {
    if (said.substr(0, end) != name_of(outcome)) continue;
    verdict.outcome = outcome;
    verdict.text = said.substr(end + 1, said.size() - end - 2);
    return true;
  }
  return false;
}

// Without the advice, which is for operators.
std::string what_was_wrong(const Error& error) {
  return error.object.empty() ? error.cause : error.object + ": " + error.cause;
}

std::string write_survey(const Result<std::vector<Surveyed>>& found) {
  if (!found) return write_verdict({Outcome::failed, what_was_wrong(found.error())});
  std::string text(kSurveyHead);
  for (const Surveyed& one : *found)
    text += std::to_string(one.index) + "\t" + one.id + "\t" + one.interface_id + "\t" +
            std::to_string(one.capabilities) + "\n";
  return text;
}

template <typename T>
T number_of(const std::string& text) {
  T number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The line of a dead child's output that says most.
std::string telling_line(const os::Path& output) {
  const auto content = os::read_file(os::real_file_system(), output, kMostOutput);
  if (!content) return {};
  std::string last;
  for (const std::string& line : split(as_text(*content), '\n')) {
    if (line.find("SUMMARY: ") != std::string::npos || line.starts_with("fatal: "))
      return ": " + line;
    if (!line.empty()) last = line;
  }
  return last.empty() ? last : ": " + last;
}

std::vector<std::string> arguments_of(const Settings& settings, const os::Path& scratch) {
  std::vector<std::string> arguments = {settings.file.string(),
                                        "--in-process",
                                        "--child-scratch",
                                        scratch.string(),
                                        "--seed",
                                        std::to_string(settings.seed),
                                        "--fuzz",
                                        std::to_string(settings.fuzz.count()) + "ns",
                                        "--below",
                                        settings.below};
  if (!settings.known_answers.empty()) {
    arguments.push_back("--known-answers");
    arguments.push_back(settings.known_answers.string());
  }
  if (!settings.config.empty()) {
    arguments.emplace_back("--config");
    arguments.push_back(settings.config.string());
  }
  return arguments;
}

struct Ended {
  plugin::ProbeEnd end;
  std::string last_words;  // of a child that did not give a verdict
};

Result<Ended> run_child(const Settings& settings, const std::vector<std::string>& more,
                        std::chrono::nanoseconds timeout) {
  CB_ASSIGN(const ScratchFolder folder, ScratchFolder::make());
  const os::Path own = folder.path() / "own";
  CB_TRY(os::real_file_system().make_folders(own));
  const os::Path output = folder.path() / "output";
  const plugin::Descriptor output_file(
      ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  plugin::ProbePlan plan;
  plan.program = "/proc/self/exe";
  plan.arguments = arguments_of(settings, own);
  plan.arguments.insert(plan.arguments.end(), more.begin(), more.end());
  plan.output_fd = output_file.get();
  plan.timeout = timeout * kPatience;
  Ended ended;
  CB_ASSIGN(ended.end, plugin::run_probe(plan));
  ended.last_words = telling_line(output);
  return ended;
}

std::string how_it_died(const Ended& ended, std::chrono::nanoseconds timeout) {
  using Kind = plugin::ProbeEnd::Kind;
  if (ended.end.kind == Kind::timed_out)
    return "did not end within " + format_duration(timeout * kPatience) + ended.last_words;
  if (ended.end.kind == Kind::signalled)
    return "died of signal " + std::to_string(ended.end.number) + " (" +
           plugin::signal_name(ended.end.number) + ")" + ended.last_words;
  return "ended the process with exit status " + std::to_string(ended.end.number) +
         ended.last_words;
}

Verdict verdict_in(Subject& subject, const Check& check) {
  auto verdict = check.run(subject);
  const std::string broken = subject.broken_contract();
  if (!verdict) return {Outcome::failed, what_was_wrong(verdict.error())};
  if (!broken.empty() && verdict->outcome != Outcome::failed)
    return {Outcome::failed, "broke the contract on the way: " + broken};
  return std::move(*verdict);
}

Verdict tried(const Settings& settings, const os::Path& scratch, const Check& check,
              uint32_t index) {
  // The subject is gone, and what that does to the plugin has happened, before the verdict counts.
  Subject subject(settings, scratch, std::string(check.name), index);
  return verdict_in(subject, check);
}

}  // namespace

Result<ScratchFolder> ScratchFolder::make() {
  std::error_code none;
  std::string name =
      (std::filesystem::temp_directory_path(none) / "cyberbackup-plugin-check-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return failed(fail_errno(errno, name, "making a folder for temporary files"));
  return ScratchFolder(os::Path(name));
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Verdict try_in_child(const Settings& settings, const Check& check, uint32_t index) {
  const std::chrono::nanoseconds timeout =
      std::min<std::chrono::nanoseconds>(check.timeout, settings.timeout) +
      (check.fuzzes ? settings.fuzz : std::chrono::nanoseconds(0));
  const auto ended = run_child(
      settings, {"--only", std::string(check.name), "--child-plugin", std::to_string(index)},
      timeout);
  if (!ended) return {Outcome::failed, "cannot be tried: " + ended.error().text()};
  Verdict verdict;
  const bool whole = ended->end.kind == plugin::ProbeEnd::Kind::exited && ended->end.number == 0 &&
                     read_verdict(ended->end.said, verdict);
  if (whole) return verdict;
  const bool late = ended->end.kind == plugin::ProbeEnd::Kind::timed_out;
  return {late ? Outcome::timed_out : Outcome::crashed, how_it_died(*ended, timeout)};
}

Verdict try_here(const Settings& settings, const Check& check, uint32_t index) {
  const auto folder = ScratchFolder::make();
  if (!folder) return {Outcome::failed, folder.error().text()};
  return tried(settings, folder->path(), check, index);
}

Result<std::vector<Surveyed>> survey_in_child(const Settings& settings) {
  const auto timeout = std::min<std::chrono::nanoseconds>(kSurveyTimeout, settings.timeout);
  CB_ASSIGN(const Ended ended, run_child(settings, {"--child-survey"}, timeout));
  const std::string& said = ended.end.said;
  if (!said.starts_with(kSurveyHead)) {
    Verdict verdict;
    return found_wrong(read_verdict(said, verdict) ? verdict.text : how_it_died(ended, timeout));
  }
  std::vector<Surveyed> found;
  for (const std::string& line : split(std::string_view(said).substr(kSurveyHead.size()), '\n')) {
    const std::vector<std::string> part = split(line, '\t');
    if (part.size() == 4)
      found.push_back(
          {number_of<uint32_t>(part[0]), part[1], part[2], number_of<uint64_t>(part[3])});
  }
  return found;
}

Result<std::vector<Surveyed>> survey_here(const Settings& settings) {
  CB_ASSIGN(const ScratchFolder folder, ScratchFolder::make());
  Subject subject(settings, folder.path(), "survey", 0);
  return survey(subject);
}

void work_as_child(const Settings& settings, const ChildWork& work) {
  // Dies with its parent, leaves no core file, and hands neither pipe nor file down.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  os::forbid_core_files();
  ::close(plugin::kProbeFileFd);
  ::fcntl(plugin::kProbeVerdictFd, F_SETFD, FD_CLOEXEC);
  if (!kSanitized) plugin::report_crashes_to(STDERR_FILENO);
  std::string said;
  if (work.survey) {
    Subject subject(settings, work.scratch, "survey", 0);
    said = write_survey(survey(subject));
  } else if (work.check != nullptr) {
    said = write_verdict(tried(settings, work.scratch, *work.check, work.index));
  }
  const ssize_t written = ::write(plugin::kProbeVerdictFd, said.data(), said.size());
  // Without destructors: they are the plugin's, and the verdict is out.
  ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
}

}  // namespace cb::check
