// SPDX-License-Identifier: Apache-2.0
#include "tests/v4-client/scripted_peer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <fstream>

#include "core/protocol/v4/channel.h"

namespace cb::testing {
namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

identity::SigningKey new_key() { return must(identity::SigningKey::make(os::system_random())); }

template <typename IdType>
IdType some_id(uint8_t first) {
  IdType id;
  for (std::byte& b : id.bytes) b = static_cast<std::byte>(first++);
  return id;
}

}  // namespace

Account::Account() : root(new_key()), device(new_key()), server(new_key()) {
  record.id = some_id<repository::RepositoryId>(1);
  record.root = root.public_key();
  record.epochs = {{1, Bytes(32, std::byte{7})}};
  record.signature = must(root.sign(repository::signed_part(record)));
  certificate.device = device.public_key();
  certificate.signature = must(root.sign(repository::signed_part(certificate, record.id)));
}

client::V4Identity Account::identity() const {
  client::V4Identity who;
  who.repository = record.id;
  who.root = record.root;
  who.device = {identity::device_id_of(device.public_key())};
  who.sign = [this](ByteView message) { return device.sign(message); };
  return who;
}

Bytes Account::receipt(const repository::CommitRequest& request) const {
  repository::CommitRecord commit;
  commit.sequence = 1;
  commit.snapshot = request.snapshot;
  commit.root = request.root;
  commit.device = identity().device;
  commit.flags = request.flags;
  commit.commit_id = request.commit_id;
  commit.signature = must(server.sign(repository::signed_part(commit, record.id)));
  return repository::encode(commit);
}

// --- one connection ------------------------------------------------------------------------------

V4Peer::V4Peer(const Account& account, test::StreamPtr stream, size_t index)
    : account_(account), stream_(std::move(stream)), index_(index) {
  reply.set_version(4);
  reply.set_nonce(std::string(32, 'n'));
  reply.set_frame_max(v4::kFrameMax);
  reply.set_credit(4 * 1024 * 1024);
  reply.set_heartbeat_seconds(60);
  reply.set_lease_seconds(600);
  reply.set_time_ns(os::system_clock().wall().count());
  reply.set_server_key(v4::field_of(account.server.public_key()));
  login.set_account("alice");
  login.set_repository(v4::field_of(repository::encode(account.record)));
  login.set_certificate(v4::field_of(repository::encode(account.certificate)));
}

PeerRequest V4Peer::read() {
  Bytes part(64 * 1024);
  for (;;) {
    size_t size = 0;
    if (in_.size() >= protocol::kRequestHeaderSize)
      size = protocol::kRequestHeaderSize +
             protocol::decode_request_header(ByteView(in_).first<protocol::kRequestHeaderSize>())
                 .payload_size;
    if (size > 0 && in_.size() >= size) {
      const auto header =
          protocol::decode_request_header(ByteView(in_).first<protocol::kRequestHeaderSize>());
      const auto payload = must(v4::parse_payload(
          ByteView(in_).subspan(protocol::kRequestHeaderSize, header.payload_size)));
      PeerRequest request{must([&]() -> Result<v4::Request> {
                            const auto code = v4::request_of(header.code);
                            if (!code) return failed(Code::corrupt, "request", "unknown code");
                            return *code;
                          }()),
                          payload.request_id, to_bytes(payload.message), to_bytes(payload.bulk)};
      in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(size));
      return request;
    }
    const auto got = test::read_some(*stream_, part);
    if (!got || *got == 0) throw PeerGone(got ? "the client ended" : got.error().text());
    in_.insert(in_.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*got));
  }
}

PeerRequest V4Peer::expect(v4::Request code) {
  PeerRequest request = read();
  while (request.code == v4::Request::heartbeat && code != v4::Request::heartbeat) request = read();
  EXPECT_EQ(static_cast<int>(request.code), static_cast<int>(code));
  return request;
}

void V4Peer::raw(ByteView bytes) {
  const Status sent = test::write_all(*stream_, bytes);
  if (!sent) throw PeerGone(sent.error().text());
}

