// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/send_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/base/units.h"
#include "core/report/json.h"
#include "core/report/shown_text.h"

namespace cb {
namespace {

using client::V3Outcome;
using report::ExitCode;
using report::Json;

// Progress is measured over spans of at least this.
constexpr std::chrono::milliseconds kMeasure{250};

size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

report::ProgressStyle style_of(SendScreen::Style style, bool terminal) {
  if (style == SendScreen::Style::quiet) return report::ProgressStyle::none;
  if (style == SendScreen::Style::json) return report::ProgressStyle::json;
  return terminal ? report::ProgressStyle::terminal : report::ProgressStyle::plain;
}

void write(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

std::string sentence(const client::V3FileReport& file) {
  std::string text = file.file.string() + ": " + std::string(name_of(file.outcome));
  if (file.uploads > 0)
    text += ", " + format_size(file.size) + ", cksum " + std::to_string(file.cksum);
  if (file.uploads > 1) text += ", sent " + std::to_string(file.uploads) + " times";
  return text;
}

Json json_of(const client::V3FileReport& file) {
  Json record = {{"event", "file"},
                 {"file", file.file.string()},
                 {"outcome", std::string(name_of(file.outcome))},
                 {"size", file.size},
                 {"cksum", file.cksum},
                 {"uploads", file.uploads}};
  if (file.error) record["error"] = report::json_of(*file.error);
  return record;
}

bool is_good(const client::V3FileReport& file) { return file.outcome == V3Outcome::confirmed; }

ExitCode exit_code_of(const client::V3FileReport& file) {
  switch (file.outcome) {
    case V3Outcome::confirmed:
      return ExitCode::done;
    case V3Outcome::denied:
      return ExitCode::denied;
    case V3Outcome::unreachable:
      return ExitCode::unreachable;
    case V3Outcome::unreadable:
      return ExitCode::partial;
    default:
      break;
  }
  const bool full = file.error && file.error->code == Code::no_space;
  return full ? ExitCode::no_space : ExitCode::failed;
}

}  // namespace

ExitCode exit_code_of(const client::V3SendReport& report) {
  if (report.interrupted) return ExitCode::interrupted;
  constexpr ExitCode kGravestFirst[] = {ExitCode::unreachable, ExitCode::denied, ExitCode::no_space,
                                        ExitCode::failed, ExitCode::partial};
  const auto& files = report.files;
  for (const ExitCode code : kGravestFirst) {
    const bool found = std::any_of(files.begin(), files.end(),
                                   [&](const auto& file) { return exit_code_of(file) == code; });
    if (!found) continue;
    const bool some = std::any_of(files.begin(), files.end(), is_good);
    return code == ExitCode::partial && !some ? ExitCode::failed : code;
  }
  return ExitCode::done;
}

SendScreen::SendScreen(Style style, const os::Clock& clock)
    : style_(style),
      clock_(clock),
      terminal_(isatty(STDERR_FILENO) == 1),
      printer_(
          style_of(style, terminal_), clock,
          [this](const std::string& text) {
            write(style_ == Style::json ? stdout : stderr, text);
            line_is_drawn_ = terminal_ && style_ == Style::normal;
          },
          terminal_width()) {}

void SendScreen::progress(const client::V3SendProgress& now) {
  if (!meter_) {
    meter_.emplace(clock_, "send", now.bytes_total);
    measured_ = clock_.monotonic();
  }
  // A file that is sent again does not take back what was shown.
  most_done_ = std::max(most_done_, now.bytes_done);
  // Buffers on the way swallow the first bytes at once; a rate over less would boast.
  if (clock_.monotonic() - measured_ < kMeasure) return;
  measured_ = clock_.monotonic();
  meter_->set_current(now.file);
  printer_.show(meter_->update(most_done_));
}

void SendScreen::file_ended(const client::V3FileReport& file) {
  if (style_ == Style::json) return write_out(report::json_line(json_of(file)));
  if (is_good(file) && style_ == Style::normal) write_out(sentence(file));
  if (is_good(file)) return;
  write_err(sentence(file));
  if (file.error) write_err("  " + file.error->text());
}

void SendScreen::note(const std::string& text) {
  if (style_ == Style::json)
    write_out(report::json_line({{"event", "note"}, {"text", text}}));
  else if (style_ == Style::normal)
    write_err(text);
}

void SendScreen::error(const Error& error, ExitCode exit) {
  if (style_ == Style::json)
    write_out(report::json_line(
        {{"event", "done"}, {"error", report::json_of(error)}, {"exit", static_cast<int>(exit)}}));
  write_err("cyberbackup: " + error.text());
}

void SendScreen::finish(const client::V3SendReport& report, ExitCode exit) {
  const auto good = std::count_if(report.files.begin(), report.files.end(), is_good);
  if (style_ == Style::json)
    return write_out(report::json_line({{"event", "done"},
                                        {"files", report.files_total},
                                        {"confirmed", good},
                                        {"client_id", report.client_id},
                                        {"interrupted", report.interrupted},
                                        {"exit", static_cast<int>(exit)}}));
  if (report.interrupted) write_err("interrupted; what was not confirmed is not on the server");
  if (style_ != Style::normal || !meter_) return;
  const report::Progress& last = meter_->finish(most_done_);
  write_err(std::to_string(good) + " of " + std::to_string(report.files_total) +
            " files confirmed, " + format_size(last.done) + ", " +
            format_size(static_cast<uint64_t>(last.rate)) + "/s");
}

void SendScreen::clear_line() {
  if (!line_is_drawn_) return;
  write(stderr, "\r\x1b[K");
  line_is_drawn_ = false;
}

void SendScreen::write_out(const std::string& line) {
  clear_line();
  write(stdout, report::shown_lines(line) + "\n");
}

void SendScreen::write_err(const std::string& line) {
  clear_line();
  write(stderr, report::shown_lines(line) + "\n");
}

}  // namespace cb
