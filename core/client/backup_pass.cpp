// SPDX-License-Identifier: Apache-2.0
#include "core/client/backup_pass.h"

#include <algorithm>

namespace cb::client {
namespace {

using repository::BlobId;
using repository::Entry;
using repository::EntryKind;

constexpr size_t kReadBuffer = 256 * 1024;
// So much is read again at most after the program was killed.
constexpr std::chrono::milliseconds kFlushEvery{200};
constexpr size_t kMostLinked = 100'000;  // files with several names that are remembered

WaitingEntry waiting_of(ScanItem& item) {
  WaitingEntry waiting;
  waiting.cached.entry = std::move(item.entry);
  waiting.cached.stat = item.stat;
  return waiting;
}

bool same_content(const os::NodeStat& a, const os::NodeStat& b) {
  return a.size == b.size && a.mtime_ns == b.mtime_ns && a.ctime_ns == b.ctime_ns;
}

}  // namespace

BackupPass::BackupPass(PassParts parts)
    : parts_(std::move(parts)),
      cutter_(parts_.base->keys->gear(), parts_.base->record->cutting),
      bundles_(parts_.last == nullptr ? std::vector<BundleUse>() : parts_.last->bundles),
      small_(cutter_, *parts_.line, PieceStream::Content::shared),
      big_(cutter_, *parts_.line, PieceStream::Content::of_one_file),
      queue_({parts_.base->keys->gear()[0], parts_.line, parts_.journal, &bundles_,
              [this](const std::string& path, Error error) {
                parts_.report->unreadable(path, std::move(error));
              }}),
      buffer_(std::max<size_t>(kReadBuffer, cutter_.sizes().small_file)) {}

void BackupPass::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (scanner_) scanner_->cancel();
}

Result<BlobId> BackupPass::run() {
  const BackupRequest& request = *parts_.request;
  ScanRequest scan{request.paths, parts_.excludes, request.exclude_caches, request.one_file_system,
                   0};
  const auto problem = [this](const std::string& path, Error error) {
    parts_.report->unreadable(path, std::move(error));
  };
  CB_ASSIGN(auto scanner, Scanner::open({parts_.tree, parts_.names, problem}, scan));
  {
    const std::lock_guard lock(mutex_);
    scanner_ = std::move(scanner);
    if (stopped_) scanner_->cancel();
  }
  std::optional<PreScan> ahead;
  const uint64_t before = parts_.last == nullptr ? 0 : parts_.last->bytes;
  if (parts_.report->shows() && before == 0) ahead.emplace(*parts_.tree, scan);
  parts_.report->phase("backup");
  parts_.report->expect(before);
  next_checkpoint_ = parts_.base->clock->monotonic() + request.checkpoint_every;
  while (true) {
    CB_ASSIGN(auto item, scanner_->next());
    if (!item) break;
    if (ahead && ahead->done()) {
      parts_.report->expect(ahead->counts().bytes);
      ahead.reset();
    }
    CB_TRY(take(std::move(*item)));
  }
  CB_TRY(small_.end());
  return queue_.finish();
}

Status BackupPass::take(ScanItem item) {
  parts_.report->at(done_, item.entry.path);
  const uint64_t size = item.entry.kind == EntryKind::file ? item.stat.size : 0;
  if (item.entry.kind == EntryKind::file)
    CB_TRY(take_file(std::move(item)));
  else
    queue_.push(waiting_of(item));
  done_ += size;
  CB_TRY(queue_.drain());
  CB_TRY(make_room());
  if (parts_.journal == nullptr) return {};
  const auto now = parts_.base->clock->monotonic();
  if (now >= next_flush_) {
    parts_.journal->flush();
    next_flush_ = now + kFlushEvery;
  }
  return now < next_checkpoint_ ? Status{} : checkpoint();
}

