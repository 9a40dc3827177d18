// SPDX-License-Identifier: Apache-2.0
//
// What the v4 commands work with: the options that all share, plugins, profile, keys and the
// connection. Used by one thread, unless a member says otherwise.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/client/profile.h"
#include "core/client/receipts.h"
#include "core/client/v4_dialler.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/report/exit_code.h"
#include "core/repository/keys.h"
#include "core/repository/remote.h"
#include "core/stream/stack.h"

namespace cb {

struct CommonOptions {
  std::string program = "cyberbackup";  // as messages begin
  std::string profile = "default";
  std::string config_dir;
  std::string cache_dir;
  std::string passphrase_file;
  std::string plugin_dir;
  std::string reach_timeout;  // "60s"; empty: that
  std::string limit_upload;   // "5MiB" a second, or "none"; empty: as the profile says
  std::string limit_download;
  std::vector<std::string> at;  // "host:port" of a server with a copy; none: the profile's
  std::string at_pin;           // its pin
  bool accept_rollback = false;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

// Adds --profile, --config-dir, --cache-dir, --passphrase-file, --plugin-dir, --reach-timeout,
// --limit-upload, --limit-download, --at, --at-pin, --accept-rollback, --json, --quiet and
// --verbose. `options` outlives the app.
void add_common_options(CLI::App& app, CommonOptions& options);

class Workplace {
 public:
  // Loads the plugins (transport-tcp, transport-tls, crypto-modern, compress-zstd); no profile yet.
  static Result<std::unique_ptr<Workplace>> open(const CommonOptions& options);
  ~Workplace();

  [[nodiscard]] const CommonOptions& common_options() const;

  // Reads the profile and its keys. Code::not_found when there is none.
  Status load_profile();
  [[nodiscard]] const client::Profile& profile() const;
  [[nodiscard]] repository::Suite suite() const;
  // Of the profile; only after load_profile, and only for owners and writers.
  [[nodiscard]] const repository::WriteKeys& write_keys() const;
  [[nodiscard]] repository::DeviceId device() const;
  [[nodiscard]] const repository::SigningPublic& device_key() const;
  // Signs with the device's key. For any thread.
  [[nodiscard]] repository::SessionSealer::Sign sign() const;
  // The folder of the profile, whether it is there or not.
  [[nodiscard]] os::Path profile_path() const;
  // <cache>/<profile>, made if need be; for backup and restore state.
  [[nodiscard]] os::Path cache_folder() const;

  // TLS over TCP to whoever has the pinned key (64 hex digits).
  Result<stream::Stack> stack(const std::string& pin);
  // How this profile is reached; only after load_profile.
  Result<client::V4Reach> reach();

  // Connects and logs in with the profile; backoff and circuit breaker, gives up after 60 s. For
  // any thread. The Remote may outlive nothing of this; its list of snapshots is the one that the
  // chain of commits leads to. Code::denied when the server does not let this device in, or went
  // back or tells another story than before; Code::closed for all other failures to reach it (exit
  // code 13).
  Result<std::shared_ptr<repository::Remote>> connect();
  // The same, for who wants to know what the server said about itself.
  Result<std::shared_ptr<client::V4Session>> dial();
  // The list of snapshots of a session that was dialled, as `connect` gives it.
  std::shared_ptr<repository::Remote> listing(std::shared_ptr<client::V4Session> session);
  // Lets a call that tries to connect, and all later ones, end with Code::cancelled. For any
  // thread.
  void cancel();

  // Fetches the slots, asks for the passphrase (file, environment, terminal) or the recovery code,
  // and opens the keyring; a reader's own slot with the passphrase of this device. Code::denied
  // when it is wrong, and for writers, who can open nothing.
  Result<repository::Keyring> unlock(repository::Remote& remote);
  Result<std::unique_ptr<repository::Opener>> opener(repository::Remote& remote);

  // `text` is an id, an unambiguous prefix of one (at least 4 digits), or "latest".
  // Code::not_found; Code::invalid with the candidates when it is ambiguous.
  Result<repository::SnapshotInfo> snapshot(repository::Remote& remote, const std::string& text);

  // Keeps a newer record of the repository in the profile; `dial` does that by itself. A disk that
  // does not take it is warned of, once, and no error. For any thread.
  Status keep_record(const repository::RepositoryRecord& record);
  // Where the account's history ends now.
  Result<client::ChainPlace> newest_commit(client::V4Session& session);
  // What this device knows of its account's history; only after load_profile. For any thread.
  [[nodiscard]] client::Receipts& receipts() const;

 private:
  struct State;
  explicit Workplace(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// "SNAP:PATH" into its halves; the path without leading and trailing slashes, may be empty.
struct SnapshotPath {
  std::string snapshot;
  std::string path;
};
SnapshotPath parse_snapshot_path(const std::string& text);

// The newest that is no checkpoint for "latest" (a checkpoint when there is nothing else); `list`
// is as Remote::snapshots gives it. Errors as Workplace::snapshot; `listing` is the command that
// their advice names.
Result<repository::SnapshotInfo> choose_snapshot(
    const std::vector<repository::SnapshotInfo>& list, const std::string& text,
    const std::string& listing = "cyberbackup snapshots");
// The same of the list of a server that may have a copy of the repository: what is not in it cannot
// be chosen (Code::not_found).
Result<repository::SnapshotInfo> choose_of_copy(std::vector<repository::SnapshotInfo> list,
                                                const std::string& text);

// A line on stderr, whatever --quiet and --json say.
void warn(const std::string& text);

// Prints the error to stderr (with --json also as {"event": "done", "error": ..., "exit": ...} to
// stdout), and gives the exit code that fits; `dialled` tells that it came from reaching the server
// (13). Code::closed is always 13.
int report_failure(const CommonOptions& options, const Error& error, bool dialled = false);

}  // namespace cb
