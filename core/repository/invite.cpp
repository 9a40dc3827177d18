// SPDX-License-Identifier: Apache-2.0
#include "core/repository/invite.h"

#include "core/repository/pasted_text.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"
#include "core/repository/sealed_stream.h"

namespace cb::repository {
namespace {

constexpr PastedKind kKind{"cbi1.", "invite", "invite"};
constexpr size_t kMostGift = 64 * 1024;  // bytes

Status check(const InviteText& invite) {
  if (invite.secret.size() != kInviteSecretSize)
    return failed(Code::invalid, "invite", "its secret has not 32 bytes");
  return check_servers(kKind, invite.servers);
}

Result<InviteText> decode(ByteView bytes) {
  RecordReader reader(bytes, "invite");
  reader.version();
  InviteText invite;
  invite.id = reader.id<InviteId>();
  invite.secret = Secret(reader.raw(kInviteSecretSize));
  invite.repository = reader.id<RepositoryId>();
  invite.root = reader.fixed<kPublicSize>();
  invite.pin = reader.fixed<32>();
  const size_t count = reader.count(1);
  for (size_t i = 0; i < count && reader.ok(); ++i) invite.servers.push_back(reader.text());
  CB_TRY(reader.done());
  CB_TRY(check(invite));
  return invite;
}

Bytes gift_data(const InviteText& invite) {
  RecordWriter out;
  out.fixed(as_bytes("cyberbackup/invite-keys/1"));
  out.fixed(invite.repository.view());
  out.fixed(invite.id.view());
  return out.take();
}

Result<plugin::Key> derived(const plugin::Crypto& crypto, const InviteText& invite,
                            std::string_view label) {
  CB_ASSIGN(const plugin::Key key, crypto.import_key(invite.secret.view()));
  return key.derive(label, invite.repository.view());
}

Result<Secret> secret_of(const plugin::Crypto& crypto, const InviteText& invite,
                         std::string_view label) {
  CB_ASSIGN(const plugin::Key key, derived(crypto, invite, label));
  CB_ASSIGN(plugin::KeyedId id, key.id_of(invite.id.view()));
  Secret secret(id.view());
  wipe(id.bytes);
  return secret;
}

// version=2 uint ‖ sealed name bytes ‖ keyring bytes. Nothing of it is copied by growing.
Secret encode_gift(const InviteGift& gift) {
  const Secret keyring = encode(gift.keyring);
  RecordWriter to;
  to.reserve(keyring.size() + gift.name.size() + 32);
  to.uint(2);
  to.bytes(gift.name);
  to.bytes(keyring.view());
  Secret encoded(to.written());
  wipe(to.span());
  return encoded;
}

Result<InviteGift> decode_gift(ByteView bytes) {
  RecordReader from(bytes, "invite's keys");
  const uint64_t version = from.version(2);
  InviteGift gift;
  const ByteView name = from.bytes();
  // Version 1 had it in clear: nobody but an owner can seal it.
  if (version != 1) gift.name = to_bytes(name);
  const ByteView keyring = from.bytes();
  CB_TRY(from.done());
  CB_ASSIGN(gift.keyring, decode_keyring(keyring));
  return gift;
}

Result<Secret> open_whole(const plugin::Crypto& crypto, const plugin::Key& key, ByteView data,
                          ByteView sealed) {
  if (sealed.size() > kMostGift)
    return failed(Code::limit, "sealed bytes", "are longer than these ever are");
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(crypto));
  Secret plain(sealed.size());
  CB_ASSIGN(const size_t size, open_stream(key, sizes, data, sealed, plain.span()));
  plain.truncate(size);
  return plain;
}

}  // namespace

Result<std::string> format_invite(const InviteText& invite) {
  CB_TRY(check(invite));
  RecordWriter writer;
  writer.uint(1);
  writer.fixed(invite.id.view());
  writer.fixed(invite.secret.view());
  writer.fixed(invite.repository.view());
  writer.fixed(invite.root);
  writer.fixed(invite.pin);
  writer.list(invite.servers, [&](const std::string& server) { writer.text(server); });
  std::string text = format_pasted(kKind, writer.written());
  wipe(writer.span());
  return text;
}

Result<InviteText> parse_invite(std::string_view text) {
  CB_ASSIGN(const Secret content, parse_pasted(kKind, text));
  auto invite = decode(content.view());
  if (invite || invite.error().code == Code::unsupported) return invite;
  return failed(Code::invalid, "invite", invite.error().cause, "ask the owner for another");
}

bool looks_like_invite(std::string_view text) { return looks_pasted(kKind, text); }

Result<InviteKeys> invite_keys(const plugin::Crypto& crypto, const InviteText& invite) {
  CB_ASSIGN(Secret proof, secret_of(crypto, invite, "invite-proof"));
  CB_ASSIGN(const Secret seed, secret_of(crypto, invite, "invite-key"));
  CB_ASSIGN(identity::SigningKey key, identity::SigningKey::from_seed(seed.view()));
  return InviteKeys{std::move(proof), std::move(key)};
}

Result<Bytes> seal_gift(const plugin::Crypto& crypto, const InviteText& invite,
                        const InviteGift& gift) {
  CB_ASSIGN(const plugin::Key key, derived(crypto, invite, "invite-keys"));
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(crypto));
  const Secret plain = encode_gift(gift);
  return seal_stream(key, sizes, gift_data(invite), {{}, plain.view()});
}

Result<InviteGift> open_gift(const plugin::Crypto& crypto, const InviteText& invite,
                             ByteView sealed) {
  CB_ASSIGN(const plugin::Key key, derived(crypto, invite, "invite-keys"));
  CB_ASSIGN(const Secret plain, open_whole(crypto, key, gift_data(invite), sealed));
  return decode_gift(plain.view());
}

}  // namespace cb::repository
