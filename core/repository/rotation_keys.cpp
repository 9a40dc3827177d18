// SPDX-License-Identifier: Apache-2.0
#include "core/repository/rotation_keys.h"

#include "core/repository/session_context.h"

namespace cb::repository {

Status add_epoch(const plugin::Crypto& crypto, RepositoryRecord& record, Keyring& keyring) {
  CB_TRY(check_suite(crypto, record.suite));
  const uint32_t number = record.epochs.back().number + 1;
  CB_ASSIGN(const plugin::KeyPair pair, crypto.pair_new());
  CB_ASSIGN(Bytes public_half, pair.public_half());
  CB_ASSIGN(Secret half, pair.private_form());
  record.epochs.push_back({number, std::move(public_half)});
  keyring.epochs.push_back({number, std::move(half)});
  ++record.revision;
  return {};
}

Result<Rewrapper> Rewrapper::make(const plugin::Crypto& crypto, const RepositoryRecord& record,
                                  const Keyring& keyring) {
  CB_TRY(check_suite(crypto, record.suite));
  CB_ASSIGN(identity::SigningKey root, identity::SigningKey::from_seed(keyring.root_seed.view()));
  CB_ASSIGN(plugin::KeyPair newest, crypto.import_public(record.epochs.back().public_half));
  Rewrapper made(record, std::move(root), std::move(newest));
  for (const Keyring::Private& epoch : keyring.epochs) {
    CB_ASSIGN(plugin::KeyPair pair, crypto.import_private(epoch.half.view()));
    made.older_.insert_or_assign(epoch.epoch, std::move(pair));
  }
  return made;
}

Result<Bytes> Rewrapper::rewrap(const SessionId& session, ByteView record) const {
  CB_ASSIGN(const SessionRecord old, decode_session(record));
  const auto pair = older_.find(old.epoch);
  if (pair == older_.end())
    return failed(Code::not_found, "session " + session.hex(),
                  "is sealed for key epoch " + std::to_string(old.epoch) +
                      ", whose private half is not among the keys");
  CB_ASSIGN(const plugin::Key key, session_key_of(old, repository_, session, pair->second));
  CB_ASSIGN(plugin::Encapsulated fresh,
            newest_.encapsulate(session_context(repository_, session, epoch_)));
  SessionRecord next;
  next.suite = suite_;
  next.epoch = epoch_;
  next.kem_cipher = std::move(fresh.cipher);
  CB_ASSIGN(next.wrapped, fresh.key.wrap(key));
  CB_ASSIGN(next.signature, root_.sign(signed_part(next, repository_, session)));
  return encode(next);
}

}  // namespace cb::repository
