// SPDX-License-Identifier: Apache-2.0
#include "core/client/backup_run.h"

#include "core/base/trial.h"

#include <sys/file.h>

#include <algorithm>
#include <thread>

namespace cb::client {
namespace {

using repository::BlobId;

constexpr int kMostMissing = 3;      // passes after the first because something was missing
constexpr int kMostBarrenTries = 5;  // connections in a row on which nothing was stored

Error cancelled() { return fail(Code::cancelled, "backup", "was cancelled"); }

}  // namespace

BackupRun::BackupRun(const Backup::Parts& parts, const BackupRequest& request)
    : parts_(parts),
      request_(request),
      tree_(parts.tree != nullptr ? parts.tree : &os::real_tree()),
      files_(parts.files != nullptr ? parts.files : &os::real_file_system()),
      report_(*parts.clock, parts.progress) {}

BackupRun::~BackupRun() { drop_index(); }

void BackupRun::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (pass_ != nullptr) pass_->stop();
  if (line_ != nullptr) line_->stop();
}

Status BackupRun::going() const {
  const std::lock_guard lock(mutex_);
  return cancelled_ ? Status(failed(cancelled())) : Status();
}

Result<BackupResult> BackupRun::run() {
  CB_TRY(repository::check_cutting(parts_.record->cutting));
  auto done = request_.input ? stream() : files();
  if (done) report_.into(*done);
  return done;
}

// Names the sources and what belongs to them in the cache.
Status BackupRun::prepare() {
  report_.phase("scan");
  CB_ASSIGN(excludes_, Excludes::compile(request_.excludes));
  CB_ASSIGN(const auto sources,
            snapshot_sources(*tree_, request_.paths, [](const std::string&, const Error&) {}));
  for (const std::string& source : sources) paths_.push_back("/" + source);
  header_.repository = parts_.record->id;
  CB_ASSIGN(header_.source, parts_.keys->source_hash(parts_.device, paths_));
  header_.time_ns = parts_.clock->wall().count();
  places_ = CacheFiles::of(parts_.cache_folder, header_.source);
  return request_.dry_run ? Status{} : lock();
}

// Without a place for a cache there is none for a lock either: then nothing is shared.
Status BackupRun::lock() {
  if (!can_cache(files_->make_folders(parts_.cache_folder))) return {};
  auto file = files_->open(places_.lock, os::Open::replace);
  if (!can_cache(file ? Status() : failed(file.error()))) return {};
  lock_ = std::move(*file);
  if (::flock(lock_->fd(), LOCK_EX | LOCK_NB) == 0) return {};
  return failed(Code::busy, paths_.front(), "another backup of the same paths is running",
                "wait until it is done");
}

bool BackupRun::can_cache(const Status& done) {
  if (!done && !cache_trouble_) cache_trouble_ = done.error();
  return done.has_value();
}

Status BackupRun::connect() {
  remote_ = nullptr;
  CB_ASSIGN(remote_, parts_.connect());
  return going();
}

Result<BackupResult> BackupRun::files() {
  CB_TRY(prepare());
  int missing = 0;
  int barren = 0;
  while (true) {
    CB_TRY(going());
    const uint64_t before = result_.counts.blobs_new;
    CB_TRY(connect());
    const auto end = attempt();
    if (end && *end == End::committed) return std::move(result_);
    barren = result_.counts.blobs_new > before ? 0 : barren + 1;
    if (!end) {
      CB_TRY(may_try_again(end.error(), barren));
      continue;
    }
    distrust_ = distrust_ || (*end == End::missing && missing > 0);
    if (++missing > kMostMissing)
      return failed(Code::state, "repository", "keeps losing blobs of the running backup",
                    "look at the server's log, and run check there");
  }
}

Status BackupRun::may_try_again(const Error& error, int barren) {
  if (barren < kMostBarrenTries && (error.code == Code::closed || is_rotated(error))) return {};
  return failed(error);
}

// Were the keys rotated while that connection stood? Then the next session is sealed for the new
// ones.
bool BackupRun::is_rotated(const Error& error) {
  if (error.code != Code::state || !connect()) return false;
  const auto record = remote_->record();
  return record && record->epochs.back().number > epoch_;
}

void BackupRun::note_idle_patterns() {
  std::vector<std::string> sources;
  for (const std::string& path : paths_) sources.push_back(path.substr(1));
  for (const std::string& pattern : excludes_.beside(sources))
    report_.note("--exclude " + pattern,
                 "leaves nothing out: with a slash at its beginning or in it, it counts from the "
                 "root of the file system, where no source is (begin it with **/ to match in all "
                 "folders)");
}

