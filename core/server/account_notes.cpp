// SPDX-License-Identifier: Apache-2.0
#include "core/server/account_notes.h"

#include <algorithm>

namespace cb::server {

Status AccountNotes::keep(int64_t number) {
  const auto lock = locks_.lock(number);
  CB_ASSIGN(const auto account, accounts_.account_by_number(number));
  if (!account) return failed(Code::not_found, "account", "is not known");
  CB_ASSIGN(const auto repository, engine_.of_account(account->name));
  if (!repository) return {};
  CB_ASSIGN(const auto devices, accounts_.devices(number));
  repository::AccountRecord note = repository::note_of(*account);
  for (const catalog::Device& device : devices)
    if (device.state != catalog::DeviceState::active)
      note.devices.push_back(
          {repository::DeviceId{device.id}, static_cast<uint64_t>(device.state)});
  std::sort(note.devices.begin(), note.devices.end(),
            [](const auto& one, const auto& other) { return one.device < other.device; });
  return engine_.put_account(*repository, note);
}

}  // namespace cb::server