Status BackupPass::take_file(ScanItem item) {
  if (item.stat.size > 0 && !take_link(item) && !take_unchanged(item)) {
    tell_changed(item);
    return read(item);
  }
  tally_.unchanged();
  if (item.stat.size == 0) queue_.push(waiting_of(item));
  return {};
}

// It is read as one that is not known.
void BackupPass::tell_changed(const ScanItem& item) {
  if (parts_.old->knew())
    tally_.changed();
  else
    tally_.added(item.entry.path, parts_.old->passed());
}

std::optional<repository::ChangeReport> BackupPass::report() const {
  if (parts_.last == nullptr || parts_.request->read_all) return std::nullopt;
  return tally_.report(parts_.last->files);
}

// A later name of a file whose content is known under the first.
bool BackupPass::take_link(ScanItem& item) {
  if (item.stat.links < 2) return false;
  const auto known = links_.find({item.stat.device, item.stat.inode});
  if (known == links_.end()) return false;
  WaitingEntry waiting = waiting_of(item);
  waiting.takes = known->second.content;
  queue_.push(std::move(waiting));
  if (--known->second.left == 0) links_.erase(known);
  return true;
}

void BackupPass::link(const ScanItem& item, WaitingEntry& waiting) {
  if (item.stat.links < 2 || links_.size() >= kMostLinked) return;
  waiting.gives = std::make_shared<LinkedContent>();
  links_[{item.stat.device, item.stat.inode}] = {waiting.gives, item.stat.links - 1};
}

// Do its small pieces lie in blobs that are worth keeping?
bool BackupPass::lies_well(const CachedEntry& cached) const {
  if (cached.entry.size >= cutter_.sizes().small_file) return true;
  const auto& extents = cached.entry.extents;
  return std::none_of(extents.begin(), extents.end(), [&](const repository::Extent& extent) {
    return !extent.hole && bundles_.wasteful(extent.blob);
  });
}

// What was damaged in the repository is sent again. False when the file must be read as one that
// changed.
bool BackupPass::mend(ScanItem& item, const CachedEntry& cached) {
  Mending& mending = *parts_.mending;
  const auto need = mending.need(cached, cached.entry.size < cutter_.sizes().small_file);
  if (need != Mending::Need::content) return need == Mending::Need::nothing;
  auto file = item.open();
  const auto stat = file ? (*file)->stat() : failed(file.error());
  if (!stat || source_stat(*stat) != item.stat) return false;
  const auto content = read_whole(**file, *stat);
  const auto after = (*file)->stat();
  if (!content || !after || !same_content(*stat, *after)) return false;
  counts_.bytes_read += content->size();
  // An error of the line comes back from every call after this one.
  return mending.take(cached, *content).has_value();
}

// A small file, with zeros for its holes.
Result<Bytes> BackupPass::read_whole(os::TreeFile& file, const os::NodeStat& stat) {
  Bytes content;
  const ContentSink sink{[&](ByteView data) -> Status {
                           content.insert(content.end(), data.begin(), data.end());
                           return {};
                         },
                         [&](uint64_t hole) -> Status {
                           content.resize(content.size() + hole);
                           return {};
                         }};
  const bool sparse = stat.allocated < stat.size;
  CB_ASSIGN(const ContentRead read, read_content(file, {0, stat.size, sparse}, buffer_, sink));
  if (read.error) return failed(*read.error);
  return content;
}

bool BackupPass::take_unchanged(ScanItem& item) {
  if (parts_.request->read_all) return false;
  auto old = parts_.old->find(item.entry.path, item.stat);
  if (!old || old->entry.kind != EntryKind::file || old->entry.flags != 0 ||
      old->entry.size != item.stat.size || !lies_well(*old) || !mend(item, *old))
    return false;
  WaitingEntry waiting = waiting_of(item);
  link(item, waiting);
  Entry& entry = waiting.cached.entry;
  entry.size = old->entry.size;
  entry.extents = std::move(old->entry.extents);
  entry.extent_root = old->entry.extent_root;
  waiting.cached.blobs = std::move(old->blobs);
  if (entry.size < cutter_.sizes().small_file)
    for (const auto& extent : entry.extents)
      if (!extent.hole)
        bundles_.use(extent.blob, extent.length,
                     static_cast<uint32_t>(extent.offset + extent.length));
  queue_.push(std::move(waiting));
  ++counts_.files_unchanged;
  return true;
}

