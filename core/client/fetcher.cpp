// SPDX-License-Identifier: Apache-2.0
//
// The fetcher's two layers: batches of blobs over the connection, and nodes over those.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "core/client/blob_batch.h"
#include "core/client/node_cache.h"
#include "core/client/restore.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::Node;
using repository::PlainBlob;

constexpr size_t kNodeCache = 16 * 1024 * 1024;  // bytes of memory
constexpr size_t kBatch = 4;                     // blobs of a request: some MiB of data
constexpr size_t kNodesAhead = 16;
constexpr unsigned kMostThreads = 4;  // each may hold a blob of 8 MiB twice

// Where a walk stands: for each level the children of the node last seen, and which comes next.
struct Walk {
  struct Level {
    std::vector<BlobId> children;
    size_t next = SIZE_MAX;
  };
  std::map<uint8_t, Level> levels;
};

}  // namespace

struct BlobFetcher::State {
  State(BlobBatches::Parts parts, repository::Opener& keys)
      : line(std::move(parts), keys), opener(keys), nodes(kNodeCache) {}

  Result<Node> keep_node(const BlobId& id, Result<PlainBlob> blob);
  Result<Node> node(const BlobId& id);
  void nodes_ahead(std::span<const BlobId> ids);
  Result<Node> walk(Walk& walk, const BlobId& id);

  BlobBatches line;
  repository::Opener& opener;
  NodeCache nodes;
  std::atomic<uint64_t> nodes_fetched{0};
};

Result<Node> BlobFetcher::State::keep_node(const BlobId& id, Result<PlainBlob> blob) {
  CB_ASSIGN(const PlainBlob opened, std::move(blob));
  if (opened.kind != BlobKind::node)
    return failed(Code::corrupt, "blob " + id.hex(), "stands for a node and is none");
  CB_ASSIGN(Node decoded, repository::decode_node(opened.plain, opened.children));
  ++nodes_fetched;
  nodes.keep(id, decoded);
  return decoded;
}

Result<Node> BlobFetcher::State::node(const BlobId& id) {
  if (auto kept = nodes.find(id)) return std::move(*kept);
  Result<Node> found = failed(Code::internal, "blob " + id.hex(), "was not answered");
  CB_TRY(line.get({&id, 1}, [&](const BlobId& of, Result<PlainBlob> blob) -> Status {
    found = keep_node(of, std::move(blob));
    return {};
  }));
  return found;
}

// What cannot be had now is asked for again, and reported, when its turn comes.
void BlobFetcher::State::nodes_ahead(std::span<const BlobId> ids) {
  std::vector<BlobId> wanted;
  for (const BlobId& id : ids)
    if (!nodes.has(id)) wanted.push_back(id);
  if (wanted.size() < 2) return;
  (void)line.get(wanted, [&](const BlobId& id, Result<PlainBlob> blob) -> Status {
    (void)keep_node(id, std::move(blob));
    return {};
  });
}

Result<Node> BlobFetcher::State::walk(Walk& walk, const BlobId& id) {
  for (auto& [level, seen] : walk.levels) {
    const auto found = std::find(seen.children.begin(), seen.children.end(), id);
    if (found == seen.children.end()) continue;
    const auto at = static_cast<size_t>(found - seen.children.begin());
    if (at == seen.next && !nodes.has(id))
      nodes_ahead(std::span(seen.children)
                      .subspan(at)
                      .first(std::min(kNodesAhead, seen.children.size() - at)));
    seen.next = at + 1;
    break;
  }
  CB_ASSIGN(Node found, node(id));
  if (found.level > 0 && found.type == repository::NodeType::entries)
    walk.levels[found.level] = {found.children, SIZE_MAX};
  return found;
}

BlobFetcher::BlobFetcher(std::shared_ptr<repository::Remote> remote, repository::Opener& opener,
                         Connect reconnect, Devices devices)
    : state_(std::make_unique<State>(
          BlobBatches::Parts{std::move(remote), std::move(reconnect), std::move(devices)},
          opener)) {}
BlobFetcher::~BlobFetcher() = default;

void BlobFetcher::read_as(const repository::DeviceId& device) { state_->line.read_as(device); }

Result<Node> BlobFetcher::node(const BlobId& id) { return state_->node(id); }

Result<PlainBlob> BlobFetcher::blob(const BlobId& id) {
  Result<PlainBlob> found = failed(Code::internal, "blob " + id.hex(), "was not answered");
  CB_TRY(state_->line.get({&id, 1}, [&](const BlobId&, Result<PlainBlob> blob) -> Status {
    found = std::move(blob);
    return {};
  }));
  return found;
}

Status BlobFetcher::blobs(std::span<const BlobId> ids,
                          const std::function<Status(PlainBlob)>& sink) {
  std::mutex mutex;
  return fetch(ids, kMostThreads, [&](const BlobId&, Result<PlainBlob> blob) -> Status {
    CB_ASSIGN(PlainBlob opened, std::move(blob));
    const std::lock_guard lock(mutex);
    return sink(std::move(opened));
  });
}

Status BlobFetcher::fetch(std::span<const BlobId> ids, unsigned threads, const Answer& answer) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  Status first_failure;
  const auto work = [&] {
    while (true) {
      const size_t from = next.fetch_add(kBatch);
      if (from >= ids.size()) return;
      const Status done =
          state_->line.get(ids.subspan(from, std::min(kBatch, ids.size() - from)), answer);
      if (done) continue;
      next = ids.size();
      const std::lock_guard lock(mutex);
      if (first_failure) first_failure = done;
    }
  };
  const size_t batches = (ids.size() + kBatch - 1) / kBatch;
  const size_t more = std::min<size_t>({batches, threads, kMostThreads});
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < more; ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  return first_failure;
}

repository::NodeSource BlobFetcher::source() {
  return [this](const BlobId& id) { return state_->node(id); };
}

repository::NodeSource BlobFetcher::walking_source() {
  return
      [this, walk = std::make_shared<Walk>()](const BlobId& id) { return state_->walk(*walk, id); };
}

const repository::WriteKeys& BlobFetcher::write_keys() const { return state_->opener.write_keys(); }

std::map<repository::SessionId, Bytes> BlobFetcher::session_records() const {
  return state_->line.session_records();
}

uint64_t BlobFetcher::bytes_fetched() const { return state_->line.bytes_fetched(); }
uint64_t BlobFetcher::nodes_fetched() const { return state_->nodes_fetched; }

}  // namespace cb::client
