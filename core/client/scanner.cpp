// SPDX-License-Identifier: Apache-2.0
#include "core/client/scanner.h"

#include <algorithm>

#include "core/client/scan_walk.h"

namespace cb::client {

SourceStat source_stat(const os::NodeStat& stat) {
  return {stat.device, stat.inode, stat.size, stat.mtime_ns, stat.ctime_ns, stat.links};
}

Result<std::unique_ptr<os::TreeFile>> ScanItem::open() const {
  if (folders == nullptr || folder == nullptr)
    return failed(Code::invalid, entry.path, "is not a file with content");
  CB_ASSIGN(const std::shared_ptr<os::Folder> opened, folders->open(*folder));
  const size_t slash = entry.path.rfind('/');
  return opened->open_file(slash == std::string::npos ? entry.path : entry.path.substr(slash + 1));
}

Scanner::Scanner(std::unique_ptr<ScanWalk> walk) : walk_(std::move(walk)) {}
Scanner::~Scanner() = default;

Result<std::unique_ptr<Scanner>> Scanner::open(Parts parts, const ScanRequest& request) {
  CB_ASSIGN(std::vector<std::string> sources,
            snapshot_sources(*parts.tree, request.paths, parts.problem));
  CB_ASSIGN(std::shared_ptr<os::Folder> root, parts.tree->open("/"));
  return std::unique_ptr<Scanner>(new Scanner(std::make_unique<ScanWalk>(
      std::move(parts), request, std::move(sources), std::move(root), ScanWalk::Options())));
}

Result<std::optional<ScanItem>> Scanner::next() { return walk_->next(); }
void Scanner::cancel() { walk_->cancel(); }
const std::vector<std::string>& Scanner::sources() const { return walk_->sources(); }
ScanCounts Scanner::counts() const { return walk_->counts(); }

struct PreScan::State {
  os::AccountNames names;
  std::unique_ptr<ScanWalk> walk;
  mutable std::mutex mutex;
  ScanCounts counts;
  bool done = false;
  std::thread thread;

  void run() {
    while (true) {
      const auto item = walk->next();
      const bool last = !item || !*item;
      const std::lock_guard lock(mutex);
      counts = walk->counts();
      done = last;
      if (last) return;
    }
  }
};

PreScan::PreScan(os::Tree& tree, const ScanRequest& request) : state_(std::make_unique<State>()) {
  auto sources = snapshot_sources(tree, request.paths, {});
  auto root = tree.open("/");
  if (!sources || !root) {
    state_->done = true;
    return;
  }
  ScanRequest quick = request;
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
  if (quick.threads == 0) quick.threads = cores / 2;
  ScanWalk::Options options;
  options.metadata = false;
  options.items_ahead = 2048;
  options.name_bytes = 4 << 20;
  Scanner::Parts parts{&tree, &state_->names, {}};
  state_->walk = std::make_unique<ScanWalk>(std::move(parts), quick, std::move(*sources),
                                            std::move(*root), options);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

PreScan::~PreScan() {
  if (state_->walk != nullptr) state_->walk->cancel();
  if (state_->thread.joinable()) state_->thread.join();
}

ScanCounts PreScan::counts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

bool PreScan::done() const {
  const std::lock_guard lock(state_->mutex);
  return state_->done;
}

}  // namespace cb::client
