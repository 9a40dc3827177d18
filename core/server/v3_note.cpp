// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_note.h"

#include "core/repository/pack.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"
#include "core/repository/sealed_stream.h"

namespace cb::server {
namespace {

using catalog::LegacyClient;
using catalog::LegacyPolicy;
using repository::RepositoryId;

constexpr uint64_t kVersion = 1;
constexpr uint64_t kWithPolicy = 2;
constexpr uint64_t kProven = 1;
constexpr uint64_t kKeyReplaced = 2;

void read_policy(repository::RecordReader& from, uint64_t flags, LegacyPolicy& policy) {
  const uint64_t min_version = from.uint();
  if (min_version != 3 && min_version != 4) from.refuse("has an unknown least version");
  policy.min_version = static_cast<int>(min_version);
  policy.ended_ns = from.sint();
  policy.migrated_ns = from.sint();
  policy.key_replaced = (flags & kKeyReplaced) != 0;
  if (!v3_note_tells(policy)) from.refuse("decides nothing");
}

Bytes context_of(const RepositoryId& repository) {
  repository::RecordWriter to;
  to.fixed(as_bytes("cyberbackup/v3-client/1"));
  to.fixed(repository.view());
  return to.take();
}

}  // namespace

bool v3_note_tells(const LegacyPolicy& policy) {
  return policy.min_version != 3 || policy.ended_ns != 0 || policy.migrated_ns != 0 ||
         policy.key_replaced;
}

std::string v3_note_object(const RepositoryId& repository) {
  return repository::repository_prefix(repository) + "v3-client";
}

Bytes encode_v3_note(const V3Note& note) {
  const LegacyClient& client = note.client;
  const LegacyPolicy& policy = note.policy;
  const bool decided = v3_note_tells(policy);
  repository::RecordWriter to;
  to.uint(decided ? kWithPolicy : kVersion);
  to.fixed(client.id.view());
  to.text(client.name);
  to.bytes(client.public_key);
  to.uint(static_cast<uint64_t>(client.oaep));
  to.uint((client.oaep_proven ? kProven : 0) | (policy.key_replaced ? kKeyReplaced : 0));
  to.sint(client.created_ns);
  if (!decided) return to.take();
  to.uint(static_cast<uint64_t>(policy.min_version));
  to.sint(policy.ended_ns);
  to.sint(policy.migrated_ns);
  return to.take();
}

Result<V3Note> decode_v3_note(ByteView plain) {
  repository::RecordReader from(plain, "note of a v3 client");
  V3Note note;
  LegacyClient& client = note.client;
  const bool decided = from.version(kWithPolicy) == kWithPolicy;
  client.id = from.id<ClientId>();
  client.name = from.text();
  client.public_key = to_bytes(from.bytes());
  const uint64_t hash = from.uint();
  if (hash > static_cast<uint64_t>(catalog::OaepHash::sha1)) from.refuse("has an unknown hash");
  client.oaep = static_cast<catalog::OaepHash>(hash);
  const uint64_t flags = from.uint();
  if (flags > (decided ? kProven | kKeyReplaced : kProven))
    from.refuse("has flags that there are not");
  client.oaep_proven = (flags & kProven) != 0;
  client.created_ns = from.sint();
  if (decided) read_policy(from, flags, note.policy);
  CB_TRY(from.done());
  return note;
}

Result<Bytes> seal_v3_note(const V3Note& note, const RepositoryId& repository,
                           const plugin::Crypto& crypto, const plugin::KeyPair& server_key) {
  const Bytes context = context_of(repository);
  CB_ASSIGN(const plugin::Encapsulated fresh, server_key.encapsulate(context));
  CB_ASSIGN(const repository::StreamSizes sizes, repository::stream_sizes(crypto));
  const Bytes plain = encode_v3_note(note);
  CB_ASSIGN(const Bytes sealed,
            repository::seal_stream(fresh.key, sizes, context, {{}, ByteView(plain)}));
  repository::RecordWriter to;
  to.uint(kVersion);
  to.bytes(fresh.cipher);
  to.bytes(sealed);
  return to.take();
}

Result<V3Note> open_v3_note(ByteView sealed, const RepositoryId& repository,
                            const plugin::Crypto& crypto, const plugin::KeyPair& server_key) {
  repository::RecordReader from(sealed, "note of a v3 client");
  from.version();
  const ByteView cipher = from.bytes();
  const ByteView stream = from.bytes();
  CB_TRY(from.done());
  const Bytes context = context_of(repository);
  CB_ASSIGN(const plugin::Key key, server_key.decapsulate(context, cipher));
  CB_ASSIGN(const repository::StreamSizes sizes, repository::stream_sizes(crypto));
  Bytes plain(stream.size());
  CB_ASSIGN(const size_t size, repository::open_stream(key, sizes, context, stream, plain));
  plain.resize(size);
  return decode_v3_note(plain);
}

}  // namespace cb::server
