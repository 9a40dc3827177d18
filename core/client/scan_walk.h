// SPDX-License-Identifier: Apache-2.0
//
// The walk behind Scanner and PreScan. Folders are listed and their names looked at in batches, by
// threads that take the job that is first in snapshot order, or by the consumer when it needs it
// and nobody has begun. So items are ready in about the order in which they are wanted; how much
// may be ready is bounded, but for what the consumer does itself, so it never waits for room. One
// consumer; `cancel` is for any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>

#include "core/client/metadata_reader.h"
#include "core/client/name_list.h"
#include "core/client/scan_sources.h"

namespace cb::client {

class ScanWalk {
 public:
  struct Options {
    bool metadata = true;         // otherwise only what stat tells
    size_t items_ahead = 8192;    // entries that may be ready
    size_t name_bytes = 8 << 20;  // of names that wait to be looked at
    size_t batch = 128;           // names
  };
  ScanWalk(Scanner::Parts parts, const ScanRequest& request, std::vector<std::string> sources,
           std::shared_ptr<os::Folder> root, Options options);
  ~ScanWalk();

  Result<std::optional<ScanItem>> next();
  void cancel();
  [[nodiscard]] const std::vector<std::string>& sources() const { return sources_; }
  [[nodiscard]] const ScanCounts& counts() const { return counts_; }

 private:
  struct Told {
    std::string path;
    Error error;
  };
  enum class Stage : uint8_t { waiting, running, done };
  struct Batch;
  struct Listing;
  struct Found;
  struct ByKey {
    template <typename Job>
    bool operator()(const std::shared_ptr<Job>& a, const std::shared_ptr<Job>& b) const {
      return repository::compare_paths(a->key, b->key) < 0;
    }
  };
  using ListingPtr = std::shared_ptr<Listing>;
  using BatchPtr = std::shared_ptr<Batch>;

  void work();
  bool take_and_run(std::unique_lock<std::mutex>& lock);
  void run(std::unique_lock<std::mutex>& lock, const ListingPtr& listing);
  void run(std::unique_lock<std::mutex>& lock, const BatchPtr& batch);
  template <typename Job>
  void await(std::unique_lock<std::mutex>& lock, const Job& job);
  void next_batch(const ListingPtr& listing);
  void advance();
  void enter(Found& found, ScanItem& item);
  void count(const ScanItem& item);
  void tell(const Told& told);

  Result<NameList> list(const Listing& listing, size_t limit);
  void look(Batch& batch);
  void look_at(Batch& batch, os::Folder& folder, size_t i);
  void plan_below(const Batch& batch, const SourceNode* named, const os::NodeStat& stat,
                  Found& found) const;
  void keep(Batch& batch, const SourceNode* named, const Result<os::NodeStat>& stat,
            os::Folder& folder, const std::string& path);
  Result<repository::Entry> describe(os::Folder& folder, const std::string& path,
                                     const os::NodeStat& stat, Found& found);

  Scanner::Parts parts_;
  ScanRules rules_;
  std::vector<std::string> sources_;
  std::unique_ptr<SourceNode> named_;
  Options options_;
  MetadataReader reader_;
  std::shared_ptr<os::FolderCache> folders_;

  // The consumer's.
  std::vector<ListingPtr> stack_;  // the folder that is delivered, and those above it
  ScanCounts counts_;

  std::mutex mutex_;
  std::condition_variable work_;  // there is something to do
  std::condition_variable done_;  // a job is done
  std::set<ListingPtr, ByKey> listings_;
  std::set<BatchPtr, ByKey> batches_;
  size_t items_held_ = 0;
  size_t bytes_held_ = 0;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace cb::client
