// SPDX-License-Identifier: Apache-2.0
//
// docs/corruption.md, written from the table.
#include <algorithm>

#include "tests/damage/table.h"

namespace cb::damage {
namespace {

constexpr std::string_view kHead =
    "# What damage does\n"
    "\n"
    "Whoever wonders what becomes of a damaged file finds it here. `damage_test` writes this page "
    "from its table, in which each cell is what\n"
    "the real programs did with a damaged copy of a whole account, on `store-fs` and on "
    "`store-sqlite`; so the page cannot say anything else than\n"
    "what is so. How one is tried: `tests/damage`. All cells: `CB_DAMAGE_ALL=1 damage_test`; the "
    "page anew: `damage_test --write-table`.\n"
    "\n"
    "In every cell: no program crashes or hangs, nothing wrong is ever restored as right, what was "
    "not damaged still restores, and the next\n"
    "backup restores as what was saved (where a `!` stands, after what the message says was "
    "done).\n"
    "\n"
    "A cell says who notices first, and after the arrow what makes it well again. A dash: nobody "
    "has to, for the reason in the last column. `n/a`: there is no such\n"
    "damage. Parts of packs and rows of the catalog have no name of their own and no copies, so "
    "they are not missing, swapped, doubled or old by themselves; a bit or a page of a\n"
    "whole pack is one of its parts; what is alone of its kind changes places with nothing; and "
    "what never changes, or is there for a short while, has no earlier version.\n"
    "\n"
    "| kind of damage | |\n"
    "| --- | --- |\n"
    "| bit | one bit turned in the middle |\n"
    "| zeros, noise | 4 KiB from the middle on overwritten |\n"
    "| cut | the second half is gone |\n"
    "| missing | it is gone |\n"
    "| swapped | it changed places with another of its kind |\n"
    "| doubled | a copy under another name; where only one name makes sense, its content twice |\n"
    "| old | an earlier version is back |\n"
    "\n"
    "| word | who |\n"
    "| --- | --- |\n"
    "| start | the daemon does not start, or an error line of its log at the start |\n"
    "| check, read | `cyberbackupd check`, `cyberbackupd check --read-data` |\n"
    "| verify | the job `verify` |\n"
    "| client | any command of a client that connects |\n"
    "| client check | `cyberbackup check --read-data` |\n"
    "| restore, backup | the client's command |\n"
    "| audit | `cyberbackupd audit verify` |\n"
    "| export | `cyberbackupd legacy export` |\n"
    "| rescue | `cyberbackup-rescue check` |\n"
    "| use | the command that takes the file |\n"
    "\n"
    "| after the arrow | |\n"
    "| --- | --- |\n"
    "| itself | the daemon's start or the next command makes it well |\n"
    "| verify | the job writes it anew |\n"
    "| backup | the next backup sends it again, after `verify` noticed it |\n"
    "| compact | the job writes the pack anew, after `verify` found it bad |\n"
    "| rebuild | `cyberbackupd rebuild-catalog`, and the next backup |\n"
    "| as told | what the message says: bring the file back, delete it, or make another |\n"
    "| lost | snapshots from before lack what was damaged, which is named; everything else is "
    "there, the next backup is whole |\n";

// Who is told of first, the cheapest first.
constexpr std::array<std::pair<Looker, std::string_view>, 14> kLookers = {{
    {Looker::start, "start"},
    {Looker::check, "check"},
    {Looker::read_check, "read"},
    {Looker::verify, "verify"},
    {Looker::audit, "audit"},
    {Looker::client, "client"},
    {Looker::backup, "backup"},
    {Looker::restore_new, "restore"},
    {Looker::client_check, "client check"},
    {Looker::restore_old, "restore"},
    {Looker::legacy, "export"},
    {Looker::rescue, "rescue"},
    {Looker::use, "use"},
    {Looker::nobody, "—"},
}};

std::string_view first_of(uint32_t lookers) {
  for (const auto& [looker, word] : kLookers)
    if ((lookers & looker) != 0 || looker == Looker::nobody) return word;
  return {};
}

std::string_view short_name_of(Cure cure) {
  switch (cure) {
    case Cure::itself:
      return "itself";
    case Cure::verify:
      return "verify";
    case Cure::backup:
      return "backup";
    case Cure::compact:
      return "compact";
    case Cure::rebuild:
      return "rebuild";
    case Cure::advice:
      return "as told";
    case Cure::nothing:
      return "lost";
    case Cure::none_needed:
      return "";
  }
  return {};
}

std::string text_of(const Cell& cell) {
  if (cell.cannot_be) return "n/a";
  std::string text(first_of(cell.seen_by));
  if (cell.cure != Cure::none_needed) text += " → " + std::string(short_name_of(cell.cure));
  if (cell.next == Next::after_cure) text += " !";
  return text;
}

// Where the stores differ, both.
std::string text_of(const std::vector<Cell>& cells, Place place, Kind kind) {
  std::string text;
  for (const Cell& cell : cells) {
    if (cell.place != place || cell.kind != kind) continue;
    const std::string one = text_of(cell);
    if (text.empty())
      text = one;
    else if (text != one)
      text += "; sqlite: " + one;
  }
  return text;
}

// Why nobody has to notice: each reason once, with the kinds that it is about.
std::string reasons_of(const std::vector<Cell>& cells, Place place) {
  std::vector<std::pair<std::string_view, std::string>> reasons;
  for (const Cell& cell : cells) {
    if (cell.place != place || cell.why.empty() || cell.cannot_be) continue;
    auto at = std::find_if(reasons.begin(), reasons.end(),
                           [&](const auto& one) { return one.first == cell.why; });
    if (at == reasons.end()) at = reasons.insert(at, {cell.why, ""});
    const std::string_view name = name_of(cell.kind);
    if (at->second.find(name) == std::string::npos)
      at->second += (at->second.empty() ? "" : ", ") + std::string(name);
  }
  std::string text;
  for (const auto& [why, kinds] : reasons)
    text += (text.empty() ? "" : "; ") + kinds + ": " + std::string(why);
  return text;
}

std::string table_of(const std::vector<Cell>& cells, Place first, Place last) {
  std::string text = "\n| what |";
  for (size_t kind = 0; kind < kKinds; ++kind)
    text += " " + std::string(name_of(static_cast<Kind>(kind))) + " |";
  text += " why nobody has to notice |\n|";
  for (size_t column = 0; column < kKinds + 2; ++column) text += " --- |";
  text += "\n";
  for (auto place = static_cast<size_t>(first); place <= static_cast<size_t>(last); ++place) {
    const auto row = static_cast<Place>(place);
    text += "| " + std::string(name_of(row)) + " |";
    for (size_t kind = 0; kind < kKinds; ++kind)
      text += " " + text_of(cells, row, static_cast<Kind>(kind)) + " |";
    text += " " + reasons_of(cells, row) + " |\n";
  }
  return text;
}

}  // namespace

std::vector<Cell> all_cells() {
  std::vector<Cell> all;
  for (const auto cells : {store_cells(), daemon_cells(), device_cells()})
    all.insert(all.end(), cells.begin(), cells.end());
  return all;
}

std::string page_of(const std::vector<Cell>& cells) {
  return std::string(kHead) + "\n## What lies in the store\n" +
         table_of(cells, Place::repository_record, Place::store_file) +
         "\n## Files of the daemon\n" + table_of(cells, Place::catalog, Place::configuration) +
         "\n## Files of a device\n" + table_of(cells, Place::profile, Place::key_file);
}

}  // namespace cb::damage
