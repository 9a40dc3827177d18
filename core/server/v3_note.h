// SPDX-License-Identifier: Apache-2.0
//
// What the store keeps of a v3 client, so that it is known again when the catalog is lost: the
// object "v3-client" of its repository, sealed to the server's own key
// (docs/repository-format.md). Functions are thread-safe.
#pragma once

#include "core/catalog/catalog.h"
#include "core/plugin/crypto.h"
#include "core/repository/ids.h"

namespace cb::server {

// The name of the object.
std::string v3_note_object(const repository::RepositoryId& repository);

// What is told of a client: id, name, key, hash, and since when, but not when and from where it was
// last seen; and of what was decided about it: min_version, ended_ns, key_replaced, migrated_ns.
struct V3Note {
  catalog::LegacyClient client;
  catalog::LegacyPolicy policy;
};

// Does a note tell anything of this policy?
bool v3_note_tells(const catalog::LegacyPolicy& policy);

// The sealed form.
Result<Bytes> seal_v3_note(const V3Note& note, const repository::RepositoryId& repository,
                           const plugin::Crypto& crypto, const plugin::KeyPair& server_key);
// Code::auth when it is not of this server and repository, Code::corrupt or unsupported when it
// makes no sense.
Result<V3Note> open_v3_note(ByteView sealed, const repository::RepositoryId& repository,
                            const plugin::Crypto& crypto, const plugin::KeyPair& server_key);

// The plain form: version 1 of a client about which nothing was decided, or else version 2.
Bytes encode_v3_note(const V3Note& note);
Result<V3Note> decode_v3_note(ByteView plain);

}  // namespace cb::server