void V4Peer::send(v4::Response code, uint32_t id, const google::protobuf::MessageLite& message,
                  ByteView bulk) {
  raw(v4::response_front(code, id, v4::encode(message), bulk.size()));
  raw(bulk);
}

void V4Peer::send_blob(uint32_t id, const repository::StoredBlob& blob) {
  ByteView rest = blob.stored;
  const v4::pb::Blob message = v4::blob_of(blob.head);
  const ByteView first = rest.first(v4::bulk_in_frame(v4::encode(message).size(), rest.size()));
  send(v4::Response::blob, id, message, first);
  for (rest = rest.subspan(first.size()); !rest.empty();) {
    const ByteView more = rest.first(v4::bulk_in_frame(0, rest.size()));
    raw(v4::response_front(v4::Response::blob_more, id, {}, more.size()));
    raw(more);
    rest = rest.subspan(more.size());
  }
}

void V4Peer::greet() {
  const PeerRequest hello = expect(v4::Request::hello);
  send(v4::Response::hello, hello.id, reply);
  const PeerRequest asked = expect(v4::Request::login);
  const auto message = must(v4::parse<v4::pb::Login>(asked.message));
  const auto device = must(v4::id_of<repository::DeviceId>(message.device()));
  const Bytes binding = must(stream_->info(CB_INFO_CHANNEL_BINDING));
  const Bytes statement = must(v4::channel_statement(binding, as_bytes(reply.nonce()),
                                                     hello.message, v4::encode(reply), device));
  EXPECT_TRUE(identity::verify(account_.device.public_key(), statement,
                               must(v4::array_of<64>(message.signature()))));
  send(v4::Response::login, asked.id, login);
}

void V4Peer::wait_for_end() {
  try {
    for (;;) read();
  } catch (const PeerGone&) {
    return;
  }
}

// --- the repository ------------------------------------------------------------------------------

struct MemoryRepository::Incoming {
  repository::StoredBlob blob;
  bool open = false;
  uint64_t bytes = 0;
  uint64_t given_back = 0;
  uint64_t whole = 0;
};

size_t MemoryRepository::size() const {
  const std::lock_guard lock(mutex_);
  return blobs_.size();
}

void MemoryRepository::take(V4Peer& peer, const PeerRequest& request, Incoming& in) {
  if (request.code == v4::Request::put) {
    EXPECT_FALSE(in.open) << "a blob begins inside another";
    in.blob = {must(v4::head_of(must(v4::parse<v4::pb::Put>(request.message)))), {}};
    in.open = true;
  }
  in.blob.stored.insert(in.blob.stored.end(), request.bulk.begin(), request.bulk.end());
  in.bytes += request.bulk.size();
  most_unanswered_ = std::max<size_t>(most_unanswered_, in.bytes - in.given_back);
  if (in.blob.stored.size() == in.blob.head.stored_size) {
    const std::lock_guard lock(mutex_);
    blobs_[in.blob.head.id] = in.blob;
    in.open = false;
    ++in.whole;
  }
  const bool next_fits = in.bytes - in.given_back + v4::kFrameMax <= stingy_credit;
  if (next_fits) return;
  v4::pb::Taken taken;
  taken.set_bytes(in.bytes);
  in.given_back = in.bytes;
  peer.send(v4::Response::taken, v4::kPushedId, taken);
}

void MemoryRepository::give(V4Peer& peer, const PeerRequest& request) {
  const auto ids = must(v4::split_ids(must(v4::parse<v4::pb::Get>(request.message)).ids(), 4096));
  std::vector<repository::BlobId> missing;
  for (const auto& id : ids) {
    repository::StoredBlob blob;
    {
      const std::lock_guard lock(mutex_);
      const auto found = blobs_.find(id);
      if (found != blobs_.end()) blob = found->second;
    }
    if (blob.stored.empty())
      missing.push_back(id);
    else
      peer.send_blob(request.id, blob);
  }
  v4::pb::GetEnd end;
  end.set_missing(v4::join_ids(missing));
  peer.send(v4::Response::get_end, request.id, end);
}

