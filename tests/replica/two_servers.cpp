// SPDX-License-Identifier: Apache-2.0
#include "tests/replica/two_servers.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "core/replication/replicate_job.h"
#include "tests/suites/transport_pair.h"

namespace cb::replication {

using report::Json;
using repository::StoredBlob;

namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// A source that lists what a test wants.
class RelistedSource final : public SourceRemote {
 public:
  RelistedSource(std::unique_ptr<SourceRemote> real, const ReplicaServer& server)
      : real_(std::move(real)), server_(server) {}

  Result<std::vector<SourceAccount>> accounts() override {
    CB_ASSIGN(auto all, real_->accounts());
    if (server_.change_accounts) server_.change_accounts(all);
    return all;
  }
  Result<SourceRecords> records(const repository::RepositoryId& repository) override {
    return real_->records(repository);
  }
  Result<std::vector<repository::DeviceEntry>> devices(
      const repository::RepositoryId& repository) override {
    return real_->devices(repository);
  }
  Result<repository::ChainPage> chain(const repository::RepositoryId& repository,
                                      uint64_t sequence) override {
    return real_->chain(repository, sequence);
  }
  Result<std::vector<repository::BlobId>> get(const repository::RepositoryId& repository,
                                              const repository::DeviceId& device,
                                              std::span<const repository::BlobId> ids,
                                              const Sink& sink) override {
    return real_->get(repository, device, ids, sink);
  }

 private:
  const std::unique_ptr<SourceRemote> real_;
  const ReplicaServer& server_;
};

}  // namespace

ReplicaServer::ReplicaServer(const std::string& suffix) : V4Server(suffix) {
  seams_.clock = &clock_;
  seams_.further_jobs = [this](const server::JobParts& parts) -> std::vector<server::JobKind> {
    const auto connect = [this, real = connect_with(*parts.registry)](
                             const Source& source) -> Result<std::unique_ptr<SourceRemote>> {
      CB_ASSIGN(auto remote, real(source));
      return std::make_unique<RelistedSource>(std::move(remote), *this);
    };
    return {replicate_job(parts, connect)};
  };
}

Json ReplicaServer::run(Json call) {
  call["command"] = "job.run";
  return must(admin(std::move(call)));
}

std::vector<std::filesystem::path> ReplicaServer::packs() const {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store"))
    if (entry.is_regular_file() && bytes_of(entry.path()).starts_with("CBPACK1\n"))
      found.push_back(entry.path());
  return found;
}

size_t ReplicaServer::damage(const StoredBlob& blob) const {
  const std::string wanted(as_text(blob.stored));
  size_t damaged = 0;
  for (const auto& file : packs()) {
    std::string content = bytes_of(file);
    const size_t at = content.find(wanted);
    if (at == std::string::npos) continue;
    content[at] = static_cast<char>(content[at] ^ 1);
    std::filesystem::permissions(file, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::ofstream(file, std::ios::binary) << content;
    ++damaged;
  }
  return damaged;
}

void TwoServers::start() {
  source_.start();
  copy_.start();
  peer_ = source_.enrolled("alice", owner_);
}

std::string TwoServers::token(const std::string& name, std::vector<std::string> accounts) {
  return report::text_of(must(source_.admin({{"command", "token.create"},
                                             {"replica", true},
                                             {"name", name},
                                             {"accounts", std::move(accounts)}})),
                         "token");
}

void TwoServers::add_source(const std::string& text, Json more) {
  more["command"] = "replica.add";
  more["name"] = more.value("name", "home");
  more["token"] = text;
  if (!more.contains("servers")) more["servers"] = Json::array({source_.address()});
  must(copy_.admin(std::move(more)));
}

Json TwoServers::pull(const std::string& account) {
  const Json list = must(copy_.admin({{"command", "replica.list"}}));
  for (const Json& source : list["sources"])
    for (const Json& one : source["pulls"])
      if (report::text_of(one, "account") == account) return one;
  return Json::object();
}

server::V4Blobs TwoServers::back_up(server::V4Peer& peer, const server::V4Owner& who,
                                    size_t data_blobs) {
  server::V4Blobs blobs(5000, data_blobs);
  for (const StoredBlob& blob : blobs.all) peer.put(peer.next_id++, blob.head, blob.stored);
  peer.request(v4::Request::commit, peer.next_id++, blobs.commit(who));
  const auto answer = peer.answer();
  EXPECT_TRUE(answer && answer->code == v4::Response::commit)
      << (answer ? answer->failure() : "no answer");
  if (answer && answer->code == v4::Response::commit) {
    EXPECT_TRUE(answer->as<v4::pb::CommitReply>().missing().empty());
  }
  return blobs;
}

std::shared_ptr<client::V4Session> TwoServers::session(ReplicaServer& at) const {
  client::V4Identity who;
  who.repository = owner_.record.id;
  who.root = owner_.record.root;
  who.device = owner_.device;
  who.sign = [this](ByteView message) { return owner_.key.sign(message); };
  const auto stack =
      must(stream::Stack::make({test::make("transport-tls", {{"pin", "[\"" + at.pin_ + "\"]"}}),
                                test::make("transport-tcp")}));
  return must(client::V4Session::open(stack, {"127.0.0.1", at.port(), ""}, who));
}

void TwoServers::expect_whole(client::V4Session& session, const server::V4Blobs& blobs) {
  std::vector<repository::BlobId> ids;
  for (const StoredBlob& blob : blobs.all) ids.push_back(blob.head.id);
  std::map<repository::BlobId, StoredBlob> found;
  const Status got = session.get(ids, [&](StoredBlob blob) -> Status {
    found.emplace(blob.head.id, std::move(blob));
    return {};
  });
  ASSERT_TRUE(got) << got.error().text();
  for (const StoredBlob& blob : blobs.all) {
    ASSERT_TRUE(found.contains(blob.head.id));
    EXPECT_EQ(found.at(blob.head.id).stored, blob.stored);
    EXPECT_EQ(found.at(blob.head.id).head.children, blob.head.children);
  }
}

std::string TwoServers::presence(client::V4Session& session) {
  constexpr std::array<const char*, 3> kNames = {"here", "kept", "absent"};
  std::string text;
  for (const auto& info : must(session.snapshots(true)))
    text += (text.empty() ? "" : ", ") + std::string(kNames.at(static_cast<size_t>(info.presence)));
  return text;
}

}  // namespace cb::replication
