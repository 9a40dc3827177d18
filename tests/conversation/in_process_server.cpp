// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/in_process_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "core/server/init.h"

namespace cb::conversation {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

// Bytes that no two connections share, the same in every run.
Bytes next_binding() {
  static uint64_t count = 0;
  Bytes binding(32, std::byte{0xb1});
  store_le<uint64_t>(binding.data(), ++count);
  return binding;
}

}  // namespace

// --- a line --------------------------------------------------------------------------------------

Line::Line(InProcessServer& server, int version, const std::string& address)
    : server_(server), binding_(next_binding()) {
  server_.next_.address = address;
  server_.next_.binding = binding_;
  std::unique_ptr<plugin::Stream> near = server_.transport_->connect();
  fd_ = server_.next_.descriptor;
  server_.context_.restart();
  session_.emplace(server_.context_, server_.serve(version, std::move(near)));
}

Line::~Line() {
  close();
  // What it waits for comes to an end by itself: lingering, others' packs, deadlines.
  for (int seconds = 0; seconds < 90 && !session_->done(); ++seconds) {
    server_.run_until([this] { return session_->done(); });
    if (!session_->done()) forward(1s);
  }
  require(session_->done(), "a session goes on for long after its peer has closed");
  session_->get();
}

bool Line::receive() {
  if (!reads_ || fd_ < 0) return false;
  std::byte part[16384];
  while (!ended_) {
    const ssize_t got = ::recv(fd_, part, sizeof part, 0);
    if (got > 0) inbox.insert(inbox.end(), part, part + got);
    if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
    if (got < 0) break;
  }
  return true;
}

bool Line::send(ByteView bytes) {
  const auto all_sent = [&] {
    receive();
    while (fd_ >= 0 && !bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return false;
      if (sent < 0) return true;
      bytes = bytes.subspan(static_cast<size_t>(sent));
    }
    return true;
  };
  if (!all_sent()) server_.run_until(all_sent);
  return bytes.empty();
}

void Line::end_sending() {
  if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
}

void Line::close() {
  if (fd_ < 0) return;
  ::close(fd_);
  fd_ = -1;
  ended_ = true;
}

// --- the server ----------------------------------------------------------------------------------

InProcessServer::InProcessServer(Options options)
    : options_(std::move(options)), home_(scratch_folder(options_.name)) {
  seams_.log = &log_;
  seams_.clock = &clock_;
  server::InitRequest request;
  request.folder = home_ / "now";
  request.listen_v4 = "127.0.0.1:0";
  request.plugin_folder = plugin_folder();
  must(server::init_folder(request, seams_));
  const auto connecting = [this](FarEnd& far) {
    far.address = next_.address;
    far.binding = next_.binding;
  };
  const auto connected = [this](FarEnd& far) { next_.descriptor = far.descriptor; };
  transport_ =
      std::make_unique<MemoryTransport>(log_, MemoryTransport::Hooks{connecting, connected});
  server::SettingsRequest wanted;
  wanted.file = home_ / "now" / "cyberbackupd.toml";
  wanted.set = {"plugins.probe=false", "plugins.check_owner=false"};
  wanted.default_plugin_folder = plugin_folder();
  config::Problems problems;
  settings_ = must(server::load_settings(wanted, problems));
  if (problems.has_errors()) broken(problems.error("").text());
  // Rules about how often are not what is looked for, and would answer for the rest.
  settings_.v3.registrations_per_minute = 1'000'000;
  settings_.v4.hellos_per_minute = 1'000'000;
  if (options_.set) options_.set(settings_);
  registry_ = server::make_registry(settings_, seams_, log_);
  must(server::prepare_plugins(settings_, *registry_));
  must(server::ensure_signing_key(settings_, seams_));
  fs::create_directories(settings_.spool_folder());
  open();
  if (options_.prepare) options_.prepare(*this);
  close();
  fs::copy(home_ / "now", home_ / "first", fs::copy_options::recursive);
  open();
}

InProcessServer::~InProcessServer() {
  close();
  std::error_code ignored;
  fs::remove_all(home_, ignored);
}

void InProcessServer::begin_anew() {
  close();
  forward_no_more();
  fs::remove_all(home_ / "now");
  fs::copy(home_ / "first", home_ / "now", fs::copy_options::recursive);
  open();
}

void InProcessServer::close() {
  v4_.reset();
  v3_.reset();
  legacy_.reset();
  policy_.reset();
  drills_.reset();
  seen_.reset();
  audit_.reset();
  backend_.reset();
}

