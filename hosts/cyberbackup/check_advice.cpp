// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/check_advice.h"

#include <algorithm>

namespace cb {
namespace {

std::string counted(uint64_t many, const std::string& what) {
  return std::to_string(many) + " " + what + (many == 1 ? "" : "s");
}

void add_histories(uint64_t many, std::vector<std::string>& advice) {
  if (many == 0) return;
  advice.push_back("The server told another history to the devices of " +
                   counted(many, "snapshot") +
                   ". Ask its operator whether it was restored from a copy; compare with a witness "
                   "(`cyberbackup check --against FILE`) before you trust it again.");
}

void add_poison(const CheckOutcome& outcome, std::vector<std::string>& advice) {
  if (outcome.copies.poisoned_count == 0) return;
  if (outcome.poisoners.empty()) {
    advice.emplace_back(
        "Somebody spoiled blobs, and who it was is not proven: look after the devices named above "
        "and after the server. Nothing leans on these blobs any more, and the next backups send "
        "them again.");
    return;
  }
  std::string text = "Put out who poisoned blobs, unless it was a fault of that machine's: ";
  for (const std::string& device : outcome.poisoners)
    text += (device == outcome.poisoners.front() ? "`" : ", `") +
            ("cyberbackup device revoke " + device + "`");
  advice.push_back(text +
                   ". Nothing leans on these blobs any more, and the next backups of the other "
                   "devices send them again.");
}

void add_records(uint64_t many, std::vector<std::string>& advice) {
  if (many == 0) return;
  advice.push_back(
      counted(many, "record") + " of snapshots or sessions cannot be read or " +
      (many == 1 ? "is" : "are") +
      " not signed by who made them, and no backup makes them again. Use other snapshots; when a "
      "signature is wrong, ask the operator who changed what lies on the server.");
}

void add_content(const CheckOutcome& outcome, std::vector<std::string>& advice) {
  const client::DamageCounts& counts = outcome.snapshots.counts;
  if (counts.present > 0) {
    std::string text = counted(counts.present, "damage") +
                       " can heal: run `cyberbackup backup` on the devices of these snapshots, "
                       "which sends again what did not change, and check again.";
    if (outcome.read_data)
      text +=
          " What is damaged still was not noticed by the server: its operator runs `cyberbackupd "
          "job run verify`, then back up once more.";
    advice.push_back(std::move(text));
  }
  if (counts.past > 0)
    advice.push_back(
        counted(counts.past, "damage") +
        " cannot heal, because no newest snapshot has these files as they were then: restore them "
        "from another snapshot or another copy. Everything else in those snapshots is whole.");
}

void add_whole(const CheckOutcome& outcome, std::vector<std::string>& advice) {
  if (outcome.copies.unread > 0) {
    advice.emplace_back(
        "Nothing is wrong with what could be read; ask the operator to run `cyberbackupd check "
        "--read-data` for the rest.");
  } else if (outcome.read_data) {
    advice.emplace_back("Nothing needs to be done.");
  } else {
    advice.emplace_back(
        "Nothing needs to be done; now and then `cyberbackup check --read-data` opens all content, "
        "too.");
  }
}

bool is_among(const std::vector<client::WitnessFinding>& findings,
              std::initializer_list<client::WitnessFinding::Kind> kinds) {
  return std::any_of(findings.begin(), findings.end(), [&](const client::WitnessFinding& one) {
    return std::find(kinds.begin(), kinds.end(), one.kind) != kinds.end();
  });
}

}  // namespace

std::vector<std::string> advice_of(const CheckOutcome& outcome) {
  std::vector<std::string> advice;
  add_histories(outcome.snapshots.counts.histories, advice);
  add_poison(outcome, advice);
  add_records(outcome.snapshots.counts.records, advice);
  add_content(outcome, advice);
  if (advice.empty()) add_whole(outcome, advice);
  return advice;
}

std::vector<std::string> advice_of(const std::vector<client::WitnessFinding>& findings) {
  using Kind = client::WitnessFinding::Kind;
  std::vector<std::string> advice;
  if (is_among(findings, {Kind::other_server, Kind::older, Kind::forked}))
    advice.emplace_back(
        "The server was set back, replaced, or shows another history. Ask its operator what "
        "happened before you back up to it; if it was restored from a copy, run any command once "
        "with --accept-rollback.");
  if (is_among(findings, {Kind::missing}))
    advice.emplace_back(
        "Snapshots that the witness knows are gone. If neither you nor a rule of retention removed "
        "them (`cyberbackup retention show`), somebody else did: ask the operator for the audit "
        "log.");
  if (is_among(findings, {Kind::trash}))
    advice.emplace_back(
        "What lies in the trash comes back with `cyberbackup undelete`, as long as it is there.");
  if (findings.empty())
    advice.emplace_back("Nothing needs to be done; export a newer witness now and then.");
  return advice;
}

}  // namespace cb
