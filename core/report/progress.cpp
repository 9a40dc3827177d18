// SPDX-License-Identifier: Apache-2.0
#include "core/report/progress.h"

#include <algorithm>
#include <cmath>

#include "core/base/units.h"
#include "core/report/json.h"
#include "core/report/table.h"

namespace cb::report {
namespace {

constexpr double kHalfLife = 3.0;  // seconds

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

std::string amount(const Progress& progress, uint64_t number) {
  if (progress.unit == "bytes") return format_size(number);
  return std::to_string(number) + " " + progress.unit;
}

// Neither a peer nor a file name may steer the terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string cut_to(std::string text, size_t width) {
  while (width_of(text) > width) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80)
      text.pop_back();
    if (!text.empty()) text.pop_back();
  }
  return text;
}

}  // namespace

ProgressMeter::ProgressMeter(const os::Clock& clock, std::string phase, uint64_t total,
                             std::string unit)
    : clock_(clock), began_(clock.monotonic()), last_(began_) {
  record_.phase = std::move(phase);
  record_.total = total;
  record_.unit = std::move(unit);
}

const Progress& ProgressMeter::update(uint64_t done) {
  const auto now = clock_.monotonic();
  const double passed = seconds(now - last_);
  record_.done = done;
  if (passed > 0) {
    const double fresh = static_cast<double>(done - std::min(done, last_done_)) / passed;
    const bool first = last_ == began_;
    const double keep = first ? 0 : std::pow(0.5, passed / kHalfLife);
    record_.rate = record_.rate * keep + fresh * (1 - keep);
    last_ = now;
    last_done_ = done;
  }
  record_.eta.reset();
  if (record_.total > 0 && record_.rate > 0) {
    const double left = static_cast<double>(record_.total - std::min(record_.total, done));
    const double eta = std::min(left / record_.rate, 1e8);
    record_.eta = std::chrono::nanoseconds(static_cast<int64_t>(eta * 1e9));
  }
  return record_;
}

const Progress& ProgressMeter::finish(uint64_t done) {
  const double passed = seconds(clock_.monotonic() - began_);
  record_.done = done;
  record_.rate = passed > 0 ? static_cast<double>(done) / passed : 0;
  record_.eta.reset();
  return record_;
}

std::string progress_line(const Progress& progress, size_t width) {
  std::string facts;
  if (progress.total > 0) {
    const double part = 100.0 * static_cast<double>(std::min(progress.done, progress.total)) /
                        static_cast<double>(progress.total);
    facts += "  " + std::to_string(static_cast<int>(part)) + "%";
  }
  facts += "  " + amount(progress, progress.done);
  if (progress.total > 0) facts += " / " + amount(progress, progress.total);
  facts += "  " + amount(progress, static_cast<uint64_t>(std::max(progress.rate, 0.0))) + "/s";
  if (progress.eta) facts += "  ETA " + format_duration(*progress.eta);
  std::string head = printable(progress.phase);
  if (!progress.current.empty()) head += "  " + printable(progress.current);
  const size_t room = width > width_of(facts) ? width - width_of(facts) : 0;
  return cut_to(cut_to(head, room) + facts, width);
}

std::string progress_json(const Progress& progress) {
  Json record = {
      {"phase", progress.phase},
      {"done", progress.done},
      {"total", progress.total > 0 ? Json(progress.total) : Json(nullptr)},
      {"unit", progress.unit},
      {"rate", std::round(progress.rate)},
      {"eta", progress.eta ? Json(std::round(seconds(*progress.eta) * 10) / 10) : Json(nullptr)},
      {"current", progress.current}};
  return json_line(record);
}

ProgressPrinter::ProgressPrinter(ProgressStyle style, const os::Clock& clock, Write write,
                                 size_t width)
    : style_(style), clock_(clock), write_(std::move(write)), width_(width) {}

void ProgressPrinter::show(const Progress& progress) {
  if (style_ == ProgressStyle::none) return;
  const auto pause = style_ == ProgressStyle::terminal ? std::chrono::milliseconds(100)
                                                       : std::chrono::milliseconds(1000);
  const auto now = clock_.monotonic();
  if (last_ && now - *last_ < pause) return;
  last_ = now;
  draw(progress);
}

void ProgressPrinter::finish(const Progress& progress) {
  if (style_ == ProgressStyle::none) return;
  draw(progress);
  if (style_ == ProgressStyle::terminal) write_("\n");
}

void ProgressPrinter::draw(const Progress& progress) {
  if (style_ == ProgressStyle::terminal) {
    write_("\r\x1b[K" + progress_line(progress, width_));
  } else if (style_ == ProgressStyle::json) {
    write_(progress_json(progress) + "\n");
  } else {
    write_(progress_line(progress, 1000) + "\n");
  }
}

}  // namespace cb::report
