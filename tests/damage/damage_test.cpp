// SPDX-License-Identifier: Apache-2.0
//
// Every kind of damage to everything that is stored, with the real programs: see table.h.
//   damage_test --write-table FILE          writes docs/corruption.md
//   damage_test --survey [FROM TO [KIND]]   shows what the programs do, cell by cell
// CB_DAMAGE_ALL=1 tries all cells, CB_DAMAGE_DAY=N those that are that day's, and
// CB_DAMAGE_ONLY='PLACE | KIND | STORE', or a part of that, one: a failure says which.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <stdexcept>

#include "tests/damage/street.h"
#include "tests/damage/table.h"
#include "tests/folders.h"

namespace cb::damage {
namespace {

// Tried at each run: each cure, each side, and what was a defect once.
constexpr std::array<Trial, 4> kAlways = {{
    {Store::files, Place::shared_blob, Kind::bit},
    {Store::sqlite, Place::patch, Kind::zeros},
    {Store::files, Place::old_commit, Kind::missing},
    {Store::files, Place::signing_key, Kind::missing},
}};
// And these many others, which the day says: each cell has its turn within a quarter of a year, all
// runs of a day try the same ones, and a red one stays red when it is run again. A fixed draw would
// never see the others; one that differs from run to run would blame whoever comes next.
constexpr size_t kDrawn = 6;

std::string named(const Trial& trial) {
  return std::string(name_of(trial.place)) + " | " + std::string(name_of(trial.kind)) + " | " +
         (trial.store == Store::files ? "store-fs" : "store-sqlite");
}

std::string lookers_text(uint32_t lookers) {
  constexpr std::array<const char*, 13> kWords = {
      "check",       "read_check", "rescue", "start", "client", "client_check", "restore_old",
      "restore_new", "verify",     "backup", "audit", "legacy", "use"};
  std::string text;
  for (size_t i = 0; i < kWords.size(); ++i)
    if ((lookers >> i & 1) != 0) text += (text.empty() ? "" : " | ") + std::string(kWords[i]);
  return text.empty() ? "nobody" : text;
}

const Cell* cell_of(const std::vector<Cell>& cells, const Trial& trial) {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const Cell& cell) {
    return cell.place == trial.place && cell.kind == trial.kind && cell.is_about(trial.store);
  });
  return found == cells.end() ? nullptr : &*found;
}

std::vector<Trial> all_trials() {
  std::vector<Trial> trials;
  for (size_t place = 0; place < kPlaces; ++place)
    for (size_t kind = 0; kind < kKinds; ++kind)
      for (const Store store : {Store::files, Store::sqlite})
        if (is_in(static_cast<Place>(place), store))
          trials.push_back({store, static_cast<Place>(place), static_cast<Kind>(kind)});
  return trials;
}

// What the messages have to name, for this damage.
std::string wanted_name(const Cell& cell, const Outcome& outcome) {
  if (cell.names == "$target") return outcome.target;
  if (cell.names == "$file") return outcome.target.substr(outcome.target.rfind('/') + 1);
  if (cell.names == "$blob") return outcome.blob;
  return std::string(cell.names);
}

// Compares; the transcript is shown of what differs.
void expect_as_in_table(const std::vector<Cell>& cells, const Trial& trial,
                        const Outcome& outcome) {
  SCOPED_TRACE("again: CB_DAMAGE_ONLY='" + named(trial) + "' damage_test");
  const Cell* const cell = cell_of(cells, trial);
  ASSERT_NE(cell, nullptr);
  if (cell->cannot_be) {
    EXPECT_TRUE(outcome.cannot_be) << "there is such damage";
    return;
  }
  ASSERT_TRUE(outcome.was_tried) << outcome.trouble;
  const Observed& seen = outcome.observed;
  bool is_as_expected = seen.broken.empty() && seen.seen_by == cell->seen_by &&
                        seen.cure == cell->cure && seen.next == cell->next;
  for (const std::string& one : seen.broken) ADD_FAILURE() << one;
  EXPECT_EQ(lookers_text(seen.seen_by), lookers_text(cell->seen_by));
  EXPECT_EQ(name_of(seen.cure), name_of(cell->cure));
  EXPECT_EQ(seen.next == Next::fine, cell->next == Next::fine) << "is the next backup fine?";
  const std::string name = wanted_name(*cell, outcome);
  if (seen.said.find(name) == std::string::npos) {
    ADD_FAILURE() << "nobody names " << name;
    is_as_expected = false;
  }
  if (!is_as_expected) ADD_FAILURE() << seen.transcript;
}

// The day's share of all that is possible, in an order that mixes places, kinds and stores.
std::vector<Trial> share_of(size_t day) {
  const auto cells = all_cells();
  std::vector<Trial> all = all_trials();
  std::erase_if(all, [&](const Trial& trial) {
    const Cell* const cell = cell_of(cells, trial);
    return cell == nullptr || cell->cannot_be;
  });
  std::mt19937 same_each_time(1);
  std::shuffle(all.begin(), all.end(), same_each_time);
  std::vector<Trial> share;
  for (size_t i = 0; i < kDrawn; ++i) share.push_back(all[(day * kDrawn + i) % all.size()]);
  return share;
}

