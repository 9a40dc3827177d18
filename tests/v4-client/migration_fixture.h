// SPDX-License-Identifier: Apache-2.0
//
// For tests of migration: the real daemon, old clients with their folders and what they uploaded,
// and a server's end that fails at any step. One thread.
#pragma once

#include <fstream>
#include <set>

#include "core/client/migration.h"
#include "core/client/v3_folder.h"
#include "core/client/v3_identity.h"
#include "core/client/v4_session.h"
#include "core/protocol/v3/cksum.h"
#include "core/repository/signatures.h"
#include "core/server/backend.h"
#include "tests/folders.h"
#include "tests/suites/transport_pair.h"
#include "tests/v4/v4_server.h"

namespace cb::client {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}
inline void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().text());
}

// The steps that a migration makes at its server, and the one that is cut: before the server hears
// of it, or when it has answered.
struct Cutter {
  size_t step = 0;
  size_t cut_at = SIZE_MAX;
  size_t cut_steps = 1;
  bool answered = false;

  template <typename Call>
  auto operator()(const Call& call) -> decltype(call()) {
    const bool cut = step >= cut_at && step - cut_at < cut_steps;
    ++step;
    if (cut && !answered) return failed(gone());
    auto result = call();
    if (cut) return failed(gone());
    return result;
  }
  [[nodiscard]] bool came() const { return step > cut_at; }
  static Error gone() { return fail(Code::closed, "server", "was cut off"); }
};

// An owner's session whose calls may be cut.
class CutOwner final : public repository::OwnerRemote {
 public:
  CutOwner(std::shared_ptr<V4Session> session, Cutter& cutter)
      : session_(std::move(session)), cutter_(cutter) {}

  Result<repository::DeviceList> devices() override {
    return cutter_([&] { return session_->devices(); });
  }
  Status add_invite(const repository::NewInvite& invite) override {
    return session_->add_invite(invite);
  }
  Status remove_invite(const repository::InviteId& invite) override {
    return session_->remove_invite(invite);
  }
  Status set_device(const repository::DeviceId& device, uint64_t state) override {
    return session_->set_device(device, state);
  }
  Status put_record(const repository::RepositoryRecord& record,
                    const std::optional<std::vector<repository::KeySlot>>& slots) override {
    return cutter_([&] { return session_->put_record(record, slots); });
  }
  Result<repository::SessionPage> sessions(uint32_t epoch,
                                           const repository::SessionId& after) override {
    return cutter_([&] { return session_->sessions(epoch, after); });
  }
  Status put_sessions(std::span<const repository::SessionEntry> sessions) override {
    return cutter_([&] { return session_->put_sessions(sessions); });
  }
  Result<repository::CopyPage> copies(uint64_t after) override { return session_->copies(after); }
  Status verified(const repository::DeviceId& device, std::span<const repository::BlobId> ids,
                  bool bad) override {
    return session_->verified(device, ids, bad);
  }

 private:
  std::shared_ptr<V4Session> session_;
  Cutter& cutter_;
};

// The daemon over real TLS.
class CutServer final : public MigrationServer {
 public:
  CutServer(stream::Stack stack, stream::Target target, AdoptionClaim claim)
      : stack_(std::move(stack)), target_(std::move(target)), claim_(std::move(claim)) {}

  Result<V4Welcome> adopt(const MakeOwner& make_owner) override {
    ++adoptions;
    return cutter([&] { return client::adopt(stack_, target_, claim_, make_owner); });
  }
  Result<MigrationSession> log_in(const Profile& profile) override {
    auto session = cutter([&] { return open(profile); });
    if (!session) return failed(session.error());
    MigrationSession made;
    made.welcome = (*session)->welcome();
    made.owner = std::make_shared<CutOwner>(*session, cutter);
    made.slots = [session = *session, this] { return cutter([&] { return session->slots(); }); };
    return made;
  }
  Result<std::shared_ptr<V4Session>> open(const Profile& profile) {
    CB_ASSIGN(auto key, identity::SigningKey::from_seed(profile.device_seed.view()));
    const auto shared = std::make_shared<const identity::SigningKey>(std::move(key));
    V4Identity who;
    who.repository = profile.repository;
    who.root = profile.root;
    who.device = repository::device_of(shared->public_key());
    who.sign = [shared](ByteView message) { return shared->sign(message); };
    who.revision = profile.record.revision;
    return V4Session::open(stack_, target_, who);
  }

  Cutter cutter;
  size_t adoptions = 0;

 private:
  stream::Stack stack_;
  stream::Target target_;
  AdoptionClaim claim_;
};

struct OldClient {
  std::string name;
  ClientId id;
  os::Path folder;   // of its files
  os::Path profile;  // to be
};

class Migrating : public server::V4Server {
 protected:
  Migrating();
  ~Migrating() override;

  // A client of protocol v3 that uploaded one file, with its folder. The operator let it migrate
  // unless told otherwise.
  OldClient old_client(const std::string& name, bool allowed = true);
  void upload(const OldClient& client, const std::string& file, const std::string& content);
  // A token of the operator's for the client's account.
  AdoptionClaim::Token token_of(const OldClient& client, int64_t expires_ns = INT64_MAX);
  void change_policy(const OldClient& client,
                     const std::function<void(catalog::LegacyPolicy&)>& change);

  V3Keys keys_of(const OldClient& client);
  std::unique_ptr<CutServer> server(const OldClient& client, V3Keys& keys,
                                    std::optional<AdoptionClaim::Token> token = std::nullopt);
  EnrolmentParts parts(const OldClient& client,
                       os::FileSystem& files = os::real_file_system()) const;
  MigrationWish wish(const OldClient& client, std::string_view passphrase = "sesame") const;
  // The whole way.
  Result<Migrated> run(const OldClient& client,
                       std::optional<AdoptionClaim::Token> token = std::nullopt);

  // What must be so at the end: the client owns its repository, and the server opens nothing of it.
  void expect_migrated(const OldClient& client);
  [[nodiscard]] std::set<std::string> files_below(const os::Path& folder) const;

  server::Backend& backend() { return *backend_; }
  [[nodiscard]] const plugin::Crypto& modern() const { return *modern_; }
  [[nodiscard]] const plugin::Compress& zstd() const { return *zstd_; }
  [[nodiscard]] const V3Suites& suites() const { return *suites_; }
  stream::Stack stack() const;

 private:
  server::Settings settings_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<server::Backend> backend_;  // beside the daemon's own
  std::optional<plugin::Crypto> modern_;
  std::optional<plugin::Compress> zstd_;
  std::optional<V3Suites> suites_;
};

}  // namespace cb::client
