// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup key`: the slots that hold the repository's keys under passphrases and recovery
// codes, and the rotation of what they open.
#include <algorithm>

#include "core/base/units.h"
#include "core/client/recovery_code.h"
#include "core/report/json.h"
#include "core/report/table.h"
#include "core/repository/slots.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/owner_tools.h"
#include "hosts/cyberbackup/passphrase.h"
#include "hosts/cyberbackup/slot_choice.h"
#include "hosts/cyberbackup/unlock.h"

namespace cb {
namespace {

using report::Json;
using repository::KeySlot;
using repository::SlotKind;

constexpr const char* kKeyExample =
    "Examples:\n"
    "  cyberbackup key list\n"
    "  cyberbackup key add                    a further passphrase\n"
    "  cyberbackup key add --recovery-code    a further recovery code, printed once\n"
    "  cyberbackup key remove 4f1c            the slot whose id begins so\n"
    "  cyberbackup key rotate                 new keys for what is backed up from now on";
constexpr const char* kRotateExample =
    "Example:\n"
    "  cyberbackup key rotate\n"
    "\n"
    "Asks for the passphrase. New backups are sealed for new keys at once, and the keys of the\n"
    "older ones are wrapped anew, so that the older keys can be forgotten. Nothing is uploaded\n"
    "again; passphrases and codes stay. When it was interrupted, run it again.";

struct AddOptions {
  bool recovery_code = false;
  std::string new_passphrase_file;
};

std::string kind_of(const KeySlot& slot) {
  switch (slot.kind) {
    case SlotKind::passphrase:
      return "passphrase";
    case SlotKind::recovery_code:
      return "recovery code";
    case SlotKind::server:
      return "server";
    case SlotKind::device:
      return "device";
  }
  return {};
}

Json slot_json(const KeySlot& slot) {
  return {{"id", slot.id.hex()},
          {"kind", slot.kind == SlotKind::recovery_code ? "recovery_code" : kind_of(slot)},
          {"operations", slot.operations},
          {"memory", slot.memory}};
}

Status list(const CommonOptions& options) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_TRY(need_role(*connected.place, {repository::Role::owner, repository::Role::reader},
                   "see key slots"));
  CB_ASSIGN(const std::vector<KeySlot> slots, connected.session->slots());
  if (options.json) {
    Json all = Json::array();
    for (const KeySlot& slot : slots) all.push_back(slot_json(slot));
    return write_done({{"slots", all}});
  }
  report::Table table({{"SLOT"}, {"KIND"}, {"STRETCHING"}});
  for (const KeySlot& slot : slots)
    table.add({slot.id.hex(), kind_of(slot),
               slot.kind == SlotKind::passphrase
                   ? std::to_string(slot.operations) + " passes, " + format_size(slot.memory)
                   : ""});
  return write_out(table.text());
}

Result<Secret> new_passphrase(const AddOptions& add) {
  if (!add.new_passphrase_file.empty()) return passphrase_of_file(add.new_passphrase_file);
  return ask_terminal("New passphrase: ", true);
}

Status tell_added(const CommonOptions& options, const KeySlot& slot, const std::string& code) {
  if (options.json) {
    Json json = {{"slot", slot_json(slot)}};
    if (!code.empty()) json["recovery_code"] = code;
    return write_done(std::move(json));
  }
  std::string text = "Added key slot " + slot.id.hex() + " (" + kind_of(slot) + ").\n";
  if (!code.empty())
    text += "\nRecovery code:\n\n    " + code +
            "\n\nIt is shown this once. Write it down and keep it away from this machine.\n";
  return write_out(text);
}

Status add(const CommonOptions& options, const AddOptions& add) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_ASSIGN(const client::Unlocked unlocked,
            unlock_owner(*connected.place, *connected.session, "change key slots"));
  const repository::SlotMaker maker{*connected.place->suite().crypto, os::system_random(),
                                    connected.place->profile().repository, unlocked.keyring};
  if (!add.recovery_code) {
    CB_ASSIGN(const Secret passphrase, new_passphrase(add));
    CB_ASSIGN(const KeySlot slot,
              repository::make_passphrase_slot(maker, as_text(passphrase.view()), {}));
    CB_TRY(connected.session->add_slot(slot));
    return tell_added(options, slot, {});
  }
  Secret code(repository::kRecoveryCodeSize);
  CB_TRY(os::system_random().fill(code.span()));
  CB_ASSIGN(const KeySlot slot, repository::make_recovery_slot(maker, code.view()));
  CB_TRY(connected.session->add_slot(slot));
  return tell_added(options, slot, client::format_recovery_code(code.view()));
}

// Slots of the first format stand in the way of a new record: they cannot be sealed anew unless
// they are opened.
bool is_first_format(const KeySlot& slot) { return slot.cipher.empty(); }