std::vector<Trial> trials_of_this_run() {
  std::vector<Trial> all = all_trials();
  if (const char* const only = std::getenv("CB_DAMAGE_ONLY")) {
    std::erase_if(all,
                  [&](const Trial& trial) { return named(trial).find(only) == std::string::npos; });
    if (all.empty()) throw std::runtime_error(std::string("there is no ") + only);
    return all;
  }
  if (std::getenv("CB_DAMAGE_ALL") != nullptr) return all;
  const char* const given = std::getenv("CB_DAMAGE_DAY");
  constexpr std::time_t kSecondsOfDay = 24 * 60 * 60;
  const auto day = given != nullptr ? std::strtoul(given, nullptr, 10)
                                    : static_cast<size_t>(std::time(nullptr) / kSecondsOfDay);
  std::printf("CB_DAMAGE_DAY=%zu\n", static_cast<size_t>(day));
  std::vector<Trial> some(kAlways.begin(), kAlways.end());
  for (const Trial& trial : share_of(day)) some.push_back(trial);
  return some;
}

TEST(DamageTable, says_something_of_every_kind_of_damage_to_everything) {
  const auto cells = all_cells();
  for (const Trial& trial : all_trials()) {
    SCOPED_TRACE(named(trial));
    const auto count = std::count_if(cells.begin(), cells.end(), [&](const Cell& cell) {
      return cell.place == trial.place && cell.kind == trial.kind && cell.is_about(trial.store);
    });
    ASSERT_EQ(count, 1);
    const Cell& cell = *cell_of(cells, trial);
    // Nobody notices, or there is no such damage: the reason is said. Somebody does: a name is.
    if (cell.cannot_be || cell.seen_by == nobody) {
      EXPECT_FALSE(cell.why.empty());
      EXPECT_EQ(cell.cure, Cure::none_needed);
    } else {
      EXPECT_FALSE(cell.names.empty());
      EXPECT_NE(cell.cure, Cure::none_needed);
    }
  }
}

TEST(DamageTable, is_what_the_documentation_shows) {
  EXPECT_TRUE(page_of(all_cells()) == content_of(test::data("../../docs/corruption.md")))
      << "write it anew: damage_test --write-table docs/corruption.md";
}

TEST(Damage, does_in_each_cell_what_the_table_says) {
  if (!Ground::may_move_in()) GTEST_SKIP() << "needs a view of the file system of its own: root";
  Street street;
  for (const Store store : {Store::files, Store::sqlite}) {
    const Observed whole = street.whole(store);
    EXPECT_EQ(lookers_text(whole.seen_by), "nobody") << whole.transcript;
    EXPECT_TRUE(whole.broken.empty()) << whole.broken.front();
  }
  const auto cells = all_cells();
  street.run(trials_of_this_run(), [&](const Trial& trial, const Outcome& outcome) {
    expect_as_in_table(cells, trial, outcome);
  });
}

int write_table(const char* file) {
  write_file(file, page_of(all_cells()));
  return 0;
}

void show(const Trial& trial, const Outcome& outcome) {
  const Observed& seen = outcome.observed;
  std::printf("==== %d|%s|%s|%s|tried %d|cannot %d|seen %x|cure %d|next %d|%s %s|%s\n",
              static_cast<int>(trial.place), std::string(name_of(trial.place)).c_str(),
              std::string(name_of(trial.kind)).c_str(),
              trial.store == Store::files ? "fs" : "sqlite", outcome.was_tried, outcome.cannot_be,
              seen.seen_by, static_cast<int>(seen.cure), static_cast<int>(seen.next),
              outcome.target.c_str(), outcome.blob.c_str(), outcome.trouble.c_str());
  const auto says = [&](const std::string& text) {
    return !text.empty() && seen.said.find(text) != std::string::npos;
  };
  std::printf("NAMES target %d file %d blob %d\n", says(outcome.target),
              says(outcome.target.substr(outcome.target.rfind('/') + 1)), says(outcome.blob));
  for (const std::string& one : seen.broken) std::printf("BROKEN %s\n", one.c_str());
  std::printf("%s\n", seen.transcript.c_str());
  std::fflush(stdout);
}

int survey(const std::vector<int>& numbers) {
  const auto number = [&](size_t at, int otherwise) {
    return at < numbers.size() ? numbers[at] : otherwise;
  };
  std::vector<Trial> trials;
  for (const Trial& trial : all_trials()) {
    const int place = static_cast<int>(trial.place);
    const int kind = number(2, -1);
    if (place >= number(0, 0) && place <= number(1, static_cast<int>(kPlaces)) &&
        (kind < 0 || kind == static_cast<int>(trial.kind)))
      trials.push_back(trial);
  }
  Street street;
  for (const Store store : {Store::files, Store::sqlite}) {
    const Observed whole = street.whole(store);
    std::printf("whole: %s\n%s\n", lookers_text(whole.seen_by).c_str(), whole.transcript.c_str());
  }
  street.run(trials, show);
  return 0;
}

}  // namespace

int run_as_told(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--write-table" && argc == 3) return write_table(argv[2]);
  if (first == "--survey") {
    std::vector<int> numbers;
    for (int i = 2; i < argc; ++i) numbers.push_back(std::atoi(argv[i]));
    return survey(numbers);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

}  // namespace cb::damage

int main(int argc, char** argv) {
  try {
    return cb::damage::run_as_told(argc, argv);
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "damage_test: %s\n", thrown.what());
    return 1;
  }
}
