// SPDX-License-Identifier: Apache-2.0
//
// What was told to people of sources, beside what their backups really were.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/server/watch_book.h"
#include "tests/year/year_look.h"

namespace cb::year {
namespace {

using std::chrono::hours;

// Of a source that comes once a day: a quarter of a day by which its hour may differ, the tolerance
// of the settings, and one round of the job.
constexpr auto kMostLate = kDay + hours(6) + hours(6) + hours(2);

std::string told_name(const Source& source) {
  server::SourceKey key = to_bytes(source.device.device.view());
  key.insert(key.end(), source.hash.bytes.begin(), source.hash.bytes.end());
  return server::text_of_source(key);
}

// When its last whole backup before this time was acknowledged; 0: never.
int64_t last_before(const Course& course, size_t source, int64_t time_ns) {
  int64_t last = 0;
  for (const Snapshot& one : course.snapshots())
    if (one.source == source && !one.is_checkpoint && one.time_ns < time_ns)
      last = std::max(last, one.time_ns);
  return last;
}

std::vector<ToldEvent> told_of(Course& course, size_t source, const char* kind) {
  std::vector<ToldEvent> events = course.house().events();
  const std::string account = House::account_name(course.source(source).account);
  const std::string name = told_name(course.source(source));
  std::erase_if(events, [&](const ToldEvent& one) {
    return one.kind != kind || one.account != account || one.source != name;
  });
  return events;
}

void look_at_silence(Course& course) {
  const Silence& silence = course.silence();
  const int64_t begin = (kBegin + silence.first_day * kDay).count();
  const int64_t end = (kBegin + silence.end_day * kDay).count();
  const int64_t last = last_before(course, silence.source, begin);
  std::vector<int64_t> missed;
  for (const ToldEvent& one : told_of(course, silence.source, server::event::kOverdue))
    if (one.when_ns >= begin && one.when_ns < end) missed.push_back(one.when_ns);
  ASSERT_EQ(missed.size(), 1u) << "a silence is told once";
  EXPECT_GT(missed.front() - last, kDay.count());
  EXPECT_LE(missed.front() - last, std::chrono::nanoseconds(kMostLate).count());
  size_t back = 0;
  for (const ToldEvent& one : told_of(course, silence.source, server::event::kBack))
    back += one.when_ns >= end && one.when_ns < end + 2 * kDay.count() ? 1 : 0;
  EXPECT_EQ(back, 1u) << "and so is its end";
}

// Nobody spoils data in this year, but small sources that are upgraded look much like it: a few of
// many thousand backups.
void look_at_false_alarms(Course& course) {
  constexpr size_t kBackupsForOne = 1000;
  size_t alarms = 0;
  for (const ToldEvent& one : course.house().events())
    alarms += one.kind == server::event::kAnomaly ? 1 : 0;
  EXPECT_LE(alarms, course.snapshots().size() / kBackupsForOne);
}

}  // namespace

void look_at_events(Course& course) {
  look_at_silence(course);
  for (size_t source = 0; source < kSources; ++source)
    for (const ToldEvent& one : told_of(course, source, server::event::kOverdue))
      EXPECT_GT(one.when_ns - last_before(course, source, one.when_ns), kDay.count())
          << course.source(source).name() << " was missed and had come";
  look_at_false_alarms(course);
}

}  // namespace cb::year