// Keeps what an interrupted backup had done. False when the caches are not to be used.
Result<bool> BackupRun::take_over() {
  if (distrust_) {
    // What the interrupted pass wrote is asked for again, blob by blob; the rest is forgotten.
    const Status removed = files_->remove(places_.cache);
    if (!removed && removed.error().code != Code::not_found) return can_cache(removed);
  }
  if (request_.dry_run || cache_trouble_) return !distrust_;
  Status asked;
  const auto kept = keep_durable(*files_, places_, header_, [&](std::span<const BlobId> ids) {
    auto have = remote_->have(ids);
    if (!have) asked = failed(have.error());
    return have;
  });
  CB_TRY(asked);
  return can_cache(kept ? Status() : failed(kept.error())) || !distrust_;
}

// What the server wants again, and how far the last pass got with a big file, as far as the
// repository has it.
Status BackupRun::ask_ahead() {
  if (!request_.dry_run) CB_TRY(mending_.ask(*remote_));
  if (distrust_ || !mending_.is_idle()) begun_.reset();
  if (!begun_) return {};
  return begun_->keep_durable([&](std::span<const BlobId> ids) { return remote_->have(ids); });
}

// The caches that may be trusted, the nearest first.
Status BackupRun::open_caches(OldEntries& old) {
  last_.reset();
  CB_ASSIGN(const bool trusted, take_over());
  if (cache_trouble_) note_cache_trouble(report_, parts_.cache_folder, *cache_trouble_);
  if (!trusted) return {};
  if (auto kept = CacheReader::open(*files_, places_.kept, header_)) old.add(std::move(*kept));
  auto cache = CacheReader::open(*files_, places_.cache, header_);
  if (!cache) return {};
  last_ = (*cache)->summary();
  if (last_) old.add(std::move(*cache));
  return {};
}

Result<std::unique_ptr<repository::SessionSealer>> BackupRun::new_session() {
  repository::SessionId session;
  CB_TRY(parts_.random->fill(session.bytes));
  // The newest, which may have come with this connection: keys may have been rotated elsewhere.
  CB_ASSIGN(const repository::RepositoryRecord record, remote_->record());
  epoch_ = record.epochs.empty() ? 0 : record.epochs.back().number;
  return repository::SessionSealer::begin(parts_.suite, record, session, parts_.device,
                                          parts_.sign);
}

// Large pieces alone are worth it: small ones are fine enough.
void BackupRun::open_index() {
  constexpr uint64_t kLeastAverage = 256 * 1024;
  drop_index();
  if (index_ || request_.dry_run || cache_trouble_ ||
      parts_.record->cutting.average < kLeastAverage)
    return;
  auto index = FineIndex::open(places_.fine);
  if (!index) return report_.note(places_.fine.string(), "cannot be used: " + index.error().cause);
  index_ = std::move(*index);
  index_is_doubtful_ = !index_->was_settled();
}

// Nobody uses it any more.
void BackupRun::drop_index() {
  if (!index_is_spoilt_) return;
  index_is_spoilt_ = false;
  index_.reset();
  (void)catalog::HookIndex::erase(places_.fine.string());
}

std::unique_ptr<FineGrain> BackupRun::fine_grain() {
  open_index();
  if (!index_) return nullptr;
  FineGrain::Parts parts;
  parts.suite = parts_.suite;
  parts.keys = parts_.keys;
  parts.device = parts_.device;
  parts.device_key = parts_.device_key;
  parts.sign = parts_.sign;
  parts.index = index_.get();
  parts.remote = remote_.get();
  parts.damaged = mending_.wanted();
  parts.distrust = distrust_ || index_is_doubtful_;
  return std::make_unique<FineGrain>(std::move(parts));
}

void BackupRun::close_index(FineGrain& fine, bool is_committed) {
  if (is_committed) fine.settle();
  index_is_doubtful_ = !is_committed;
  const auto trouble = fine.trouble();
  if (!trouble) return;
  report_.note(places_.fine.string(), "cannot be used: " + trouble->cause);
  index_is_spoilt_ = true;
}

BlobLine::Parts BackupRun::line_parts(const repository::SessionSealer& sealer,
                                      FineGrain* fine) const {
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  return {parts_.keys,
          &sealer,
          remote_.get(),
          request_.threads > 0 ? request_.threads : cores,
          request_.verify,
          request_.dry_run,
          fine};
}