Status BackupPass::read(ScanItem& item) {
  auto file = item.open();
  auto stat = file ? (*file)->stat() : failed(file.error());
  if (stat && !stat->is_regular())
    stat = failed(Code::not_found, item.entry.path, "is another thing by now");
  if (!stat && stat.error().code == Code::not_found) {
    parts_.report->note(item.entry.path, "vanished while the backup ran");
    return {};
  }
  WaitingEntry waiting = waiting_of(item);
  if (!stat) {
    parts_.report->unreadable(waiting.cached.entry.path, std::move(stat).error());
    waiting.cached.entry.flags |= repository::kEntryUnreadable;
    queue_.push(std::move(waiting));
    return {};
  }
  // Another file stands there, or it changed since it was listed.
  if (source_stat(*stat) != item.stat) waiting.cached.entry.flags |= repository::kEntryChanged;
  link(item, waiting);
  return stat->size < cutter_.sizes().small_file ? read_small(**file, *stat, waiting)
                                                 : read_big(**file, *stat, waiting);
}

// What the read says about the entry.
void BackupPass::judge(const ContentRead& read, os::TreeFile& file, const os::NodeStat& before,
                       WaitingEntry& waiting) {
  Entry& entry = waiting.cached.entry;
  counts_.bytes_read += read.bytes;
  entry.size = read.size;
  if (read.error) {
    parts_.report->unreadable(entry.path, *read.error);
    entry.flags |= repository::kEntryUnreadable;
    entry.size = before.size;
    return;
  }
  const auto after = file.stat();
  if (!after || !same_content(before, *after) || read.size != before.size)
    entry.flags |= repository::kEntryChanged;
  if ((entry.flags & repository::kEntryChanged) == 0) return;
  ++counts_.files_changed;
  parts_.report->note(entry.path, "changed while it was read");
}

// Read as a whole first, so that a file that fails leaves nothing in the stream.
Status BackupPass::read_small(os::TreeFile& file, const os::NodeStat& stat, WaitingEntry& waiting) {
  struct Part {
    size_t begin, size;
    uint64_t hole;
  };
  std::vector<Part> parts;
  size_t filled = 0;
  // What is read goes behind what was read before: the buffer moves on with it.
  Bytes content;
  content.reserve(stat.size);
  const ContentSink sink{[&](ByteView data) -> Status {
                           content.insert(content.end(), data.begin(), data.end());
                           parts.push_back({filled, data.size(), 0});
                           filled += data.size();
                           return {};
                         },
                         [&](uint64_t hole) -> Status {
                           parts.push_back({0, 0, hole});
                           return {};
                         }};
  const bool sparse = stat.allocated < stat.size;
  CB_ASSIGN(const ContentRead read, read_content(file, {0, stat.size, sparse}, buffer_, sink));
  judge(read, file, stat, waiting);
  waiting.small = true;
  for (const Part& part : parts) {
    if (read.error) break;
    if (part.hole > 0)
      append_hole(part.hole, waiting.stretches);
    else
      CB_TRY(small_.append(ByteView(content).subspan(part.begin, part.size), waiting.stretches));
  }
  queue_.push(std::move(waiting));
  return {};
}

// Goes on with a file where another connection got to; the bytes that need not be read again.
uint64_t BackupPass::take_up(WaitingEntry& waiting) {
  const std::string& path = waiting.cached.entry.path;
  const bool goes_on = parts_.begun != nullptr && parts_.begun->is_of(path, waiting.cached.stat);
  begun_ = goes_on ? std::make_shared<BegunFile>(*parts_.begun)
                   : std::make_shared<BegunFile>(path, waiting.cached.stat, parts_.header.time_ns);
  begun_->begin_again();
  waiting.begun = begun_;
  waiting.stretches = begun_->stretches();
  return begun_->length();
}

