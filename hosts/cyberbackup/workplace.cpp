// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/workplace.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "core/base/units.h"
#include "core/client/followed_remote.h"
#include "core/config/schema.h"
#include "core/identity/signing.h"
#include "core/log/output.h"
#include "core/plugin/registry.h"
#include "core/report/shown_text.h"
#include "hosts/cyberbackup/flow_options.h"
#include "hosts/cyberbackup/places.h"

namespace cb {

using client::V4Dialler;

namespace {

// Connections in a row that may break before the server has told its history.
constexpr unsigned kMostCuts = 8;

}  // namespace

void warn(const std::string& text) {
  const std::string line = "cyberbackup: warning: " + report::shown_text(text) + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

struct Workplace::State {
  explicit State(CommonOptions given) : options(std::move(given)) {}

  Status load_plugins();
  Result<config::Values> values_of(const std::string& id,
                                   const std::map<std::string, std::string>& written);
  [[nodiscard]] Result<stream::FlowLimits> flow() const;
  Result<V4Dialler*> dialler_of(Workplace& place);
  // What the server showed, verified; `known` is the revision that was known before it was asked.
  Status keep_record(const repository::RepositoryRecord& shown, uint64_t known);
  Result<uint64_t> known_revision();
  // Is this what --accept-rollback is for, and was it given?
  [[nodiscard]] bool accepts(const Error& error) const;
  // Once: a disk that takes nothing more is no reason to stop.
  void tell_unsaved(const Error& error);
  // `at_login`: what the server said of itself then is news.
  Status follow(client::V4Session& session, bool at_login);
  void tell(const client::Takeover& takeover) const;
  void note(const std::string& text) const;

  CommonOptions options;
  os::Path profile_path;
  os::Path cache;
  std::unique_ptr<log::Output> log;
  std::unique_ptr<plugin::Registry> registry;
  std::optional<plugin::Crypto> crypto;
  std::optional<plugin::Compress> compress;
  std::optional<client::Profile> profile;
  std::optional<repository::WriteKeys> write_keys;
  std::shared_ptr<const identity::SigningKey> device_key;
  std::unique_ptr<client::Receipts> receipts;
  std::atomic<bool> told_unsaved = false;
  std::mutex mutex;
  uint64_t revision = 0;               // the newest record seen here; guarded by mutex
  std::unique_ptr<V4Dialler> dialler;  // guarded by mutex until it is made
};

Workplace::Workplace(std::unique_ptr<State> state) : state_(std::move(state)) {}
Workplace::~Workplace() = default;

Result<std::unique_ptr<Workplace>> Workplace::open(const CommonOptions& options) {
  auto state = std::make_unique<State>(options);
  CB_ASSIGN(const os::Path config, config_folder(options.config_dir));
  CB_ASSIGN(state->profile_path, client::profile_folder(config, options.profile));
  state->cache = cb::cache_folder(options.cache_dir);
  CB_TRY(state->load_plugins());
  return std::unique_ptr<Workplace>(new Workplace(std::move(state)));
}

Status Workplace::State::load_plugins() {
  CB_ASSIGN(log, log::open_log({options.verbose ? log::Level::debug : log::Level::error, {}, {}}));
  plugin::LoadOptions load_options;
  CB_ASSIGN(load_options.folder, plugin_folder(options.plugin_dir));
  if (!cache.empty()) load_options.probe_cache = cache / "plugin-probes";
  plugin::HostServices services;
  services.log = log.get();
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "cyberbackup";
  services.host_version = CB_PROGRAM_VERSION;
  registry = std::make_unique<plugin::Registry>(std::move(services), std::move(load_options));
  for (const char* id : {"transport-tcp", "transport-tls", "crypto-modern", "compress-zstd"}) {
    const Status loaded = registry->load(id);
    if (!loaded) return failed(plugin_trouble(loaded.error()));
  }
  CB_ASSIGN(const config::Values modern, values_of("crypto-modern", {}));
  CB_ASSIGN(crypto, registry->make_crypto("crypto-modern", modern));
  CB_ASSIGN(const config::Values zstd, values_of("compress-zstd", {}));
  CB_ASSIGN(compress, registry->make_compress("compress-zstd", zstd));
  return {};
}

Result<config::Values> Workplace::State::values_of(
    const std::string& id, const std::map<std::string, std::string>& written) {
  CB_ASSIGN(const config::Schema* schema, registry->schema(id));
  return config::values_from(*schema, written);
}

void Workplace::State::note(const std::string& text) const {
  if (options.quiet || options.json) return;
  // A progress line may stand there.
  const std::string line =
      (isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "") + report::shown_text(text) + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

Status Workplace::load_profile() {
  CB_ASSIGN(client::Profile profile,
            client::load_profile(os::real_file_system(), state_->profile_path));
  CB_ASSIGN(auto key, identity::SigningKey::from_seed(profile.device_seed.view()));
  state_->device_key = std::make_shared<const identity::SigningKey>(std::move(key));
  if (!profile.write_key.empty()) {
    CB_ASSIGN(state_->write_keys, repository::WriteKeys::make(*state_->crypto, profile.repository,
                                                              profile.write_key.view()));
  }
  client::ReceiptsOptions options;
  options.unsaved = [state = state_.get()](const Error& error) { state->tell_unsaved(error); };
  state_->receipts = std::make_unique<client::Receipts>(
      os::real_file_system(), state_->profile_path, profile.repository, std::move(options));
  state_->profile = std::move(profile);
  return {};
}

Status Workplace::State::keep_record(const repository::RepositoryRecord& shown, uint64_t known) {
  const std::lock_guard lock(mutex);
  const client::RecordRule rule{known, options.accept_rollback};
  CB_TRY(client::check_revision(shown, rule));
  revision = rule.any_revision ? shown.revision : std::max(revision, shown.revision);
  const auto lost = client::keep_record(os::real_file_system(), profile_path, shown, rule);
  if (!lost) tell_unsaved(lost.error());
  if (lost && *lost)
    warn("revocations and rotations since revision " + std::to_string(shown.revision) +
         " of the repository's record are lost: repeat them");
  return {};
}

// Of the profile as it lies there: this process, or another one, may have seen a newer record.
Result<uint64_t> Workplace::State::known_revision() {
  CB_ASSIGN(const client::Profile there,
            client::load_profile(os::real_file_system(), profile_path));
  const std::lock_guard lock(mutex);
  return std::max(there.record.revision, revision);
}

bool Workplace::State::accepts(const Error& error) const {
  return options.accept_rollback && client::calls_for_acceptance(error);
}

void Workplace::State::tell_unsaved(const Error& error) {
  if (told_unsaved.exchange(true)) return;
  warn("what the server showed is not kept in the profile, and counts for this command alone: " +
       error.text());
}

Status Workplace::keep_record(const repository::RepositoryRecord& record) {
  return state_->keep_record(record, 0);
}

const CommonOptions& Workplace::common_options() const { return state_->options; }

const client::Profile& Workplace::profile() const { return *state_->profile; }

repository::Suite Workplace::suite() const { return {&*state_->crypto, &*state_->compress}; }

const repository::WriteKeys& Workplace::write_keys() const { return *state_->write_keys; }

repository::DeviceId Workplace::device() const {
  return {identity::device_id_of(state_->device_key->public_key())};
}

const repository::SigningPublic& Workplace::device_key() const {
  return state_->device_key->public_key();
}

repository::SessionSealer::Sign Workplace::sign() const {
  return [key = state_->device_key](ByteView message) { return key->sign(message); };
}

os::Path Workplace::profile_path() const { return state_->profile_path; }

os::Path Workplace::cache_folder() const {
  if (state_->cache.empty()) return {};
  const os::Path folder = state_->cache / state_->options.profile;
  // Who writes there notices a folder that could not be made.
  (void)os::real_file_system().make_folders(folder);
  return folder;
}

Result<stream::Stack> Workplace::stack(const std::string& pin) {
  CB_ASSIGN(const config::Values tls_values,
            state_->values_of("transport-tls", {{"pin", "[\"" + pin + "\"]"}}));
  CB_ASSIGN(plugin::Transport tls, state_->registry->make_transport("transport-tls", tls_values));
  CB_ASSIGN(const config::Values tcp_values, state_->values_of("transport-tcp", {}));
  CB_ASSIGN(plugin::Transport tcp, state_->registry->make_transport("transport-tcp", tcp_values));
  return stream::Stack::make({std::move(tls), std::move(tcp)});
}

Result<client::V4Reach> Workplace::reach() {
  const client::Profile& profile = *state_->profile;
  client::V4Reach reach;
  const bool is_elsewhere = !state_->options.at.empty();
  for (const std::string& server : is_elsewhere ? state_->options.at : profile.servers) {
    CB_ASSIGN(stream::Target target, client::parse_server(server));
    reach.servers.push_back(std::move(target));
  }
  reach.identity = {profile.repository, profile.root, device(), sign()};
  reach.identity.revision = profile.record.revision;
  reach.identity.any_revision = state_->options.accept_rollback;
  reach.identity.program = std::string("cyberbackup ") + CB_PROGRAM_VERSION;
  reach.identity.receipt = [this](ByteView record) -> Status {
    Status kept = state_->receipts->keep(record);
    if (kept || (kept.error().code == Code::denied && kept.error().os_errno == 0)) return kept;
    // What is committed is committed, whatever this disk says.
    state_->tell_unsaved(kept.error());
    return {};
  };
  return reach;
}

// What the command line says, else what the profile does.
Result<stream::FlowLimits> Workplace::State::flow() const {
  const auto chosen = [](const std::string& given, const std::string& kept) {
    return given.empty() ? kept : given;
  };
  stream::FlowLimits limits;
  CB_ASSIGN(limits.upload,
            throttle_of("--limit-upload", chosen(options.limit_upload, profile->limit_upload)));
  CB_ASSIGN(limits.download, throttle_of("--limit-download",
                                         chosen(options.limit_download, profile->limit_download)));
  return limits;
}

Result<V4Dialler*> Workplace::State::dialler_of(Workplace& place) {
  const std::lock_guard lock(mutex);
  if (dialler) return dialler.get();
  client::V4DialSettings settings;
  if (!options.reach_timeout.empty()) {
    CB_ASSIGN(settings.give_up, parse_duration(options.reach_timeout));
  }
  CB_ASSIGN(settings.limits.flow, flow());
  CB_ASSIGN(stream::Stack stack, place.stack(options.at.empty() ? profile->pin : options.at_pin));
  CB_ASSIGN(client::V4Reach reach, place.reach());
  dialler = std::make_unique<V4Dialler>(
      V4Dialler::Parts{std::move(stack), std::move(reach), &os::system_clock(),
                       &os::system_random(), [this](const std::string& text) { note(text); }},
      settings);
  return dialler.get();
}

Result<std::shared_ptr<client::V4Session>> Workplace::dial() {
  CB_ASSIGN(V4Dialler * dialler, state_->dialler_of(*this));
  // Before the login: what another process learns after it is no lie of this one's server.
  CB_ASSIGN(const uint64_t known, state_->known_revision());
  const auto newest = state_->receipts->newest();
  if (!newest && !state_->accepts(newest.error())) return failed(newest.error());
  for (unsigned cuts = 0;; ++cuts) {
    auto session = dialler->reach();
    if (!session) {
      Error error = std::move(session).error();
      if (error.code != Code::denied && error.code != Code::cancelled) error.code = Code::closed;
      return failed(std::move(error));
    }
    CB_TRY(state_->keep_record((*session)->welcome().record, known));
    const Status followed = state_->follow(**session, true);
    if (followed) return session;
    // Cut before the server had told its history: as good as not reached.
    if (followed.error().code != Code::closed || cuts == kMostCuts) return failed(followed.error());
    state_->note(followed.error().text() + "; trying again");
  }
}

Result<std::shared_ptr<repository::Remote>> Workplace::connect() {
  CB_ASSIGN(std::shared_ptr<client::V4Session> session, dial());
  return listing(std::move(session));
}

std::shared_ptr<repository::Remote> Workplace::listing(std::shared_ptr<client::V4Session> session) {
  return client::make_followed_remote(session, *state_->receipts,
                                      [this, session] { return state_->follow(*session, false); });
}

Status Workplace::State::follow(client::V4Session& session, bool at_login) {
  const client::V4Welcome& welcome = session.welcome();
  client::ServerView server;
  server.key = welcome.server_key;
  if (at_login) server.head = {welcome.head_sequence, welcome.head_hash};
  server.record = &welcome.record;
  server.chain = [&session](uint64_t sequence) { return session.chain(sequence); };
  server.devices = [&session]() -> Result<std::vector<repository::Certificate>> {
    CB_ASSIGN(const repository::DeviceList list, session.devices());
    std::vector<repository::Certificate> certificates;
    for (const repository::DeviceEntry& entry : list.devices)
      certificates.push_back(entry.certificate);
    return certificates;
  };
  Status followed = receipts->follow(server);
  if (followed || !accepts(followed.error())) return followed;
  CB_ASSIGN(const client::Takeover takeover, receipts->accept(server));
  tell(takeover);
  return {};
}

void Workplace::State::tell(const client::Takeover& takeover) const {
  warn("the server's history was accepted: it ends with commit " +
       std::to_string(takeover.after.sequence) + ", this device had seen commit " +
       std::to_string(takeover.before.sequence) +
       (takeover.other_server ? "; it signs with another key now" : ""));
  for (const repository::BlobId& id : takeover.lost) warn("lost: snapshot " + id.hex());
}

void Workplace::cancel() {
  const std::lock_guard lock(state_->mutex);
  if (state_->dialler) state_->dialler->cancel();
}

Result<client::ChainPlace> Workplace::newest_commit(client::V4Session& session) {
  CB_TRY(state_->follow(session, false));
  return state_->receipts->head();
}

client::Receipts& Workplace::receipts() const { return *state_->receipts; }

}  // namespace cb