// Who removes a slot must be able to open another: else the backups would be lost to him.
Result<client::Unlocked> unlock_remaining(const Connected& connected,
                                          std::vector<KeySlot> remaining) {
  client::Unlocked unlocked;
  CB_ASSIGN(unlocked.record, connected.session->record());
  auto keys =
      open_owner_slots(connected.place->common_options(), connected.place->suite(), unlocked.record,
                       remaining, "Passphrase or recovery code of a slot that stays: ");
  if (!keys)
    return failed(std::move(keys).error().with_advice(
        "give the passphrase or recovery code of a slot that stays"));
  unlocked.keyring = std::move(keys->keyring);
  unlocked.secret = std::move(keys->secret);
  unlocked.slots = std::move(remaining);
  return unlocked;
}

// Revoked as well as removed: a server could bring the slot back, and the next rotation would seal
// to it.
Status remove_slot(const Connected& connected, const KeySlot& chosen, client::Unlocked unlocked) {
  if (std::any_of(unlocked.slots.begin(), unlocked.slots.end(), is_first_format))
    return connected.session->remove_slot(chosen.id);
  using Any = decltype(repository::Revocation::id);
  const std::vector<repository::Revocation> revoked = {{Any{chosen.id.bytes}, 0}};
  CB_ASSIGN(const client::RotationParts parts, rotation_parts(connected));
  CB_TRY(client::revoke(parts, unlocked, revoked));
  return connected.place->keep_record(unlocked.record);
}

Status remove(const CommonOptions& options, const std::string& text) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_TRY(need_role(*connected.place, {repository::Role::owner}, "change key slots"));
  CB_ASSIGN(std::vector<KeySlot> slots, connected.session->slots());
  CB_ASSIGN(const KeySlot chosen, choose_slot(slots, text));
  if (chosen.kind == SlotKind::device)
    return failed(Code::denied, "key slot " + chosen.id.hex(), "is a reader's",
                  "run `cyberbackup device revoke " + chosen.id.hex().substr(0, 12) + "`");
  std::erase_if(slots, [&](const KeySlot& slot) {
    return slot.id == chosen.id || slot.kind == SlotKind::device;
  });
  if (slots.empty())
    return failed(Code::denied, "key slot " + chosen.id.hex(), "is the last one",
                  "add another with `cyberbackup key add` first");
  CB_ASSIGN(client::Unlocked unlocked, unlock_remaining(connected, std::move(slots)));
  CB_TRY(remove_slot(connected, chosen, std::move(unlocked)));
  if (options.json) return write_done({{"removed", slot_json(chosen)}});
  return write_out("Removed key slot " + chosen.id.hex() + " (" + kind_of(chosen) + ").\n");
}

Status rotate(const CommonOptions& options) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_ASSIGN(client::Unlocked unlocked,
            unlock_owner(*connected.place, *connected.session, "rotate the keys"));
  CB_ASSIGN(const client::RotationParts parts, rotation_parts(connected));
  const auto report = client::rotate(parts, unlocked, {});
  CB_TRY(connected.place->keep_record(unlocked.record));
  if (!report) return failed(report.error());
  return tell(options, json_of(*report), text_of(*report), whole(*report));
}

void finish(const CommonOptions& options, const Status& done, int& exit_code) {
  if (!done) exit_code = report_failure(options, done.error());
}

}  // namespace

void add_key_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("key", "Passphrases and recovery codes that open the backups");
  command->require_subcommand(1);
  command->footer(kKeyExample);

  CLI::App* list_command = command->add_subcommand("list", "Show the key slots");
  list_command->footer("Example:\n  cyberbackup key list --json");
  list_command->callback([&options, &exit_code] { finish(options, list(options), exit_code); });

  CLI::App* add_command = command->add_subcommand("add", "Add a passphrase or a recovery code");
  add_command->footer("Examples:\n  cyberbackup key add\n  cyberbackup key add --recovery-code");
  const auto wanted = std::make_shared<AddOptions>();
  add_command->add_flag("--recovery-code", wanted->recovery_code, "Make a recovery code");
  add_command->add_option("--new-passphrase-file", wanted->new_passphrase_file,
                          "File with the new passphrase, instead of the terminal");
  add_command->callback(
      [&options, &exit_code, wanted] { finish(options, add(options, *wanted), exit_code); });

  add_key_export_command(*command, options, exit_code);

  CLI::App* remove_command = command->add_subcommand("remove", "Remove a key slot");
  remove_command->footer(
      "Example:\n  cyberbackup key remove 4f1c\n\nAsks for the passphrase or the recovery code of "
      "a "
      "slot that stays.");
  const auto slot = std::make_shared<std::string>();
  remove_command->add_option("SLOT", *slot, "Id of the slot, or how it begins")->required();
  remove_command->callback(
      [&options, &exit_code, slot] { finish(options, remove(options, *slot), exit_code); });

  CLI::App* rotate_command = command->add_subcommand("rotate", "Draw new keys");
  rotate_command->footer(kRotateExample);
  rotate_command->callback([&options, &exit_code] { finish(options, rotate(options), exit_code); });
}

}  // namespace cb
