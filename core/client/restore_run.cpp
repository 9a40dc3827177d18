// SPDX-License-Identifier: Apache-2.0
//
// The course of a restore from beginning to end; what is done with one entry is in
// restore_entries.cpp.
#include "core/client/restore_run.h"

#include <unistd.h>

#include <cerrno>

#include "core/client/metadata_writer.h"

namespace cb::client {

using repository::Entry;
using repository::EntryKind;

namespace {

constexpr size_t kMostProblems = 1000;
constexpr size_t kMostWaiting = 8192;  // entries between two windows
constexpr unsigned kThreads = 4;
constexpr std::chrono::milliseconds kShowEvery{100};

// What is wrong with a target is neither a snapshot that is not there nor a server that refuses.
Error of_target(Error error) {
  if (error.code == Code::not_found || error.code == Code::denied) error.code = Code::io;
  if (error.advice.empty()) error.advice = "take a target that can be made and written";
  return error;
}

// Asked before anything is fetched.
Status can_write(const os::Path& folder) {
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return failed(of_target(fail_errno(errno, folder.string(), "writing into it")));
}

bool is_empty_or_missing(const os::Path& folder, bool& missing) {
  const auto names = os::real_file_system().list(folder);
  missing = !names && names.error().code == Code::not_found;
  return missing || (names && names->empty());
}

}  // namespace

RestoreRun::RestoreRun(const Restore::Parts& parts, const RestoreRequest& request,
                       const std::atomic<bool>& cancelled)
    : parts_(parts),
      request_(request),
      cancelled_(cancelled),
      journal_(os::real_file_system(), parts.state_folder, request),
      walk_(parts.fetcher->walking_source(),
            [this](const LostStretch& lost) { lost_stretch(lost); }) {
  host_.keys = &parts.fetcher->write_keys();
  host_.verify = request.verify;
  host_.resume = request.resume;
  host_.restored = [this](const RestoreFile& file) { restored(file); };
  host_.failed = [this](const RestoreFile& file, const Error& error) { lost_file(file, error); };
  host_.wrote = [this](uint64_t bytes) { wrote(bytes); };
}

RestoreRun::~RestoreRun() = default;

Result<RestoreResult> RestoreRun::run() {
  CB_TRY(find_place());
  CB_TRY(open_target());
  if (parts_.clock != nullptr)
    meter_.emplace(*parts_.clock, "restore", request_.bytes_expected, "bytes");
  CB_TRY(go_through());
  CB_TRY(finish());
  result_.counts.bytes_fetched = parts_.fetcher->bytes_fetched();
  show({}, true);
  return std::move(result_);
}

// What the path of the request names: a folder, what is below it; or a single thing.
Status RestoreRun::find_place() {
  const std::string& path = request_.path;
  if (path.empty()) return walk_.begin(request_.root);
  CB_ASSIGN(const std::optional<Entry> entry,
            repository::find_entry(parts_.fetcher->source(), request_.root, path));
  single_ = entry && entry->kind != EntryKind::folder;
  if (entry && !single_) top_ = *entry;
  const size_t slash = path.rfind('/');
  if (!single_)
    prefix_ = path + '/';
  else if (slash != std::string::npos)
    prefix_ = path.substr(0, slash + 1);
  CB_TRY(walk_.begin(request_.root, path));
  if (entry) return {};
  // No entry of its own, but there may be some below it.
  EntryWalk look(parts_.fetcher->source(), [](const LostStretch&) {});
  CB_TRY(look.begin(request_.root, path));
  CB_ASSIGN(const std::optional<Entry> first, look.next());
  if (first && first->path.starts_with(prefix_)) return {};
  return failed(Code::not_found, path, "is not in this snapshot",
                "\"cyberbackup ls\" shows what is");
}

Status RestoreRun::open_target() {
  bool missing = false;
  const bool empty = is_empty_or_missing(request_.target, missing);
  if (request_.must_be_empty && !empty)
    return failed(Code::exists, request_.target.string(), "is not an empty folder",
                  "take another target, or say with --overwrite or --resume what is to become of "
                  "what is there");
  sets_top_ = empty || request_.overwrite != Overwrite::never;
  const SafeTarget::Parts parts{
      &os::real_tree(), &names_,
      [this](const std::string& path, const Error& error) { problem(path, error); }};
  SafeTarget::Options options{request_.overwrite, request_.owners, request_.resume,
                              request_.dry_run};
  auto opened = SafeTarget::open(parts, request_.target, options);
  if (!opened) return failed(of_target(std::move(opened).error()));
  if (!missing && !request_.dry_run) CB_TRY(can_write(request_.target));
  target_ = std::move(*opened);
  host_.target = target_.get();
  if (!request_.resume) {
    if (!request_.dry_run) journal_.forget();
    return {};
  }
  done_through_ = journal_.done_through();
  options.overwrite = Overwrite::if_changed;
  if (!done_through_.empty() && request_.overwrite == Overwrite::always) {
    CB_ASSIGN(earlier_, SafeTarget::open(parts, request_.target, options));
  }
  return {};
}

Status RestoreRun::go_through() {
  while (true) {
    if (cancelled_) return failed(Code::cancelled, "restore", "was cancelled");
    CB_ASSIGN(std::optional<Entry> entry, walk_.next());
    if (!entry) break;
    const bool inside = single_ ? entry->path == request_.path : entry->path.starts_with(prefix_);
    if (!inside) {
      if (top_ && entry->path == request_.path) continue;
      break;
    }
    CB_TRY(each(std::move(*entry)));
  }
  while (!open_folders_.empty()) {
    later_.push_back(std::move(open_folders_.back()));
    open_folders_.pop_back();
  }
  return flush();
}

Status RestoreRun::each(Entry entry) {
  source_path_ = entry.path;
  entry.path.erase(0, prefix_.size());
  if (!is_in_order(entry)) return {};
  last_path_ = entry.path;
  CB_TRY(leave_folders(entry.path));
  CB_TRY(act(entry));
  through_ = entry.path;
  show(source_path_, false);
  if (++waiting_ >= kMostWaiting || window_.full()) return flush();
  return {};
}

// A snapshot made by somebody mean may say anything; one that says a thing twice, or something
// below what is no folder, is not followed.
bool RestoreRun::is_in_order(const Entry& entry) {
  const bool sane = repository::is_snapshot_path(entry.path) &&
                    (last_path_.empty() || repository::compare_paths(last_path_, entry.path) < 0);
  if (!sane) {
    problem(source_path_, fail(Code::corrupt, source_path_, "stands in the wrong place"));
    return false;
  }
  if (closed_.empty() || !entry.path.starts_with(closed_ + '/')) {
    closed_.clear();
    return true;
  }
  if (!closed_told_)
    problem(source_path_, fail(Code::corrupt, source_path_,
                               "lies below \"" + closed_ + "\", which is no folder"));
  return false;
}

Status RestoreRun::leave_folders(const std::string& path) {
  while (!open_folders_.empty() && !path.starts_with(open_folders_.back().entry.path + '/')) {
    later_.push_back(std::move(open_folders_.back()));
    open_folders_.pop_back();
  }
  return {};
}

Status RestoreRun::flush() {
  CB_TRY(window_.run(*parts_.fetcher, request_.threads == 0 ? kThreads : request_.threads,
                     cancelled_));
  waiting_ = 0;
  while (!later_.empty()) {
    const Later later = std::move(later_.front());
    later_.pop_front();
    CB_TRY(do_later(later));
  }
  if (!request_.dry_run && !through_.empty()) journal_.note(through_);
  return {};
}

Status RestoreRun::finish() {
  if (request_.dry_run) return {};
  CB_TRY(finish_top());
  CB_TRY(target_->finish());
  journal_.forget();
  return {};
}

// The folder that was asked for is the target itself.
Status RestoreRun::finish_top() {
  if (!top_ || !sets_top_) return {};
  CB_ASSIGN(const std::shared_ptr<os::Folder> folder, os::real_tree().open(request_.target));
  const MetadataWriter writer(names_, request_.owners);
  const auto tell = [this](const Error& error) { problem(request_.path, error); };
  writer.apply(*folder, *top_, tell);
  writer.apply_attributes(*folder, *top_, 0, tell);
  return {};
}

void RestoreRun::wrote(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_bytes_ += bytes;
}

void RestoreRun::restored(const RestoreFile& file) {
  {
    const std::lock_guard lock(mutex_);
    ++result_.counts.files;
    result_.counts.bytes += file.entry().size;
  }
  show(file.source_path(), false);
}

void RestoreRun::lost_file(const RestoreFile& file, const Error& error) {
  problem(file.source_path(), error);
  if (file.entry().inode == 0) return;
  const std::lock_guard lock(mutex_);
  lost_first_names_.insert(file.entry().path);
}

void RestoreRun::problem(const std::string& path, const Error& error) {
  const std::lock_guard lock(mutex_);
  ++result_.problem_count;
  if (result_.problems.size() < kMostProblems) result_.problems.push_back({path, error});
}

Status RestoreRun::tolerate(const Status& done, const std::string& path) {
  if (done) return {};
  if (stops_restore(done.error())) return done;
  problem(path, done.error());
  return {};
}

bool RestoreRun::concerns(const LostStretch& lost) const {
  if (request_.path.empty()) return true;
  if (single_)
    return repository::compare_paths(lost.last, request_.path) >= 0 &&
           (lost.after.empty() || repository::compare_paths(lost.after, request_.path) < 0);
  // Everything below the folder is before this.
  const std::string behind = request_.path + '\x01';
  return repository::compare_paths(lost.last, request_.path) >= 0 &&
         (lost.after.empty() || repository::compare_paths(lost.after, behind) < 0);
}

void RestoreRun::lost_stretch(const LostStretch& lost) {
  if (!concerns(lost)) return;
  Error error = lost.error;
  error.cause = "everything " +
                (lost.after.empty() ? std::string() : "behind \"" + lost.after + "\" and ") +
                "up to here is lost: " + error.object + ": " + error.cause;
  error.object = lost.last;
  problem(lost.last, error);
}

void RestoreRun::step(RestoreStep what, const Entry& entry) {
  if (parts_.step) parts_.step(what, entry);
}

void RestoreRun::show(const std::string& current, bool now) {
  if (!parts_.progress || !meter_) return;
  const std::lock_guard lock(mutex_);
  const auto time = parts_.clock->monotonic();
  if (!now && time - shown_ < kShowEvery) return;
  shown_ = time;
  meter_->set_current(current);
  parts_.progress(now ? meter_->finish(done_bytes_) : meter_->update(done_bytes_));
}

}  // namespace cb::client
