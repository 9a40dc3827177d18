// SPDX-License-Identifier: Apache-2.0
//
// What an operator can do with accounts, tokens and repositories: for the daemon's admin socket and
// for the commands that work on its files. Every command is written to the log. Functions block;
// an AdminCommands may be used by several threads.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/log/log.h"
#include "core/notify/notifier.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/report/json.h"
#include "core/repository/engine.h"
#include "core/server/account_notes.h"
#include "core/server/audit.h"
#include "core/server/last_seen.h"
#include "core/server/limit_book.h"
#include "core/server/maintenance.h"
#include "core/server/replication_settings.h"
#include "core/server/retention_book.h"
#include "core/server/settings.h"
#include "core/server/traffic.h"
#include "core/server/v3_policy.h"
#include "core/server/v4_running.h"
#include "core/server/watch_book.h"

namespace cb::server {

// How clients find this server and know it.
struct ServerReach {
  std::vector<std::string> servers;  // HOST:PORT
  std::array<std::byte, 32> pin{};   // SHA-256 of the certificate's key
};

// A listener as it is, beside what its settings say.
struct OpenListener {
  uint16_t port = 0;
  bool serves_v4 = false;
};

// What the settings say, with the listeners as they are, in their order; none: they are not open.
// Code::state when there is no listener of protocol 4, or none with a known port.
Result<ServerReach> reach_of(const Settings& settings, const std::vector<OpenListener>& open,
                             os::FileSystem& files);

class Jobs;
class AdminReplicas;

// What `traffic show` and `store mode` tell; `status` tells it, too.
report::Json traffic_as_json(const Traffic& traffic);
report::Json store_as_json(const Maintenance& maintenance);

class AdminCommands {
 public:
  // All outlive it.
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    const V3Policy* v3_policy = nullptr;
    catalog::Accounts* accounts = nullptr;
    repository::Engine* engine = nullptr;
    AccountNotes* notes = nullptr;
    RetentionBook* retention = nullptr;
    LimitBook* limits = nullptr;
    WatchBook* watch = nullptr;
    const V3Keys* v3_keys = nullptr;
    V4Running* running = nullptr;  // null without a daemon
    LastSeen* seen = nullptr;      // null without a daemon
    Jobs* jobs = nullptr;
    notify::Notifier* notifier = nullptr;  // null without a daemon
    Traffic* traffic = nullptr;            // null without a daemon
    Maintenance* maintenance = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;
    log::Log* log = nullptr;
    Audit* audit = nullptr;  // null: nothing is audited
    std::function<Result<ServerReach>()> reach;
    os::FileSystem* files = &os::real_file_system();
    os::Path keys;                                     // the folder of the server's keys
    std::function<ReplicationSettings()> replication;  // as it is in force; may be empty
  };
  // Returns false to stop the command.
  using Progress = std::function<bool(uint64_t done, uint64_t total)>;

  explicit AdminCommands(Parts parts) : parts_(std::move(parts)) {}

  // {"command": "account.add", "account": ..., "asked_by": ...}: see `names`. "asked_by" is who
  // asks (operator_text), set by whoever calls and never by who is on the other side.
  // Code::unsupported for another command, Code::invalid for wrong arguments.
  Result<report::Json> run(const report::Json& request, const Progress& progress) const;
  // Of all commands, for messages.
  static std::string names();

  // Counts over all repositories, for `status`; "unread" names the accounts that are not counted.
  [[nodiscard]] report::Json totals() const;

 private:
  Result<report::Json> change(const std::string& command, const report::Json& request) const;
  Result<report::Json> change_token(const std::string& command, const report::Json& request) const;
  Result<report::Json> add_account(const report::Json& request) const;
  Status describe_repository(const catalog::Account& account, report::Json& one) const;
  Result<report::Json> list_accounts() const;
  Result<report::Json> show_account(const report::Json& request) const;
  Result<report::Json> set_disabled(const report::Json& request, bool disabled) const;
  Result<report::Json> set_password(const report::Json& request) const;
  Result<report::Json> set_mode(const report::Json& request) const;
  Result<report::Json> list_devices(const report::Json& request) const;
  Result<report::Json> set_device(const report::Json& request, catalog::DeviceState state) const;
  [[nodiscard]] report::Json device_as_json(const catalog::Device& device) const;
  Result<report::Json> create_token(const report::Json& request) const;
  Result<catalog::Account> account_to_pair(const report::Json& request) const;
  Result<catalog::LegacyClient> legacy_client_of(const report::Json& request) const;
  Result<catalog::Account> legacy_account_of(const report::Json& request) const;
  Result<report::Json> set_ratchet(const report::Json& request) const;
  Status lift_ratchet(const catalog::LegacyClient& client, int64_t until_ns) const;
  Status close_ratchet(const catalog::LegacyClient& client) const;
  Result<report::Json> allow_migration(const report::Json& request) const;
  Result<report::Json> check(const report::Json& request, const Progress& progress) const;
  Result<report::Json> list_audit(const report::Json& request) const;
  // Writes what was done, or refused, to the audit log.
  void note(const std::string& command, const report::Json& request,
            const Result<report::Json>& done) const;
  Result<report::Json> use_jobs(const std::string& command, const report::Json& request,
                                const Progress& progress) const;
  Result<report::Json> run_job(const report::Json& request, const Progress& progress) const;
  Result<report::Json> list_drills(const report::Json& request) const;
  Result<report::Json> use_notify(const std::string& command, const report::Json& request,
                                  const Progress& progress) const;
  // What parts with commands of their own answer; nothing when it is none of theirs.
  std::optional<Result<report::Json>> use_part(const std::string& command,
                                               const report::Json& request,
                                               const Progress& progress) const;
  Result<report::Json> use_retention(const std::string& command, const report::Json& request) const;
  Result<report::Json> use_limits(const std::string& command, const report::Json& request) const;
  Result<report::Json> use_watch(const std::string& command, const report::Json& request) const;
  Result<report::Json> use_traffic(const std::string& command, const report::Json& request) const;
  Status change_traffic(const std::string& command, const report::Json& request) const;
  Result<report::Json> use_store(const std::string& command, const report::Json& request) const;
  Status set_store_mode(const report::Json& request) const;
  Result<catalog::Account> account_of(const report::Json& request) const;
  [[nodiscard]] AdminReplicas replicas() const;
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  Parts parts_;
};

}  // namespace cb::server