Status BackupPass::read_big(os::TreeFile& file, const os::NodeStat& stat, WaitingEntry& waiting) {
  waiting.open = true;
  const uint64_t from = take_up(waiting);
  big_.begin_file(from);
  const uint64_t done_before = done_;
  done_ += from;
  WaitingEntry& entry = queue_.push(std::move(waiting));
  const auto moved_on = [&](uint64_t bytes) -> Status {
    done_ += bytes;
    parts_.report->at(done_, entry.cached.entry.path);
    CB_TRY(queue_.drain());
    return make_room();
  };
  const ContentSink sink{[&](ByteView data) -> Status {
                           CB_TRY(big_.append(data, entry.stretches));
                           return moved_on(data.size());
                         },
                         [&](uint64_t hole) -> Status {
                           big_.skip(hole, entry.stretches);
                           return moved_on(hole);
                         }};
  const auto read = read_content(file, {from, stat.size, stat.allocated < stat.size},
                                 ByteSpan(buffer_).first(kReadBuffer), sink);
  done_ = done_before;
  if (!read) return failed(read.error());
  CB_TRY(big_.end());
  judge(*read, file, stat, entry);
  queue_.close(entry);
  return {};
}

// What waits for the stream of small files keeps everything behind it waiting too.
Status BackupPass::make_room() {
  if (!queue_.full()) return {};
  CB_TRY(small_.end());
  bool moving = true;
  while (moving && queue_.full()) {
    CB_ASSIGN(moving, queue_.wait());
    CB_TRY(queue_.drain());
  }
  return {};
}

CacheSummary BackupPass::summary(const BlobId& snapshot) const {
  return {snapshot, entries().files, entries().bytes, bundles_.uses(), queue_.nodes()};
}

// A snapshot of what is done so far, so that it can be restored and is not collected.
Status BackupPass::checkpoint() {
  CB_TRY(small_.end());
  CB_ASSIGN(const std::optional<BlobId> root, plant_journal());
  next_checkpoint_ = parts_.base->clock->monotonic() + parts_.request->checkpoint_every;
  if (!root) return {};
  SnapshotFacts facts;
  facts.root = *root;
  facts.paths = parts_.paths;
  facts.flags = repository::kSnapshotCheckpoint;
  facts.files = entries().files;
  facts.bytes = entries().bytes;
  facts.errors = parts_.report->unreadable_count();
  if (parts_.last != nullptr) facts.previous = parts_.last->snapshot;
  CB_ASSIGN(const auto commit, seal_snapshot(*parts_.base, *parts_.request, *parts_.line, facts));
  CB_ASSIGN(const auto answer, parts_.remote->commit(commit));
  // Something that the cache counts on is gone; the final commit will say so too, and what.
  if (!answer.missing.empty()) parts_.report->note("checkpoint", "was not possible");
  return {};
}

// The tree of what the journal has: the nodes that are ready anyway, and a new right edge. None
// when the journal could not be written.
Result<std::optional<BlobId>> BackupPass::plant_journal() {
  CB_TRY(parts_.line->drain());
  CB_TRY(queue_.drain());
  auto reader = parts_.journal->read(parts_.header);
  if (!parts_.journal->works() || !reader) return std::optional<BlobId>();
  repository::TreeBuilder tree(
      parts_.base->keys->gear()[0], [this](const repository::EncodedNode& node) -> Result<BlobId> {
        return parts_.line->blob(repository::BlobKind::node, node.children, node.plain);
      });
  while (const auto cached = (*reader)->next()) CB_TRY(tree.add(cached->entry));
  CB_ASSIGN(const BlobId root, tree.finish());
  return std::optional(root);
}

}  // namespace cb::client
