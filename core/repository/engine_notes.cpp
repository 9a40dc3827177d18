// SPDX-License-Identifier: Apache-2.0
#include "core/repository/engine_notes.h"

#include <algorithm>

#include "core/repository/engine.h"

namespace cb::repository {

Result<AccountRecord> account_note(catalog::Catalog& catalog, int64_t account) {
  CB_ASSIGN(const auto found, catalog.accounts().account_by_number(account));
  if (!found) return failed(Code::not_found, "account", "is not known");
  CB_ASSIGN(const auto devices, catalog.accounts().devices(account));
  AccountRecord note = note_of(*found);
  for (const catalog::Device& device : devices)
    if (device.state != catalog::DeviceState::active)
      note.devices.push_back({DeviceId{device.id}, static_cast<uint64_t>(device.state)});
  std::sort(note.devices.begin(), note.devices.end(),
            [](const auto& one, const auto& other) { return one.device < other.device; });
  return note;
}

Result<RetentionRecord> retention_note(catalog::Catalog& catalog, int64_t repository,
                                       int64_t now_ns) {
  CB_ASSIGN(const auto rules, catalog.retention().rules(repository));
  CB_ASSIGN(const auto pins, catalog.retention().pins(repository));
  CB_ASSIGN(const auto states, catalog.sources().states(repository));
  RetentionRecord note;
  for (const catalog::RetentionRow& row : rules)
    note.rules.push_back({row.source, row.rules, row.set_ns, row.set_by});
  for (const catalog::PinRow& row : pins)
    note.pins.push_back({BlobId{row.snapshot}, row.until_ns, row.reason, row.set_ns, row.set_by});
  for (const catalog::SourceState& state : states)
    if (state.frozen_ns > now_ns)
      note.freezes.push_back(
          {state.source, state.frozen_ns, state.froze_ns, state.normal, state.reason});
  return note;
}

}  // namespace cb::repository