void InProcessServer::open() {
  backend_ = must(server::Backend::open(settings_, *registry_, seams_));
  catalog::Catalog& catalog = backend_->catalog();
  audit_ = std::make_unique<server::Audit>(server::Audit::Parts{&catalog.audit(), &clock_, &log_});
  seen_ = std::make_unique<server::LastSeen>(catalog.accounts(), log_);
  drills_ = std::make_unique<server::DrillBook>(
      server::DrillBook::Parts{&catalog, &backend_->engine(), &clock_, nullptr});
  policy_ = std::make_unique<server::V3Policy>(
      server::V3Policy::Parts{&catalog, &backend_->archive().keys(), &clock_, &log_, audit_.get()},
      settings_.v3);
  open_services();
}

void InProcessServer::open_services() {
  server::V3Service::Parts old;
  old.registry = registry_.get();
  old.store = &backend_->store();
  old.archive = &backend_->archive();
  old.policy = policy_.get();
  old.catalog = &backend_->catalog();
  old.workers = &workers_;
  old.buffers = &buffers_;
  old.log = &log_;
  old.audit = audit_.get();
  old.clock = &clock_;
  old.ids = &os::system_random();
  old.files = &os::real_file_system();
  old.spool_folder = settings_.spool_folder();
  v3_ = must(server::V3Service::open(old, settings_.v3));

  const config::Schema* schema = must(registry_->schema("crypto-legacy"));
  legacy_ = must(registry_->make_crypto(
      "crypto-legacy", must(config::values_from(*schema, {{"oaep_hash", "sha256"}}))));
  server::V4Service::Parts parts;
  parts.engine = &backend_->engine();
  parts.accounts = &backend_->catalog().accounts();
  parts.replication = &backend_->catalog().replication();
  parts.notes = &backend_->notes();
  parts.seen = seen_.get();
  parts.retention = &backend_->retention();
  parts.limits = &backend_->limits();
  parts.watch = &backend_->watch();
  parts.drills = drills_.get();
  parts.v3_policy = policy_.get();
  parts.workers = &workers_;
  parts.readers = &readers_;
  parts.buffers = &buffers_;
  parts.log = &log_;
  parts.audit = audit_.get();
  parts.clock = &clock_;
  parts.random = &os::system_random();
  parts.server_key = must(backend_->signing_public());
  server::V4Migration::Parts& migration = parts.migration;
  migration.catalog = &backend_->catalog();
  migration.engine = &backend_->engine();
  migration.notes = &backend_->notes();
  migration.keys = &backend_->archive().keys();
  migration.policy = policy_.get();
  migration.legacy = &*legacy_;
  migration.clock = &clock_;
  migration.random = &os::system_random();
  v4_ = std::make_unique<server::V4Service>(parts, settings_.v4);
}

asio::awaitable<void> InProcessServer::serve(int version, std::unique_ptr<plugin::Stream> stream) {
  auto connection =
      std::make_unique<stream::Connection>(context_.get_executor(), std::move(stream));
  const Status stands = co_await connection->handshake(10s);
  require(stands.has_value(), "a handshake in memory failed");
  if (version == 4) {
    co_await v4_->serve(std::move(connection), {});
    co_return;
  }
  co_await v3_->serve(
      std::move(connection),
      {"memory", version == 3 ? v3::Dialect::usual : v3::Dialect::of_2023, [] { return true; }});
}

bool InProcessServer::is_quiet() {
  return workers_.counts().under_way == 0 && readers_.counts().under_way == 0;
}

bool InProcessServer::run_until(const std::function<bool()>& done) {
  context_.restart();
  for (;;) {
    if (done()) return true;
    // Workers are asked first: what they hand over is in the context before they are quiet.
    const bool quiet = is_quiet();
    if (context_.poll() > 0) continue;
    if (context_.stopped() || quiet) return done();
    context_.run_one_for(1ms);  // one may have handed over and not yet said so
  }
}

void InProcessServer::check_at_rest() {
  run_to_rest();
  const stream::BufferPool::Counts buffers = buffers_.counts();
  require(buffers.taken == 0, "a buffer is still taken after all sessions ended");
  require(buffers.waiting == 0, "somebody still waits for a buffer after all sessions ended");
  require(v3_->counters().sessions == 0, "a session of protocol 3 is still counted");
  require(v3_->counters().uploads == 0, "an upload is still counted after its session ended");
  require(v4_->counters().sessions == 0, "a session of protocol 4 is still counted");
  require(v4_->counters().logged_in == 0, "a login is still counted after its session ended");
  require(v4_->counters().held_restores == 0, "a restore is still held after its session ended");
  require(fs::is_empty(settings_.spool_folder()), "a packet is left in the spool folder");
}

void InProcessServer::check_store() {
  require(must(backend_->engine().remove_leftovers()) == 0,
          "the store holds objects that the catalog does not know");
}

void InProcessServer::check_repository(const repository::RepositoryId& repository) {
  const auto checked =
      must(backend_->engine().check(repository, true, [](uint64_t, uint64_t) { return true; }));
  if (!checked.findings.empty()) broken("the check of a repository: " + checked.findings.front());
}

}  // namespace cb::conversation
