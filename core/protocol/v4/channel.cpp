// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/channel.h"

namespace cb::v4 {

Result<Bytes> channel_statement(ByteView binding, ByteView nonce, ByteView hello, ByteView reply,
                                const repository::DeviceId& device) {
  if (binding.size() != kBindingSize)
    return failed(Code::corrupt, "channel binding",
                  "has " + std::to_string(binding.size()) + " bytes, not 32");
  if (nonce.size() != kNonceSize)
    return failed(Code::corrupt, "nonce", "has " + std::to_string(nonce.size()) + " bytes, not 32");
  const identity::Hash hello_hash = identity::sha256(hello);
  const identity::Hash reply_hash = identity::sha256(reply);
  Bytes statement = to_bytes(as_bytes("cyberbackup/login/4"));
  for (const ByteView part :
       {binding, nonce, ByteView(hello_hash), ByteView(reply_hash), device.view()})
    statement.insert(statement.end(), part.begin(), part.end());
  return statement;
}

identity::Hash migration_proof(ByteView statement, ByteView challenge) {
  Bytes whole = to_bytes(as_bytes("cyberbackup/migrate/1"));
  whole.reserve(whole.size() + statement.size() + challenge.size());
  whole.insert(whole.end(), statement.begin(), statement.end());
  whole.insert(whole.end(), challenge.begin(), challenge.end());
  const identity::Hash proof = identity::sha256(whole);
  wipe(whole);
  return proof;
}

}  // namespace cb::v4
