// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/backup_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "core/base/units.h"
#include "core/report/json.h"
#include "hosts/cyberbackup/entry_text.h"

namespace cb {
namespace {

using client::BackupCounts;
using client::BackupResult;
using report::ExitCode;

size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

report::ProgressStyle style_of(const CommonOptions& common, bool terminal) {
  if (common.quiet) return report::ProgressStyle::none;
  if (common.json) return report::ProgressStyle::json;
  return terminal ? report::ProgressStyle::terminal : report::ProgressStyle::plain;
}

void write(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

std::string number(uint64_t count, const char* what) { return std::to_string(count) + what; }

std::string summary(const BackupResult& result, bool dry_run, std::chrono::nanoseconds took) {
  const BackupCounts& counts = result.counts;
  std::string text = dry_run ? "would back up " : "";
  text += number(counts.files, " files, ") + format_size(counts.bytes) + "; " +
          number(counts.files_unchanged, " unchanged, read ") + format_size(counts.bytes_read) +
          (dry_run ? ", new " : ", sent ") + format_size(counts.bytes_sent) + " in " +
          number(counts.blobs_new, " blobs, ") + format_duration(took);
  if (counts.files_changed > 0)
    text += "; " + number(counts.files_changed, " changed while they were read");
  if (result.unreadable_count > 0)
    text += "; " + number(result.unreadable_count, " could not be read");
  return text + "\n";
}

report::Json backup_json(const BackupResult& result, bool dry_run, std::chrono::nanoseconds took) {
  const BackupCounts& counts = result.counts;
  report::Json json = {{"event", "done"}, {"dry_run", dry_run}};
  if (!dry_run) {
    json["snapshot"] = result.snapshot.hex();
    json["sequence"] = result.commit.sequence;
    json["time_ns"] = result.commit.time_ns;
  }
  json.update({{"files", counts.files},
               {"folders", counts.folders},
               {"others", counts.others},
               {"bytes", counts.bytes},
               {"files_unchanged", counts.files_unchanged},
               {"files_changed", counts.files_changed},
               {"bytes_read", counts.bytes_read},
               {"blobs_new", counts.blobs_new},
               {"blobs_known", counts.blobs_known},
               {"bytes_sent", counts.bytes_sent},
               {"unreadable", result.unreadable_count},
               {"seconds", std::chrono::duration<double>(took).count()},
               {"exit", result.unreadable_count == 0 ? 0 : static_cast<int>(ExitCode::partial)}});
  return json;
}

}  // namespace

BackupScreen::BackupScreen(const CommonOptions& common)
    : common_(common),
      terminal_(isatty(STDERR_FILENO) == 1),
      began_(os::system_clock().monotonic()),
      printer_(
          style_of(common, terminal_), os::system_clock(),
          [this](const std::string& text) {
            write(common_.json ? stdout : stderr, text);
            drawn_ = terminal_ && !common_.json;
          },
          terminal_width()) {}

void BackupScreen::progress(const report::Progress& now) { printer_.show(now); }

void BackupScreen::clear() {
  if (drawn_) write(stderr, "\r\x1b[K");
  drawn_ = false;
}

void BackupScreen::warn(const std::string& text) {
  clear();
  if (common_.json)
    write(stdout, report::json_line({{"event", "warning"}, {"text", text}}) + "\n");
  else
    write(stderr, "cyberbackup: warning: " + text + "\n");
}

void BackupScreen::problems(const BackupResult& result) {
  for (const client::Unreadable& problem : result.unreadable) {
    if (!common_.json) {
      write(stderr, "cyberbackup: cannot read " + shown_path(problem.error.text()) + "\n");
      continue;
    }
    report::Json json = {{"event", "unreadable"}};
    put_path(json, "/" + problem.path);
    json["error"] = report::json_of(problem.error);
    write(stdout, report::json_line(json) + "\n");
  }
  if (result.unreadable_count > result.unreadable.size())
    write(stderr, number(result.unreadable_count - result.unreadable.size(), " more\n"));
  if (common_.quiet) return;
  for (const std::string& note : result.notes) {
    if (common_.json)
      write(stdout, report::json_line({{"event", "note"}, {"text", note}}) + "\n");
    else
      write(stderr, "note: " + shown_path(note) + "\n");
  }
}

ExitCode BackupScreen::finish(const BackupResult& result, bool dry_run) {
  clear();
  problems(result);
  const auto took = os::system_clock().monotonic() - began_;
  if (common_.json) {
    write(stdout, report::json_line(backup_json(result, dry_run, took)) + "\n");
  } else {
    if (!common_.quiet) write(stderr, summary(result, dry_run, took));
    if (!dry_run) write(stdout, result.snapshot.hex() + "\n");
  }
  return result.unreadable_count == 0 ? ExitCode::done : ExitCode::partial;
}

}  // namespace cb
