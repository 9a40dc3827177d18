// SPDX-License-Identifier: Apache-2.0
//
// Which key slot, device or invite a person means. Functions are pure.
#pragma once

#include <string>
#include <vector>

#include "core/repository/owner_remote.h"

namespace cb {

// `text` is the id or how it begins (at least 4 digits). Code::not_found; Code::invalid when
// several begin so.
Result<repository::KeySlot> choose_slot(const std::vector<repository::KeySlot>& slots,
                                        const std::string& text);
Result<repository::DeviceEntry> choose_device(const repository::DeviceList& list,
                                              const std::string& text);
Result<repository::InviteEntry> choose_invite(const repository::DeviceList& list,
                                              const std::string& text);

}  // namespace cb
