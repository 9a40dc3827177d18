// SPDX-License-Identifier: Apache-2.0
#include "tests/v3-client/bench.h"

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>

#include "core/config/schema.h"
#include "core/log/line_log.h"
#include "core/plugin/registry.h"
#include "core/protocol/v3/cksum.h"
#include "tests/folders.h"

namespace cb::testing {
namespace {

class SilentLog : public log::LineLog {
 public:
  void write_fields(log::Level, std::string_view, std::span<const log::Field>) override {}
};

// The value, or the end of the test program with the reason.
template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

// Lives as long as the process, as the plugins do.
struct Plugins {
  Plugins() : registry(services(), load_options()) {
    for (const char* id : {"transport-tcp", "crypto-legacy"})
      if (auto loaded = registry.load(id); !loaded) throw std::runtime_error(loaded.error().text());
    suites.emplace(client::V3Suites{make_suite({{"oaep_hash", "sha256"}}),
                                    make_suite({{"oaep_hash", "sha1"}})});
    of_2023.emplace(make_suite({{"oaep_hash", "sha1"}, {"key_bytes", "16"}}));
    const auto none = must(config::values_from(*must(registry.schema("transport-tcp")), {}));
    std::vector<plugin::Transport> top_first;
    top_first.push_back(must(registry.make_transport("transport-tcp", none)));
    stack.emplace(must(stream::Stack::make(std::move(top_first))));
  }

  plugin::Crypto make_suite(const std::map<std::string, std::string>& written) {
    const auto* schema = must(registry.schema("crypto-legacy"));
    return must(registry.make_crypto("crypto-legacy", must(config::values_from(*schema, written))));
  }

  static plugin::HostServices services() {
    static SilentLog log;
    plugin::HostServices services;
    services.log = &log;
    services.clock = &os::system_clock();
    services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
    services.host_name = "v3-client-test";
    services.host_version = "0";
    return services;
  }

  static plugin::LoadOptions load_options() {
    plugin::LoadOptions options;
    options.folder = test::plugins();
    options.check_owner = false;
    options.probe_unknown = false;
    return options;
  }

  plugin::Registry registry;
  std::optional<client::V3Suites> suites;
  std::optional<plugin::Crypto> of_2023;
  std::optional<stream::Stack> stack;
};

Plugins& plugins() {
  static Plugins plugins;
  return plugins;
}

std::atomic<unsigned> folders_made{0};

}  // namespace

const client::V3Suites& suites() { return *plugins().suites; }
const plugin::Crypto& suite_of_2023() { return *plugins().of_2023; }
const stream::Stack& plain_stack() { return *plugins().stack; }

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_content(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

ClientId id_of(uint8_t digit) {
  ClientId id;
  id.bytes.fill(std::byte{digit});
  return id;
}

Bench::Bench()
    : folder_(std::filesystem::temp_directory_path() /
              ("cb-v3-client-" + std::to_string(getpid()) + "-" +
               std::to_string(folders_made.fetch_add(1)))) {
  std::filesystem::create_directories(folder_);
  settings_.user_name = "Alice Test";
  settings_.backoff.first = std::chrono::milliseconds(1);
  settings_.backoff.most = std::chrono::milliseconds(4);
}

Bench::~Bench() { std::filesystem::remove_all(folder_); }

std::filesystem::path Bench::make_file(const std::string& name, std::string_view content) {
  write_content(folder_ / name, content);
  return folder_ / name;
}

client::V3SendReport Bench::send(uint16_t port, const std::vector<std::filesystem::path>& files) {
  settings_.server = {"127.0.0.1", port};
  client::V3Sender::Parts parts;
  parts.stack = &plain_stack();
  parts.suites = &suites();
  parts.files = &os::real_file_system();
  parts.clock = &os::system_clock();
  parts.random = &os::system_random();
  parts.identity_folder = identity();
  client::V3SendObserver observer;
  observer.note = [this](const std::string& text) { notes_.push_back(text); };
  observer.progress = [this](const client::V3SendProgress& now) {
    most_progress_ = std::max(most_progress_, now.bytes_done);
  };
  client::V3Sender sender(std::move(parts), settings_, std::move(observer));
  running_ = &sender;
  auto report = sender.run(files, false);
  running_ = nullptr;
  return must(std::move(report));
}

v3::MeInfo Bench::me_info() const {
  return must(v3::parse_me_info(as_bytes(content_of(identity() / "me.info"))));
}

void ServerSide::register_client(Peer& peer, const ClientId& id) {
  peer.expect(v3::Request::sign_up);
  peer.reply(v3::Reply::signed_up, {id.view()}, dialect_);
  exchange_keys(peer, id);
}

void ServerSide::exchange_keys(Peer& peer, const ClientId& id) {
  answer_key(peer, id, peer.expect(v3::Request::send_key));
}

void ServerSide::answer_key(Peer& peer, const ClientId& id, const ReceivedRequest& request,
                            v3::Reply kind) {
  if (request.kind() == v3::Request::send_key)
    public_key_ = to_bytes(must(v3::parse_public_key(request.payload)).key);
  const auto pair = must(suite_.import_public(public_key_));
  auto wrapped = must(pair.encapsulate({}));
  key_.emplace(std::move(wrapped.key));
  peer.reply(kind, {id.view(), wrapped.cipher}, dialect_);
}

void ServerSide::reconnect(Peer& peer, const ClientId& id) {
  answer_key(peer, id, peer.expect(v3::Request::reconnect), v3::Reply::reconnected);
}

std::string ServerSide::open(ByteView cipher) const {
  const size_t chunk = must(suite_.props()).chunk_plain;
  auto opened = must(key_->open({}, {}));
  std::string plain;
  Bytes room(chunk + 16);
  for (uint64_t index = 0; !cipher.empty(); ++index) {
    // The last chunk of the sealing side may hold up to a whole chunk and its padding.
    const bool last = cipher.size() <= chunk;
    const ByteView part = cipher.first(last ? cipher.size() : chunk);
    cipher = cipher.subspan(part.size());
    plain += as_text(ByteView(room).first(must(opened.chunk(index, last, part, room))));
  }
  return plain;
}

void ServerSide::answer_file(Peer& peer, const ClientId& id, ByteView cipher,
                             uint32_t spoil) const {
  v3::FileReply reply;
  reply.client = id;
  reply.content_size = static_cast<uint32_t>(cipher.size());
  reply.cksum = v3::cksum_of(as_bytes(open(cipher))) ^ spoil;
  peer.reply(v3::Reply::file_received, {encode(reply)}, dialect_);
}

}  // namespace cb::testing