void MemoryRepository::serve(V4Peer& peer) {
  Incoming in;
  for (;;) {
    const PeerRequest request = peer.read();
    if (request.code == v4::Request::put || request.code == v4::Request::put_more) {
      take(peer, request, in);
    } else if (request.code == v4::Request::get) {
      give(peer, request);
    } else if (request.code == v4::Request::have) {
      const auto ids =
          must(v4::split_ids(must(v4::parse<v4::pb::Have>(request.message)).ids(), 4096));
      v4::pb::HaveReply reply;
      const std::lock_guard lock(mutex_);
      for (const auto& id : ids) reply.mutable_present()->push_back(blobs_.contains(id) ? 1 : 0);
      peer.send(v4::Response::have, request.id, reply);
    } else if (request.code == v4::Request::flush) {
      v4::pb::FlushReply reply;
      reply.set_durable(in.whole);
      peer.send(v4::Response::flush, request.id, reply);
    } else if (request.code != v4::Request::heartbeat) {
      ADD_FAILURE() << "request " << static_cast<int>(request.code);
    }
  }
}

// --- the listener --------------------------------------------------------------------------------

ScriptedPeer::ScriptedPeer(const Account& account, Script script)
    : account_(account), script_(std::move(script)), ends_{test::make("transport-tcp"), {}, {}} {
  certificate_ = must(identity::make_certificate({"127.0.0.1"}, std::chrono::hours(24)));
  std::ofstream(folder_.file("cert.pem")) << certificate_.certificate;
  std::ofstream(folder_.file("key.pem")) << as_text(certificate_.key.view());
  std::filesystem::permissions(folder_.file("key.pem"), std::filesystem::perms::owner_read);
  ends_.server_filters.push_back(
      test::make("transport-tls",
                 {{"certificate", folder_.file("cert.pem")}, {"key", folder_.file("key.pem")}}));
  listener_.emplace(ends_.listen());
  port_ = listener_->port();
  if (::pipe(stop_pipe_) != 0) throw std::runtime_error("no pipe");
  thread_ = std::thread([this] { serve(); });
}

ScriptedPeer::~ScriptedPeer() {
  join();
  ::close(stop_pipe_[0]);
  ::close(stop_pipe_[1]);
}

stream::Stack ScriptedPeer::stack(const std::string& pin) const {
  const std::string& expected = pin.empty() ? certificate_.pin : pin;
  return must(stream::Stack::make(
      {test::make("transport-tls", {{"pin", "[\"" + expected + "\"]"}}), ends_.tcp}));
}

void ScriptedPeer::join() {
  if (!thread_.joinable()) return;
  (void)!::write(stop_pipe_[1], "x", 1);
  thread_.join();
}

void ScriptedPeer::serve() {
  for (;;) {
    pollfd ready[2] = {{listener_->fd(), POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}};
    ::poll(ready, 2, -1);
    auto root = listener_->accept();
    if (root && *root)
      serve_one(std::move(*root));
    else if (ready[1].revents != 0)
      return;
  }
}

void ScriptedPeer::serve_one(test::StreamPtr root) {
  auto wrapped = ends_.wrap_server(std::move(root));
  if (!wrapped || !test::shake_hands(**wrapped)) {
    ++failed_handshakes_;
    return;
  }
  V4Peer peer(account_, std::move(*wrapped), connections_++);
  try {
    script_(peer);
  } catch (const PeerGone&) {
    return;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

repository::StoredBlob blob_of(size_t size, uint32_t seed) {
  repository::StoredBlob blob;
  blob.stored = test::pattern(size, seed);
  blob.head.stored_size = static_cast<uint32_t>(size);
  blob.head.id.bytes = identity::sha256(blob.stored);
  store_le<uint32_t>(blob.head.id.bytes.data(), seed);
  store_le<uint32_t>(blob.head.session.bytes.data(), 77);
  return blob;
}

}  // namespace cb::testing
