// SPDX-License-Identifier: Apache-2.0
#include "core/rescue/rescue_key.h"

#include <algorithm>
#include <optional>

#include "core/identity/signing.h"
#include "core/repository/signatures.h"

namespace cb::rescue {
namespace {

constexpr std::string_view kFirst = "cyberbackup key 1\n";
constexpr std::string_view kWarning =
    "# Opens every backup of this repository: keep it as safe as what is backed up.\n";
constexpr size_t kCheckBytes = 8;
constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string check_of(std::string_view before) {
  const auto hash = identity::sha256(as_bytes(before));
  return to_hex(ByteView(hash).first(kCheckBytes));
}

// The rest of the one line that begins with `name` and a space; nothing without it.
std::optional<std::string_view> line_of(std::string_view text, std::string_view name) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ')
      return line.substr(name.size() + 1);
    at = end + 1;
  }
  return std::nullopt;
}

Error damaged(std::string cause) {
  return fail(Code::corrupt, "key file", std::move(cause),
              "take another copy of it, or the passphrase or recovery code");
}

// Base64 that leaves no copy of a secret behind, as to_base64 and from_base64 do.
Secret secret_base64(ByteView bytes) {
  Secret text((bytes.size() + 2) / 3 * 4);
  const ByteSpan out = text.span();
  for (size_t from = 0, to = 0; from < bytes.size(); from += 3, to += 4) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i)
      group =
          group << 8 | (from + i < bytes.size() ? std::to_integer<uint32_t>(bytes[from + i]) : 0);
    const size_t used = std::min<size_t>(3, bytes.size() - from);
    for (size_t i = 0; i < 4; ++i) {
      const char digit = i <= used ? kDigits[group >> (18 - 6 * i) & 63] : '=';
      out[to + i] = static_cast<std::byte>(digit);
    }
  }
  return text;
}

Result<Secret> bytes_of_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  Secret bytes(text.size() * 3 / 4);
  const ByteSpan out = bytes.span();
  uint32_t group = 0;
  size_t to = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t digit = kDigits.find(text[i]);
    if (digit == std::string_view::npos)
      return failed(damaged("has a character that is no base64"));
    group = group << 6 | static_cast<uint32_t>(digit);
    if (i % 4 == 0) continue;
    out[to++] = static_cast<std::byte>(group >> (6 - 2 * (i % 4)) & 0xff);
  }
  return bytes;
}

void append(Secret& text, ByteView more) {
  Secret longer(text.size() + more.size());
  std::copy(text.view().begin(), text.view().end(), longer.span().begin());
  std::copy(more.begin(), more.end(), longer.span().begin() + static_cast<ptrdiff_t>(text.size()));
  text = std::move(longer);
}

void append(Secret& text, std::string_view more) { append(text, as_bytes(more)); }

}  // namespace

Secret format_rescue_key(const RescueKey& key) {
  Secret text(0);
  append(text, kFirst);
  append(text, kWarning);
  append(text, "repository " + key.record.id.hex() + "\n");
  append(text, "record " + to_base64(repository::encode(key.record)) + "\nkeyring ");
  const Secret keyring = repository::encode(key.keyring);
  append(text, secret_base64(keyring.view()).view());
  append(text, std::string_view("\n"));
  append(text, "check " + check_of(as_text(text.view())) + "\n");
  return text;
}

Result<RescueKey> parse_rescue_key(std::string_view text) {
  if (!text.starts_with(kFirst))
    return failed(Code::invalid, "key file", "does not begin with \"cyberbackup key 1\"",
                  "name a file that `cyberbackup key export` wrote");
  const size_t last = text.rfind("\ncheck ");
  if (last == std::string_view::npos) return failed(damaged("is cut off"));
  const std::string_view before = text.substr(0, last + 1);
  if (line_of(text.substr(last + 1), "check") != check_of(before))
    return failed(damaged("does not have the check it should"));
  const auto record = line_of(before, "record");
  const auto keyring = line_of(before, "keyring");
  if (!record || !keyring) return failed(damaged("lacks a line"));
  RescueKey key;
  CB_ASSIGN(const Bytes encoded, from_base64(*record));
  CB_ASSIGN(key.record, repository::decode_repository(encoded));
  CB_ASSIGN(const Secret secret, bytes_of_base64(*keyring));
  CB_ASSIGN(key.keyring, repository::decode_keyring(secret.view()));
  if (!repository::verify_record(key.record, key.record.root))
    return failed(damaged("has a record that its owner did not sign"));
  if (key.keyring.role == repository::Role::writer)
    return failed(Code::denied, "key file", "is of a device that may only write",
                  "export the key of an owner");
  return key;
}

}  // namespace cb::rescue
