// SPDX-License-Identifier: Apache-2.0
//
// The form that pairing tokens and invites share: a prefix that tells the kind, base64url (RFC 4648
// section 5, no padding) of a record, and a check so that typing errors are told. Functions are
// pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/secret.h"

namespace cb::repository {

// What kind of text it is, and how errors call it.
struct PastedKind {
  std::string_view prefix;  // "cb1."
  std::string_view name;    // "token"
  std::string_view title;   // "pairing token"
};

constexpr size_t kMostPastedServers = 16;

// One line without an end.
std::string format_pasted(const PastedKind& kind, ByteView content);

// White space around and line breaks within (mail wraps) do not count. Code::invalid when it is no
// such text or was not copied whole (advice says which).
Result<Secret> parse_pasted(const PastedKind& kind, std::string_view text);

// Does it begin as such a text does, white space aside?
bool looks_pasted(const PastedKind& kind, std::string_view text);

// "host:port", 1 to kMostPastedServers of them. Code::invalid.
Status check_servers(const PastedKind& kind, const std::vector<std::string>& servers);

}  // namespace cb::repository
