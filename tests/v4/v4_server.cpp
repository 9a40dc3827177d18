// SPDX-License-Identifier: Apache-2.0
#include "tests/v4/v4_server.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "core/identity/password.h"
#include "core/server/init.h"
#include "tests/folders.h"

namespace cb::server {
namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

repository::StoredBlob blob(repository::BlobKind kind, const repository::SessionId& session,
                            std::vector<repository::BlobId> children, Bytes stored) {
  repository::StoredBlob made;
  made.head.id = random_blob_id();
  made.head.kind = kind;
  made.head.session = session;
  made.head.children = std::move(children);
  made.head.stored_size = static_cast<uint32_t>(stored.size());
  made.stored = std::move(stored);
  return made;
}

}  // namespace

Bytes random_bytes(size_t size) {
  Bytes bytes(size);
  if (!os::system_random().fill(bytes)) throw std::runtime_error("no randomness");
  return bytes;
}

repository::BlobId random_blob_id() {
  return must(repository::BlobId::from_bytes(random_bytes(repository::BlobId::kSize)));
}

V4Server::V4Server(const std::string& suffix)
    : folder_("/tmp/v4-" + std::to_string(::getpid()) + "-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name() + suffix) {
  std::filesystem::remove_all(folder_);
  seams_.log = &log_;
  InitRequest request;
  request.folder = folder_;
  request.listen_v4 = "127.0.0.1:0";
  request.plugin_folder = test::plugins();
  pin_ = must(init_folder(request, seams_)).pin;
}

V4Server::~V4Server() {
  daemon_.reset();
  std::filesystem::remove_all(folder_);
}

Result<std::unique_ptr<Daemon>> V4Server::try_start(std::vector<std::string> set) {
  SettingsRequest request;
  request.file = folder_ / "cyberbackupd.toml";
  request.set = std::move(set);
  request.set.insert(request.set.end(), {"plugins.probe=false", "plugins.check_owner=false"});
  request.default_plugin_folder = test::plugins();
  config::Problems problems;
  CB_ASSIGN(Settings settings, load_settings(request, problems));
  if (problems.has_errors()) return failed(problems.error(""));
  return Daemon::start(std::move(settings), seams_);
}

void V4Server::start(std::vector<std::string> set) { daemon_ = must(try_start(std::move(set))); }

void V4Server::change_config(const std::string& from, const std::string& to) {
  const os::Path file = folder_ / "cyberbackupd.toml";
  std::ostringstream all;
  all << std::ifstream(file).rdbuf();
  std::string text = all.str();
  const size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("the file does not say " + from);
  std::ofstream(file) << text.replace(at, from.size(), to);
}

Result<report::Json> V4Server::admin(report::Json request) {
  CB_ASSIGN(auto answer,
            ask_daemon_if_any(folder_ / "admin.sock", request, std::chrono::seconds(30)));
  if (answer) return std::move(*answer);
  return failed(Code::not_found, "daemon", "does not run");
}

std::string V4Server::token(const std::string& account) {
  (void)admin({{"command", "account.add"}, {"account", account}});
  const auto made = admin({{"command", "token.create"}, {"account", account}});
  if (!made) throw std::runtime_error(made.error().text());
  return report::text_of(*made, "token");
}

std::unique_ptr<V4Peer> V4Server::enrolled(const std::string& account, V4Owner& owner) {
  auto made = peer();
  const auto answer = made->enroll(owner, token(account));
  EXPECT_TRUE(answer && answer->code == v4::Response::enroll)
      << (answer ? answer->failure() : "no answer");
  return made;
}

V4Invited V4Server::joined(V4Peer& owners_peer, const V4Owner& owner, repository::Role role,
                           uint64_t flags) {
  V4Invited invited = V4Invited::make(owner, role, flags);
  EXPECT_EQ(tell(owners_peer, v4::Request::add_invite, invited.add_invite()), "");
  auto comer = peer();
  EXPECT_TRUE(comer->hello());
  const V4Answer answer =
      ask(*comer, v4::Request::join, invited.join(comer->statement(invited.device)));
  EXPECT_EQ(answer.code, v4::Response::enroll) << answer.failure();
  return invited;
}

void V4Server::set_password(const std::string& account, const std::string& password) {
  const std::string hash = must(identity::hash_password(password, {1, 8192}));
  must(admin({{"command", "account.password"}, {"account", account}, {"hash", hash}}));
}

V4Answer V4Server::ask(V4Peer& peer, v4::Request request,
                       const google::protobuf::MessageLite& message) {
  peer.request(request, peer.next_id++, message);
  auto answer = peer.answer();
  EXPECT_TRUE(answer) << "the connection ended without an answer";
  return answer ? std::move(*answer) : V4Answer{};
}

std::string V4Server::tell(V4Peer& peer, v4::Request request,
                           const google::protobuf::MessageLite& message) {
  const V4Answer answer = ask(peer, request, message);
  return answer.code == v4::Response::done ? "" : "failed: " + answer.failure();
}

std::unique_ptr<V4Peer> V4Server::member(const V4Owner& owner) {
  auto made = peer();
  const auto answer = made->login(owner);
  EXPECT_TRUE(answer && answer->code == v4::Response::login)
      << (answer ? answer->failure() : "no answer");
  return made;
}

void V4Server::wait_until_idle() {
  while (daemon_->session_count() != 0) std::this_thread::yield();
}

V4Blobs::V4Blobs(size_t data_size, size_t data_blobs) {
  session = must(repository::SessionId::from_bytes(random_bytes(16)));
  repository::SessionRecord record;
  record.epoch = 1;
  record.kem_cipher = random_bytes(64);
  auto keys = blob(repository::BlobKind::session, {}, {}, repository::encode(record));
  keys.head.id = {};
  std::copy(session.bytes.begin(), session.bytes.end(), keys.head.id.bytes.begin());
  all.push_back(std::move(keys));
  std::vector<repository::BlobId> data;
  for (size_t i = 0; i < data_blobs; ++i) {
    all.push_back(blob(repository::BlobKind::data, session, {}, random_bytes(data_size)));
    data.push_back(all.back().head.id);
  }
  all.push_back(blob(repository::BlobKind::node, session, data, random_bytes(700)));
  root = all.back().head.id;
  all.push_back(blob(repository::BlobKind::snapshot, session, {root}, random_bytes(300)));
  snapshot = all.back().head.id;
}

v4::pb::Commit V4Blobs::commit(const V4Owner& owner) const {
  repository::CommitRequest request;
  request.commit_id = must(repository::CommitId::from_bytes(random_bytes(16)));
  request.snapshot = snapshot;
  request.root = root;
  request.device_signature = owner.sign_snapshot(snapshot);
  request.files = 3;
  request.bytes = 5000;
  return v4::message_of(request);
}

}  // namespace cb::server