void BackupRun::count(const BlobLine& line) {
  const BlobLineCounts counts = line.counts();
  result_.counts.blobs_new += counts.blobs_new;
  result_.counts.bytes_sent += counts.bytes_sent;
  result_.counts.blobs_known = counts.blobs_known;
}

// One pass over one connection.
Result<BackupRun::End> BackupRun::attempt() {
  report_.restart();
  note_idle_patterns();
  OldEntries old;
  CB_TRY(open_caches(old));
  CB_ASSIGN(const auto sealer, new_session());
  CB_TRY(ask_ahead());
  const auto fine = fine_grain();
  BlobLine line(line_parts(*sealer, fine.get()));
  mending_.begin(last_ ? &*last_ : nullptr, *parts_.keys, line);
  if (last_) line.know(mending_.whole(last_->nodes));
  BackupJournal journal(*files_, places_, report_);
  if (!request_.dry_run && !cache_trouble_) journal.begin(header_);
  BackupPass pass({&parts_, &request_, &excludes_, remote_.get(), &line, &old, &mending_,
                   last_ ? &*last_ : nullptr, begun_.get(), request_.dry_run ? nullptr : &journal,
                   tree_, &names_, &report_, paths_, header_});
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return failed(cancelled());
    pass_ = &pass;
    line_ = &line;
  }
  const auto ran = run_pass(pass, line);
  const bool is_committed = ran && *ran == End::committed;
  if (is_committed) journal.finish(pass.summary(result_.snapshot));
  if (fine) close_index(*fine, is_committed);
  // A journal that is not written down is of no use after an interruption.
  journal.flush();
  const std::lock_guard lock(mutex_);
  pass_ = nullptr;
  line_ = nullptr;
  count(line);
  if (pass.begun()) begun_ = pass.begun();
  result_.counts.bytes_read += pass.counts().bytes_read;
  return ran;
}

Result<BackupRun::End> BackupRun::run_pass(BackupPass& pass, BlobLine& line) {
  CB_TRY(line.begin());
  trial::passed("backup.begun");
  CB_ASSIGN(const BlobId root, pass.run());
  trial::passed("backup.scanned");
  if (!mending_.has_failed()) return finish(pass, line, root);
  CB_TRY(line.drain());
  return End::unmended;
}

Result<BackupRun::End> BackupRun::finish(BackupPass& pass, BlobLine& line, const BlobId& root) {
  report_.phase("finish");
  result_.counts.files = pass.entries().files;
  result_.counts.folders = pass.entries().folders;
  result_.counts.others = pass.entries().others;
  result_.counts.bytes = pass.entries().bytes;
  result_.counts.files_unchanged = pass.counts().files_unchanged;
  result_.counts.files_changed = pass.counts().files_changed;
  if (request_.dry_run) {
    CB_TRY(line.drain());
    return End::committed;
  }
  SnapshotFacts facts{root,
                      paths_,
                      0,
                      pass.entries().files,
                      pass.entries().bytes,
                      report_.unreadable_count(),
                      last_ ? last_->snapshot : BlobId{},
                      pass.report()};
  return send_commit(line, facts);
}

// The index of signatures names old blobs by its nature; the caches do not.
void BackupRun::note_missing(const std::vector<BlobId>& missing) {
  for (const BlobId& id : missing) {
    const auto known = index_ ? index_->contains(id) : Result<bool>(false);
    if (!known || !*known) distrust_ = true;
  }
}

Result<BackupRun::End> BackupRun::send_commit(BlobLine& line, const SnapshotFacts& facts) {
  CB_ASSIGN(const auto wanted, seal_snapshot(parts_, request_, line, facts));
  trial::passed("backup.sealed");
  CB_ASSIGN(auto answer, commit(wanted));
  trial::passed("backup.committed");
  if (!answer.missing.empty()) {
    note_missing(answer.missing);
    return End::missing;
  }
  result_.snapshot = wanted.snapshot;
  CB_ASSIGN(result_.commit, repository::decode_commit(answer.receipt));
  result_.receipt = std::move(answer.receipt);
  return End::committed;
}

// Asks again on a new connection when the answer was lost: the commit id makes that harmless.
Result<repository::CommitAnswer> BackupRun::commit(const repository::CommitRequest& request) {
  for (int again = 0;; ++again) {
    auto answer = remote_->commit(request);
    const bool cut = !answer && answer.error().code == Code::closed && again < kMostBarrenTries;
    if (!cut) return answer;
    // The line still knows the old one, but is idle.
    const auto old = remote_;
    CB_TRY(connect());
  }
}

}  // namespace cb::client
