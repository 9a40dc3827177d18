// SPDX-License-Identifier: Apache-2.0
#include "core/client/migration.h"

#include <algorithm>

#include "core/client/pending_migration.h"
#include "core/client/receipts.h"
#include "core/repository/device_name.h"
#include "core/repository/signatures.h"

namespace cb::client {
namespace {

using repository::KeySlot;
using repository::RepositoryRecord;
using repository::Revocation;

class Run {
 public:
  Run(const EnrolmentParts& parts, const MigrationWish& wish, MigrationServer& server)
      : parts_(parts), wish_(wish), server_(server) {}

  Result<Migrated> run();

 private:
  Status begin();
  Status check_passphrase() const;
  Result<MigrationSession> get_in();
  Result<MigrationSession> be_adopted();
  Result<NewDevice> make_owner(const HandedOver& handed);
  Status keep_keys(const HandedOver& handed);
  Result<NewDevice> device() const;
  Result<Profile> profile() const;
  Status save(const MigrationSession& session, const RepositoryRecord& record);
  Status end_servers_keys(const MigrationSession& session);
  Result<Unlocked> unlock(const MigrationSession& session) const;
  [[nodiscard]] bool is_ended(const Unlocked& unlocked) const;

  const EnrolmentParts& parts_;
  const MigrationWish& wish_;
  MigrationServer& server_;
  PendingMigration pending_;
  bool went_on_ = false;  // it was begun before
  RotationReport rotation_;
};

Result<std::vector<KeySlot>> decoded(const std::vector<Bytes>& raw) {
  std::vector<KeySlot> slots;
  for (const Bytes& one : raw) {
    CB_ASSIGN(KeySlot slot, repository::decode_slot(one));
    slots.push_back(std::move(slot));
  }
  return slots;
}

// Before anything is sent: what cannot be written is noticed then.
Status Run::begin() {
  CB_ASSIGN(std::optional<PendingMigration> waiting, load_migration(*parts_.files, parts_.folder));
  const bool is_others = waiting && waiting->client != wish_.client;
  if (is_others && !waiting->has_keys()) waiting.reset();  // nothing came of it
  if (is_others && waiting)
    return failed(Code::exists, migration_file(parts_.folder).string(),
                  "is of client " + waiting->client.hex(),
                  "choose another name with --profile, or finish that migration first");
  if (has_profile(*parts_.files, parts_.folder) && (!waiting || !waiting->has_keys()))
    return failed(Code::exists, "profile " + parts_.folder.filename().string(),
                  "is enrolled already",
                  "choose another name with --profile, or remove " + parts_.folder.string());
  went_on_ = waiting.has_value();
  if (waiting) {
    pending_ = std::move(*waiting);
    return pending_.has_keys() ? check_passphrase() : Status();
  }
  pending_.client = wish_.client;
  pending_.device_seed = Secret(repository::kPublicSize);
  CB_TRY(parts_.random->fill(pending_.device_seed.span()));
  pending_.recovery_code = Secret(repository::kRecoveryCodeSize);
  CB_TRY(parts_.random->fill(pending_.recovery_code.span()));
  return save_migration(*parts_.files, parts_.folder, pending_);
}

// The person would otherwise be left with one that opens nothing.
Status Run::check_passphrase() const {
  CB_ASSIGN(const RepositoryRecord record, repository::decode_repository(pending_.repository));
  CB_ASSIGN(const std::vector<KeySlot> slots, decoded(pending_.slots));
  auto opened =
      repository::open_with_passphrase(*parts_.crypto, record.id, slots, wish_.passphrase);
  if (opened) return {};
  return failed(std::move(opened).error().with_advice(
      "a migration was begun here with another passphrase: give that one, or delete " +
      migration_file(parts_.folder).string() + " if the server never took it"));
}

Result<NewDevice> Run::device() const {
  CB_ASSIGN(auto key, identity::SigningKey::from_seed(pending_.device_seed.view()));
  const auto shared = std::make_shared<const identity::SigningKey>(std::move(key));
  return NewDevice{pending_.certificate, pending_.slots,
                   repository::device_of(shared->public_key()),
                   [shared](ByteView message) { return shared->sign(message); }};
}

// The keys of an adoption whose answer was lost serve again, unless the server handed others over.
Result<NewDevice> Run::make_owner(const HandedOver& handed) {
  bool same = false;
  if (pending_.has_keys()) {
    CB_ASSIGN(const RepositoryRecord known, repository::decode_repository(pending_.repository));
    same = known == handed.record && pending_.server_slot == handed.server_slot;
  }
  if (!same) CB_TRY(keep_keys(handed));
  return device();
}

Status Run::keep_keys(const HandedOver& handed) {
  repository::Keyring keyring = handed.keyring.clone();
  CB_TRY(repository::check_keyring(*parts_.crypto, keyring, handed.record));
  CB_ASSIGN(const auto root, identity::SigningKey::from_seed(keyring.root_seed.view()));
  CB_ASSIGN(const auto key, identity::SigningKey::from_seed(pending_.device_seed.view()));
  repository::Certificate certificate;
  certificate.device = key.public_key();
  certificate.role = repository::Role::owner;
  certificate.created_ns = parts_.clock->wall().count();
  if (!wish_.device_name.empty()) {
    CB_ASSIGN(const auto names, repository::DeviceNames::make(*parts_.crypto, handed.record.id,
                                                              keyring.root_seed.view()));
    CB_ASSIGN(certificate.name,
              names.seal(repository::device_of(certificate.device), wish_.device_name));
  }
  CB_TRY(repository::sign_certificate(certificate, handed.record.id, root));
  const repository::SlotMaker maker{*parts_.crypto, *parts_.random, handed.record.id, keyring};
  CB_ASSIGN(const KeySlot by_passphrase,
            repository::make_passphrase_slot(maker, wish_.passphrase, parts_.cost));
  CB_ASSIGN(const KeySlot by_code,
            repository::make_recovery_slot(maker, pending_.recovery_code.view()));
  pending_.certificate = repository::encode(certificate);
  pending_.slots = {repository::encode(by_passphrase), repository::encode(by_code)};
  pending_.server_slot = handed.server_slot;
  pending_.write_key = keyring.write_key.clone();
  pending_.repository = repository::encode(handed.record);
  return save_migration(*parts_.files, parts_.folder, pending_);
}

Result<Profile> Run::profile() const {
  Profile profile;
  profile.servers = wish_.servers;
  profile.pin = wish_.pin;
  CB_ASSIGN(profile.record, repository::decode_repository(pending_.repository));
  profile.repository = profile.record.id;
  profile.root = profile.record.root;
  profile.role = repository::Role::owner;
  profile.device_seed = pending_.device_seed.clone();
  profile.write_key = pending_.write_key.clone();
  return profile;
}

// The device may be in from an earlier run, whatever that one heard of it.
Result<MigrationSession> Run::get_in() {
  if (!pending_.has_keys()) return be_adopted();
  CB_ASSIGN(const Profile own, profile());
  auto session = server_.log_in(own);
  if (session || session.error().code != Code::denied) return session;
  return be_adopted();
}

// Whatever the server says of it, the device is in when it can log in: an answer may have been
// lost.
Result<MigrationSession> Run::be_adopted() {
  const auto welcome =
      server_.adopt([this](const HandedOver& handed) { return make_owner(handed); });
  bool is_out = true;
  if (pending_.has_keys()) {
    CB_ASSIGN(const Profile own, profile());
    auto session = server_.log_in(own);
    if (session || welcome) return session;
    is_out = session.error().code == Code::denied;
  }
  // Keys that the server never took are of no use to anybody.
  if (!went_on_ && is_out && welcome.error().code == Code::denied) (void)finish_migration(parts_);
  return failed(welcome.error());
}

// First whose commits count: a profile without that would take any server's.
Status Run::save(const MigrationSession& session, const RepositoryRecord& record) {
  CB_ASSIGN(Profile own, profile());
  own.account = session.welcome.account;
  own.record = record;
  Receipts receipts(*parts_.files, parts_.folder, own.repository);
  CB_TRY(receipts.begin(session.welcome.server_key));
  return save_profile(*parts_.files, parts_.folder, own);
}

Result<Unlocked> Run::unlock(const MigrationSession& session) const {
  Unlocked unlocked;
  unlocked.record = session.welcome.record;
  CB_ASSIGN(unlocked.slots, session.slots());
  CB_ASSIGN(unlocked.keyring,
            repository::open_with_recovery_code(*parts_.crypto, unlocked.record.id, unlocked.slots,
                                                pending_.recovery_code.view()));
  CB_TRY(repository::check_keyring(*parts_.crypto, unlocked.keyring, unlocked.record));
  unlocked.secret = pending_.recovery_code.clone();
  return unlocked;
}

// The server's slot is revoked, and nothing is left that it could open.
bool Run::is_ended(const Unlocked& unlocked) const {
  const auto& revoked = unlocked.record.revoked;
  const bool is_out = std::any_of(revoked.begin(), revoked.end(), [&](const Revocation& one) {
    return one.id.bytes == pending_.server_slot.bytes;
  });
  return is_out && unlocked.keyring.epochs.size() == 1;
}

// From here on the server opens nothing that comes, and what it kept opens nothing that stays.
Status Run::end_servers_keys(const MigrationSession& session) {
  CB_ASSIGN(Unlocked unlocked, unlock(session));
  if (is_ended(unlocked)) return save(session, unlocked.record);
  using Any = decltype(Revocation::id);
  const std::vector<Revocation> revoked = {{Any{pending_.server_slot.bytes}, 0}};
  const RotationParts parts{parts_.crypto, parts_.random, session.owner.get(),
                            session.welcome.head_sequence + 1};
  auto rotated = rotate(parts, unlocked, revoked);
  CB_TRY(save(session, unlocked.record));
  if (!rotated) return failed(std::move(rotated).error());
  rotation_ = std::move(*rotated);
  return {};
}

Result<Migrated> Run::run() {
  CB_TRY(begin());
  CB_ASSIGN(const MigrationSession session, get_in());
  CB_TRY(save(session, session.welcome.record));
  CB_TRY(end_servers_keys(session));
  Migrated done;
  CB_ASSIGN(done.profile, load_profile(*parts_.files, parts_.folder));
  CB_ASSIGN(const NewDevice own, device());
  done.device = own.device;
  done.recovery_code = pending_.recovery_code.clone();
  done.rotation = std::move(rotation_);
  return done;
}

}  // namespace

Result<Migrated> migrate(const EnrolmentParts& parts, const MigrationWish& wish,
                         MigrationServer& server) {
  return Run(parts, wish, server).run();
}

Status finish_migration(const EnrolmentParts& parts) {
  CB_TRY(parts.files->remove(migration_file(parts.folder)));
  return parts.files->sync_folder(parts.folder);
}

bool migration_pending(os::FileSystem& files, const os::Path& folder) {
  return files.info(migration_file(folder)).has_value();
}

}  // namespace cb::client
