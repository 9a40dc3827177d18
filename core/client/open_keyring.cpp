// SPDX-License-Identifier: Apache-2.0
#include "core/client/open_keyring.h"

#include "core/client/recovery_code.h"

namespace cb::client {
namespace {

using repository::Keyring;

// A slot that is not there opens as little as one that does not fit.
Result<Keyring> denied_at_least(Result<Keyring> opened) {
  if (opened || opened.error().code != Code::not_found) return opened;
  return failed(fail(Code::denied, opened.error().object, opened.error().cause));
}

}  // namespace

Result<Keyring> open_keyring(const plugin::Crypto& crypto,
                             const repository::RepositoryId& repository,
                             std::span<const repository::KeySlot> slots, std::string_view secret) {
  const auto by_passphrase = [&] {
    return denied_at_least(repository::open_with_passphrase(crypto, repository, slots, secret));
  };
  if (!looks_like_recovery_code(secret)) return by_passphrase();
  const auto code = parse_recovery_code(secret);
  Error why;
  if (code) {
    auto opened = denied_at_least(
        repository::open_with_recovery_code(crypto, repository, slots, code->view()));
    if (opened || opened.error().code != Code::denied) return opened;
    why = std::move(opened).error();
  } else {
    why = fail(Code::denied, code.error().object, code.error().cause, code.error().advice);
  }
  // Somebody may have a passphrase of this shape all the same.
  auto opened = by_passphrase();
  if (opened || opened.error().code != Code::denied) return opened;
  return failed(std::move(why));
}

}  // namespace cb::client
