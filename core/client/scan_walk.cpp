// SPDX-License-Identifier: Apache-2.0
#include "core/client/scan_walk.h"

#include <algorithm>

namespace cb::client {
namespace {

using repository::EntryKind;

constexpr size_t kMaxPath = 64 * 1024;
constexpr size_t kUsualPath = 128;   // bytes
constexpr size_t kUsualEntry = 512;  // bytes
constexpr size_t kSmallestBatch = 8;
constexpr size_t kSmallestListing = 256 * 1024;  // bytes of names that a folder always gets

std::string joined(const std::string& folder, std::string_view name) {
  std::string path;
  path.reserve(folder.size() + 1 + name.size());
  path += folder;
  if (!folder.empty()) path += '/';
  path += name;
  return path;
}

}  // namespace

// What was found at one name.
struct ScanWalk::Found {
  std::optional<ScanItem> item;
  std::vector<Told> told;
  ListingPtr below;  // of a folder that is walked
};

// A folder that is walked.
struct ScanWalk::Listing {
  std::string key;  // its path
  Stage stage = Stage::waiting;
  FolderPlan plan;
  std::shared_ptr<const std::string> path;
  NameList names;
  size_t next = 0;    // of names, that is in no batch yet
  size_t bytes = 0;   // that count as held
  bool more = false;  // names follow after `last`
  std::string last;   // name that was listed
  std::optional<Error> failure;
  std::deque<BatchPtr> batches;  // after the current one
  BatchPtr current;              // that is delivered
  size_t index = 0;              // in current
};

// Some names of a folder.
struct ScanWalk::Batch {
  std::string key;  // path of the first name
  Stage stage = Stage::waiting;
  ListingPtr listing;  // until it is begun: its listing holds it
  FolderPlan plan;
  std::shared_ptr<const std::string> path;
  std::vector<std::pair<std::string, os::NameKind>> names;
  size_t weight = 0;  // room that it takes, in entries of the usual size
  std::vector<Found> found;
  uint64_t excluded = 0;
  uint64_t vanished = 0;
};

ScanWalk::ScanWalk(Scanner::Parts parts, const ScanRequest& request,
                   std::vector<std::string> sources, std::shared_ptr<os::Folder> root,
                   Options options)
    : parts_(std::move(parts)),
      rules_(request),
      sources_(std::move(sources)),
      named_(source_tree(sources_)),
      options_(options),
      reader_(*parts_.names),
      folders_(std::make_shared<os::FolderCache>(root)) {
  auto top = std::make_shared<Listing>();
  top->path = std::make_shared<const std::string>();
  const auto stat = root->stat();
  top->plan = {named_.get(), named_->source, stat ? stat->device : 0};
  listings_.insert(top);
  stack_.push_back(std::move(top));
  const unsigned cores = std::min(std::max(std::thread::hardware_concurrency(), 1U), 8U);
  const unsigned threads = request.threads == 0 ? cores : request.threads;
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ScanWalk::~ScanWalk() {
  cancel();
  for (std::thread& thread : threads_) thread.join();
  // What was found ahead may be nested deeply: taken apart here, not by destructors in destructors.
  listings_.clear();
  batches_.clear();
  while (!stack_.empty()) {
    const ListingPtr listing = std::move(stack_.back());
    stack_.pop_back();
    if (listing->current != nullptr) listing->batches.push_back(std::move(listing->current));
    for (const BatchPtr& batch : listing->batches) {
      batch->listing.reset();
      for (Found& found : batch->found)
        if (found.below != nullptr) stack_.push_back(std::move(found.below));
    }
  }
}

void ScanWalk::cancel() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  work_.notify_all();
  done_.notify_all();
}

void ScanWalk::work() {
  std::unique_lock lock(mutex_);
  while (!stop_)
    if (!take_and_run(lock)) work_.wait(lock);
}

// Runs the first job in order that there is room for.
bool ScanWalk::take_and_run(std::unique_lock<std::mutex>& lock) {
  const bool may_list = !listings_.empty() && bytes_held_ < options_.name_bytes;
  const bool may_look =
      !batches_.empty() && items_held_ + (*batches_.begin())->weight <= options_.items_ahead;
  if (!may_list && !may_look) return false;
  if (may_list && may_look) {
    const int order =
        repository::compare_paths((*listings_.begin())->key, (*batches_.begin())->key);
    if (order < 0) {
      run(lock, ListingPtr(*listings_.begin()));
    } else {
      run(lock, BatchPtr(*batches_.begin()));
    }
  } else if (may_list) {
    run(lock, ListingPtr(*listings_.begin()));
  } else {
    run(lock, BatchPtr(*batches_.begin()));
  }
  return true;
}

void ScanWalk::run(std::unique_lock<std::mutex>& lock, const ListingPtr& listing) {
  listings_.erase(listing);
  listing->stage = Stage::running;
  const size_t room = options_.name_bytes - std::min(bytes_held_, options_.name_bytes);
  lock.unlock();
  auto names = list(*listing, std::max(room / 2, kSmallestListing));
  lock.lock();
  if (names) {
    listing->names = std::move(*names);
    listing->more = listing->names.cut();
    listing->next = 0;
    listing->bytes = listing->names.bytes();
    bytes_held_ += listing->bytes;
    next_batch(listing);
  } else {
    listing->more = false;
    listing->failure = std::move(names).error();
  }
  listing->stage = Stage::done;
  done_.notify_all();
}

// Makes the next names of a folder a batch that waits to be looked at.
void ScanWalk::next_batch(const ListingPtr& listing) {
  NameList& names = listing->names;
  const size_t size = items_held_ < options_.items_ahead ? options_.batch : kSmallestBatch;
  const size_t end = std::min(names.size(), listing->next + size);
  if (listing->next < end) {
    auto batch = std::make_shared<Batch>();
    batch->listing = listing;
    batch->plan = listing->plan;
    batch->path = listing->path;
    for (size_t i = listing->next; i < end; ++i)
      batch->names.emplace_back(names.name(i), names.kind(i));
    batch->weight = batch->names.size() * (1 + listing->path->size() / kUsualPath);
    batch->key = joined(*listing->path, batch->names.front().first);
    listing->last = batch->names.back().first;
    listing->next = end;
    listing->batches.push_back(batch);
    batches_.insert(std::move(batch));
    work_.notify_one();
  }
  if (end < names.size()) return;
  names = NameList();
  listing->next = 0;
  bytes_held_ -= std::exchange(listing->bytes, 0);
  work_.notify_one();
}

void ScanWalk::run(std::unique_lock<std::mutex>& lock, const BatchPtr& batch) {
  batches_.erase(batch);
  batch->stage = Stage::running;
  items_held_ += batch->weight;
  next_batch(std::exchange(batch->listing, nullptr));
  lock.unlock();
  look(*batch);
  lock.lock();
  size_t extra = 0;
  for (const Found& found : batch->found) {
    if (found.item)
      for (const repository::Xattr& xattr : found.item->entry.xattrs) extra += xattr.value.size();
    if (found.below == nullptr) continue;
    listings_.insert(found.below);
    work_.notify_one();
  }
  batch->weight += extra / kUsualEntry;
  items_held_ += extra / kUsualEntry;
  batch->stage = Stage::done;
  done_.notify_all();
}

// Waits until a job is done, or does it.
template <typename Job>
void ScanWalk::await(std::unique_lock<std::mutex>& lock, const Job& job) {
  if (job->stage == Stage::waiting) run(lock, job);
  done_.wait(lock, [&] { return job->stage == Stage::done || stop_; });
}

Result<std::optional<ScanItem>> ScanWalk::next() {
  while (!stop_ && !stack_.empty()) {
    Listing& top = *stack_.back();
    if (top.current == nullptr || top.index == top.current->found.size()) {
      advance();
      continue;
    }
    Found& found = top.current->found[top.index++];
    for (const Told& told : found.told) tell(told);
    if (!found.item) continue;
    ScanItem item = std::move(*found.item);
    found.item.reset();
    if (found.below != nullptr) enter(found, item);
    if (stop_) break;
    count(item);
    return std::optional<ScanItem>(std::move(item));
  }
  if (stop_) return failed(Code::cancelled, "the scan", "was cancelled");
  return std::optional<ScanItem>();
}

// Goes on to the next batch of the innermost folder, or out of it.
void ScanWalk::advance() {
  const ListingPtr top = stack_.back();
  std::unique_lock lock(mutex_);
  if (top->current != nullptr) {
    items_held_ -= top->current->weight;
    top->current = nullptr;
    work_.notify_all();
  }
  await(lock, top);
  if (stop_) return;
  if (top->batches.empty() && top->more) {
    top->stage = Stage::waiting;  // listed again, from its last name on
  } else if (top->batches.empty()) {
    stack_.pop_back();
  } else {
    const BatchPtr batch = top->batches.front();
    await(lock, batch);
    if (stop_) return;
    top->batches.pop_front();
    top->current = batch;
    top->index = 0;
    counts_.excluded += batch->excluded;
    counts_.vanished += batch->vanished;
  }
  lock.unlock();
  if (top->failure && stack_.empty()) tell({"", *top->failure});
}

// Makes the folder of `item` the one that is delivered, if it can be read.
void ScanWalk::enter(Found& found, ScanItem& item) {
  const ListingPtr listing = std::move(found.below);
  {
    std::unique_lock lock(mutex_);
    await(lock, listing);
  }
  if (!listing->failure || stop_) {
    stack_.push_back(listing);
  } else if (listing->failure->code == Code::not_found) {
    ++counts_.vanished;
  } else {
    item.entry.flags |= repository::kEntryUnreadable;
    tell({item.entry.path, std::move(*listing->failure)});
  }
}

void ScanWalk::count(const ScanItem& item) {
  if (item.entry.kind == EntryKind::file) {
    ++counts_.files;
    counts_.bytes += item.stat.size;
  } else {
    ++(item.entry.kind == EntryKind::folder ? counts_.folders : counts_.others);
  }
}

void ScanWalk::tell(const Told& told) {
  ++counts_.problems;
  if (parts_.problem) parts_.problem(told.path, told.error);
}

Result<NameList> ScanWalk::list(const Listing& listing, size_t limit) {
  const FolderPlan& plan = listing.plan;
  const bool may_be_cache =
      rules_.exclude_caches() && (plan.named == nullptr || !plan.named->source);
  bool all = plan.all;
  NameList names;
  if (all) {
    CB_ASSIGN(const std::shared_ptr<os::Folder> folder, folders_->open(*listing.path));
    if (!may_be_cache || !is_cache_folder(*folder))
      return NameList::read(*folder, listing.last, limit);
    if (plan.named == nullptr || plan.named->find(kCacheTag) == nullptr)
      names.add(kCacheTag, os::NameKind::unknown);
  }
  if (plan.named != nullptr)
    for (const auto& [name, node] : plan.named->below) names.add(name, os::NameKind::unknown);
  names.sort();
  return names;
}

void ScanWalk::look(Batch& batch) {
  batch.found.reserve(batch.names.size());
  const auto folder = folders_->open(*batch.path);
  if (folder) {
    for (size_t i = 0; i < batch.names.size() && !stop_; ++i) look_at(batch, **folder, i);
  } else if (folder.error().code == Code::not_found) {
    batch.vanished += batch.names.size();
  } else {
    batch.found.emplace_back().told.push_back({*batch.path, folder.error()});
  }
  batch.names = {};
}

void ScanWalk::look_at(Batch& batch, os::Folder& folder, size_t i) {
  const auto& [name, kind] = batch.names[i];
  const SourceNode* named = batch.plan.named == nullptr ? nullptr : batch.plan.named->find(name);
  const std::string path = joined(*batch.path, name);
  const bool known = kind != os::NameKind::unknown;
  bool excluded = known && rules_.excludes(named, path, kind == os::NameKind::folder);
  if (!excluded) {
    const auto stat = folder.stat_name(name);
    if (stat && !known) excluded = rules_.excludes(named, path, stat->is_folder());
    if (!excluded) keep(batch, named, stat, folder, path);
  }
  if (excluded) ++batch.excluded;
}

// Makes what is at a name an item of the batch.
void ScanWalk::keep(Batch& batch, const SourceNode* named, const Result<os::NodeStat>& stat,
                    os::Folder& folder, const std::string& path) {
  Found found;
  auto entry =
      stat ? describe(folder, path, *stat, found) : Result<repository::Entry>(failed(stat.error()));
  if (entry) {
    ScanItem& item = found.item.emplace();
    item.entry = std::move(*entry);
    item.stat = source_stat(*stat);
    item.allocated = stat->allocated;
    if (stat->is_regular()) {
      item.folders = folders_;
      item.folder = batch.path;
    }
    if (stat->is_folder()) plan_below(batch, named, *stat, found);
  } else if (entry.error().code == Code::not_found && named == nullptr) {
    ++batch.vanished;
  } else {
    found.told.push_back({path, entry.error()});
  }
  batch.found.push_back(std::move(found));
}

// How a folder that was found is walked, if it is.
void ScanWalk::plan_below(const Batch& batch, const SourceNode* named, const os::NodeStat& stat,
                          Found& found) const {
  const std::string& path = found.item->entry.path;
  const FolderPlan plan = rules_.below(batch.plan, named, path, stat.device);
  if (!plan.all && plan.named == nullptr) return;
  found.below = std::make_shared<Listing>();
  found.below->key = path;
  found.below->path = std::make_shared<const std::string>(path);
  found.below->plan = plan;
}

Result<repository::Entry> ScanWalk::describe(os::Folder& folder, const std::string& path,
                                             const os::NodeStat& stat, Found& found) {
  if (path.size() > kMaxPath)
    return failed(Code::limit, path.substr(0, 100) + "...", "its path is longer than 64 KiB");
  if (!options_.metadata) {
    repository::Entry entry;
    entry.path = path;
    entry.kind = entry_kind(stat.mode);
    return entry;
  }
  const auto problem = [&](Error error) { found.told.push_back({path, std::move(error)}); };
  const std::string name = path.substr(path.rfind('/') + 1);
  if (!stat.is_folder()) return reader_.read(folder, name, path, stat, problem);
  CB_ASSIGN(const std::shared_ptr<os::Folder> opened, folders_->open(path));
  return reader_.read_folder(*opened, path, stat, problem);
}

}  // namespace cb::client
