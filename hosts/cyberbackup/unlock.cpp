// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/unlock.h"

#include <algorithm>

#include "core/client/open_keyring.h"
#include "core/client/recovery_code.h"
#include "hosts/cyberbackup/passphrase.h"

namespace cb {
namespace {

using repository::Keyring;
using repository::KeySlot;
using repository::Role;

constexpr int kTries = 3;  // at the terminal
constexpr const char* kPrompt = "Passphrase: ";

// Asks, and asks again at a terminal when `open` says Code::denied.
template <typename Open>
auto ask(const CommonOptions& options, const std::string& prompt, const Open& open)
    -> decltype(open(Secret())) {
  const int tries = has_written_passphrase(options) ? 1 : kTries;
  for (int i = 1;; ++i) {
    CB_ASSIGN(Secret secret, read_passphrase(options, prompt));
    auto opened = open(std::move(secret));
    const bool again = !opened && opened.error().code == Code::denied && i < tries;
    if (!again) return opened;
  }
}

// What opened slots of the first format is needed to make them anew: a code as its bytes.
Secret spelled_out(Secret typed) {
  if (!client::looks_like_recovery_code(as_text(typed.view()))) return typed;
  auto code = client::parse_recovery_code(as_text(typed.view()));
  return code ? std::move(*code) : std::move(typed);
}

Result<Keyring> unlock_reader(const Workplace& place, const std::vector<KeySlot>& slots,
                              const repository::RepositoryRecord& record) {
  const client::Profile& profile = place.profile();
  CB_ASSIGN(const auto lock, repository::decode_device_lock(profile.reader_lock));
  const repository::DeviceId device = place.device();
  const repository::DeviceSlotPlace where{*place.suite().crypto, profile.repository, profile.root,
                                          device};
  return ask(place.common_options(),
             "Passphrase of this device: ", [&](const Secret& secret) -> Result<Keyring> {
               CB_ASSIGN(Keyring keyring,
                         repository::open_device_slot(where, slots, lock, as_text(secret.view())));
               CB_TRY(repository::check_keyring(where.crypto, keyring, record));
               return keyring;
             });
}

std::string list_of(std::initializer_list<Role> roles) {
  std::string text;
  for (const Role role : roles) text += (text.empty() ? "" : " or ") + client::name_of(role);
  return text;
}

}  // namespace

Status need_role(const Workplace& place, std::initializer_list<Role> roles,
                 const std::string& doing) {
  const Role role = place.profile().role;
  if (std::find(roles.begin(), roles.end(), role) != roles.end()) return {};
  return failed(Code::denied, "profile " + place.common_options().profile,
                "is of a " + client::name_of(role) + ", which may not " + doing,
                "use a device whose role is " + list_of(roles));
}

Result<OwnerKeys> open_owner_slots(const CommonOptions& options, const repository::Suite& suite,
                                   const repository::RepositoryRecord& record,
                                   const std::vector<KeySlot>& slots, const std::string& prompt) {
  return ask(options, prompt, [&](Secret secret) -> Result<OwnerKeys> {
    CB_ASSIGN(Keyring keyring,
              client::open_keyring(*suite.crypto, record.id, slots, as_text(secret.view())));
    CB_TRY(repository::check_keyring(*suite.crypto, keyring, record));
    return OwnerKeys{std::move(keyring), spelled_out(std::move(secret))};
  });
}

Result<client::Unlocked> unlock_owner(Workplace& place, repository::Remote& remote,
                                      const std::string& doing) {
  CB_TRY(need_role(place, {Role::owner}, doing));
  client::Unlocked unlocked;
  CB_ASSIGN(unlocked.slots, remote.slots());
  CB_ASSIGN(unlocked.record, remote.record());
  CB_ASSIGN(OwnerKeys keys, open_owner_slots(place.common_options(), place.suite(), unlocked.record,
                                             unlocked.slots, kPrompt));
  unlocked.keyring = std::move(keys.keyring);
  unlocked.secret = std::move(keys.secret);
  return unlocked;
}

Result<repository::DeviceNames> names_of(const Workplace& place, const Keyring& keyring) {
  return repository::DeviceNames::make(*place.suite().crypto, place.profile().repository,
                                       keyring.root_seed.view());
}

Result<Keyring> Workplace::unlock(repository::Remote& remote) {
  CB_TRY(need_role(*this, {Role::owner, Role::reader}, "read backups"));
  CB_ASSIGN(const std::vector<KeySlot> slots, remote.slots());
  CB_ASSIGN(const repository::RepositoryRecord record, remote.record());
  if (profile().role == Role::reader) return unlock_reader(*this, slots, record);
  CB_ASSIGN(OwnerKeys keys, open_owner_slots(common_options(), suite(), record, slots, kPrompt));
  return std::move(keys.keyring);
}

Result<std::unique_ptr<repository::Opener>> Workplace::opener(repository::Remote& remote) {
  CB_ASSIGN(const Keyring keyring, unlock(remote));
  return repository::Opener::make(suite(), profile().repository, keyring);
}

}  // namespace cb
