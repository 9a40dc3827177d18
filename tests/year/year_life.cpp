// SPDX-License-Identifier: Apache-2.0
#include "tests/year/year_life.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/year/year_look.h"

namespace cb::year {
namespace {

void tell(const Tally& tally, const PackBytesHeld& held) {
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "%llu snapshots acknowledged, %llu of them without a word; %llu refused by a full store, "
      "%llu broken by a crash of it; %llu kills, %llu of them inside; %llu crashes; %llu bits "
      "turned; %llu requests approved; %llu of %llu bytes of blobs are dead, %llu of them records "
      "of sessions\n",
      number(tally.backups), number(tally.unsaid), number(tally.backups_full),
      number(tally.backups_crashed), number(tally.kills), number(tally.kills_inside),
      number(tally.crashes), number(tally.rot), number(tally.approved), number(held.dead),
      number(held.all), number(held.dead_records));
}

// Did what the year is about happen at all?
void look_at_tally(Course& course) {
  const Tally& tally = course.tally();
  EXPECT_GT(tally.backups, kSources * kDays * 9 / 10);
  EXPECT_GE(tally.backups_full, 20u);
  EXPECT_GT(freed_on_full_days(course), 0u) << "a full store must not stop collection";
  EXPECT_GE(tally.kills + tally.crashes, 3u * (kDays / 7));
  EXPECT_GE(tally.kills_inside, 30u);
  EXPECT_GE(tally.crashes, 30u);
  EXPECT_EQ(tally.rot, 4u);
  EXPECT_GE(tally.approved, 1u);
}

}  // namespace

uint64_t seed_of_year(uint64_t otherwise) {
  const char* text = std::getenv("CB_YEAR_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

void live(const CourseSettings& settings) {
  SCOPED_TRACE("CB_YEAR_SEED=" + std::to_string(settings.seed));
  Course course(settings);
  ASSERT_NO_THROW(course.run());
  const PackBytesHeld held = look_at_packs(course);
  tell(course.tally(), held);
  EXPECT_LE(held.dead * 10, held.all) << "more than a tenth of the packs is dead";
  look_at_tally(course);
  look_at_retention(course);
  look_at_jobs(course);
  look_at_audit(course);
  look_at_health(course);
  look_at_contents(course);
  look_at_events(course);
}

}  // namespace cb::year
