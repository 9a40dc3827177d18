// SPDX-License-Identifier: Apache-2.0
#include "core/repository/session_context.h"

#include <array>

#include "core/plugin/instance.h"

namespace cb::repository {

Bytes session_context(const RepositoryId& repository, const SessionId& session, uint32_t epoch) {
  Bytes context = to_bytes(as_bytes("cyberbackup/session/1"));
  context.insert(context.end(), repository.bytes.begin(), repository.bytes.end());
  context.insert(context.end(), session.bytes.begin(), session.bytes.end());
  std::array<std::byte, 4> number{};
  store_le(number.data(), epoch);
  context.insert(context.end(), number.begin(), number.end());
  return context;
}

Status check_suite(const plugin::Crypto& crypto, const std::string& suite) {
  const std::string& here = crypto.instance()->id();
  if (here == suite) return {};
  return failed(Code::unsupported, "crypto suite",
                "'" + suite + "' is needed, the plugin in hand is '" + here + "'",
                "install the plugin " + suite);
}

Result<plugin::Key> session_key_of(const SessionRecord& record, const RepositoryId& repository,
                                   const SessionId& session, const plugin::KeyPair& epoch) {
  const auto wrong = [&](const Error& error) {
    return failed(Code::auth, "session " + session.hex(),
                  "its key does not come out: " + error.cause);
  };
  auto key =
      epoch.decapsulate(session_context(repository, session, record.epoch), record.kem_cipher);
  if (!key) return wrong(key.error());
  if (record.wrapped.empty()) return key;
  auto inner = key->unwrap(record.wrapped);
  if (!inner) return wrong(inner.error());
  return inner;
}

}  // namespace cb::repository
