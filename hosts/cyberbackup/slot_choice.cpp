// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/slot_choice.h"

#include <optional>

#include "core/repository/signatures.h"

namespace cb {
namespace {

constexpr size_t kShortestSlotPrefix = 4;

// How a kind of thing is called, and where to look for its ids.
struct Kind {
  const char* name;
  const char* advice;
};

template <typename Item, typename HexOf>
Result<Item> choose(const std::vector<Item>& items, const std::string& text, const Kind& kind,
                    const HexOf& hex_of) {
  const std::string object = std::string(kind.name) + " '" + text + "'";
  if (text.size() < kShortestSlotPrefix)
    return failed(Code::invalid, object, "is told by fewer than 4 digits", kind.advice);
  std::optional<Item> found;
  for (const Item& item : items) {
    if (!hex_of(item).starts_with(text)) continue;
    if (found) return failed(Code::invalid, object, "is the beginning of several", kind.advice);
    found = item;
  }
  if (found) return *found;
  return failed(Code::not_found, object, "is not there", kind.advice);
}

}  // namespace

Result<repository::KeySlot> choose_slot(const std::vector<repository::KeySlot>& slots,
                                        const std::string& text) {
  return choose(slots, text, {"key slot", "see `cyberbackup key list`"},
                [](const repository::KeySlot& slot) { return slot.id.hex(); });
}

Result<repository::DeviceEntry> choose_device(const repository::DeviceList& list,
                                              const std::string& text) {
  return choose(list.devices, text, {"device", "see `cyberbackup device list`"},
                [](const repository::DeviceEntry& entry) {
                  return repository::device_of(entry.certificate.device).hex();
                });
}

Result<repository::InviteEntry> choose_invite(const repository::DeviceList& list,
                                              const std::string& text) {
  return choose(list.invites, text, {"invite", "see `cyberbackup device list`"},
                [](const repository::InviteEntry& entry) { return entry.invite.id.hex(); });
}

}  // namespace cb
