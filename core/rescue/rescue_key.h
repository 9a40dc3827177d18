// SPDX-License-Identifier: Apache-2.0
//
// The text of an exported key: with it alone, packs can be read (docs/rescue.md, "Key files").
// Functions are pure.
#pragma once

#include <string_view>

#include "core/base/secret.h"
#include "core/repository/records.h"

namespace cb::rescue {

struct RescueKey {
  repository::RepositoryRecord record;
  repository::Keyring keyring;
};

// Lines of text, ended by one with a check. Whoever has them reads every backup.
Secret format_rescue_key(const RescueKey& key);

// Code::invalid when it is no such text, Code::corrupt when it is damaged: its check is wrong, a
// record makes no sense, or the record is not signed by its owner.
Result<RescueKey> parse_rescue_key(std::string_view text);

}  // namespace cb::rescue
