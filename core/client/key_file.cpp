// SPDX-License-Identifier: Apache-2.0
#include "core/client/key_file.h"

#include <algorithm>

#include "core/identity/signing.h"

namespace cb::client {
namespace {

constexpr size_t kSeedSize = 32;
constexpr size_t kHashSize = 4;
constexpr size_t kKeyTextSize = 2 * kSeedSize + 1 + 2 * kHashSize + 1;
constexpr uint64_t kLongestKept = 1 << 20;
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::byte digit(std::byte value) {
  return static_cast<std::byte>(kHexDigits[std::to_integer<size_t>(value & std::byte{15})]);
}

}  // namespace

Secret key_file_text(ByteView secret) {
  Secret text(kKeyTextSize);
  std::byte* to = text.span().data();
  const auto put = [&to](ByteView bytes) {
    for (const std::byte b : bytes) {
      *to++ = digit(b >> 4);
      *to++ = digit(b);
    }
  };
  put(secret.first(kSeedSize));
  *to++ = std::byte{'-'};
  const identity::Hash hash = identity::sha256(secret);
  put(ByteView(hash).first(kHashSize));
  *to = std::byte{'\n'};
  return text;
}

Result<Secret> read_key_file(os::FileSystem& files, const os::Path& path) {
  CB_ASSIGN(const Secret text, os::read_secret_file(files, path, kLongestKept));
  const std::string_view digits = as_text(text.view()).substr(0, 2 * kSeedSize);
  auto bytes = from_hex(digits);
  Secret secret;
  if (bytes) {
    secret = Secret(*bytes);
    wipe(*bytes);
  }
  if (secret.size() == kSeedSize &&
      equal_in_constant_time(key_file_text(secret.view()).view(), text.view()))
    return secret;
  return failed(Code::corrupt, path.string(), "does not hold the key that was written there",
                "bring the file back from a copy, or enrol this device anew");
}

Status keep_file(os::FileSystem& files, const os::Path& path, ByteView content) {
  const auto there = os::read_secret_file(files, path, kLongestKept);
  if (there && equal_in_constant_time(there->view(), content)) return {};
  return os::write_file_atomically(files, path, content);
}

Status make_lasting_folder(os::FileSystem& files, const os::Path& folder) {
  CB_TRY(files.make_folders(folder));
  // Above it there are `profiles` and the configuration folder.
  os::Path above = folder.parent_path();
  for (int i = 0; i < 3 && !above.empty(); ++i, above = above.parent_path())
    CB_TRY(files.sync_folder(above));
  return {};
}

}  // namespace cb::client
