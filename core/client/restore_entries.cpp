// SPDX-License-Identifier: Apache-2.0
//
// What a restore does with one entry of each kind.
#include "core/client/restore_run.h"

namespace cb::client {

using repository::Entry;
using repository::EntryKind;
using repository::Extent;
using Standing = SafeTarget::Standing;

std::string_view name_of(RestoreStep step) {
  switch (step) {
    case RestoreStep::create:
      return "create";
    case RestoreStep::replace:
      return "replace";
    case RestoreStep::keep:
      return "keep";
    case RestoreStep::link:
      return "link";
  }
  return "unknown";
}

// By what stands there; what the interrupted run made is not made again, whatever the policy.
Result<Standing> RestoreRun::standing(const Entry& entry) {
  const bool made = earlier_ && repository::compare_paths(entry.path, done_through_) <= 0;
  return made ? earlier_->standing(entry) : target_->standing(entry);
}

Status RestoreRun::act(const Entry& entry) {
  if (entry.kind != EntryKind::folder) closed_ = entry.path;
  closed_told_ = false;
  const auto stands = standing(entry);
  Status done;
  if (!stands)
    done = tl::unexpected<Error>(stands.error());
  else if (entry.kind == EntryKind::folder)
    done = act_folder(entry, *stands);
  else if (entry.kind == EntryKind::file)
    done = act_file(entry, *stands);
  else
    done = act_other(entry, *stands);
  if (!done && entry.kind == EntryKind::folder) {
    closed_ = entry.path;
    closed_told_ = true;
  }
  if (!done && entry.inode != 0) {
    const std::lock_guard lock(mutex_);
    lost_first_names_.insert(entry.path);
  }
  return tolerate(done, source_path_);
}

Status RestoreRun::act_folder(const Entry& entry, Standing standing) {
  const bool there = standing == Standing::same || standing == Standing::kept;
  step(there ? RestoreStep::keep : RestoreStep::create, entry);
  if (!request_.dry_run && standing != Standing::kept) {
    CB_TRY(target_->make_folder(entry));
    open_folders_.push_back({entry, source_path_, {}});
  }
  const std::lock_guard lock(mutex_);
  ++result_.counts.folders;
  return {};
}

Status RestoreRun::act_other(const Entry& entry, Standing standing) {
  if (is_further_name(entry)) return link_later(entry, standing);
  const bool there = standing == Standing::same || standing == Standing::kept;
  step(there                            ? RestoreStep::keep
       : standing == Standing::replaced ? RestoreStep::replace
                                        : RestoreStep::create,
       entry);
  if (!request_.dry_run && standing != Standing::kept) {
    if (standing == Standing::same)
      CB_TRY(target_->settle(entry));
    else if (entry.kind == EntryKind::symlink)
      CB_TRY(target_->make_symlink(entry));
    else
      CB_TRY(target_->make_special(entry));
  }
  const std::lock_guard lock(mutex_);
  ++result_.counts.others;
  return {};
}

Status RestoreRun::act_file(const Entry& entry, Standing standing) {
  if ((entry.flags & repository::kEntryUnreadable) != 0)
    return failed(Code::corrupt, source_path_,
                  "could not be read when the snapshot was made: it has no content there",
                  "an older or newer snapshot may have it");
  if (is_further_name(entry)) return link_later(entry, standing);
  if (standing == Standing::same || standing == Standing::kept) {
    step(RestoreStep::keep, entry);
    if (!request_.dry_run && standing == Standing::same) CB_TRY(target_->settle(entry));
    keep_file(entry);
    return {};
  }
  step(standing == Standing::replaced ? RestoreStep::replace : RestoreStep::create, entry);
  if (!request_.dry_run) return plan(entry);
  const std::lock_guard lock(mutex_);
  ++result_.counts.files;
  result_.counts.bytes += entry.size;
  return {};
}

// The first name that comes is the file; the others are linked to it.
bool RestoreRun::is_further_name(const Entry& entry) {
  if (entry.inode == 0) return false;
  const auto [place, fresh] = first_names_.try_emplace({entry.device, entry.inode}, entry.path);
  return !fresh;
}

Status RestoreRun::link_later(const Entry& entry, Standing standing) {
  step(standing == Standing::kept ? RestoreStep::keep : RestoreStep::link, entry);
  if (standing == Standing::kept || request_.dry_run)
    keep_file(entry);
  else
    later_.push_back({entry, source_path_, first_names_.at({entry.device, entry.inode})});
  return {};
}

void RestoreRun::keep_file(const Entry& entry) {
  const std::lock_guard lock(mutex_);
  ++result_.counts.files_kept;
  done_bytes_ += entry.size;
}

Status RestoreRun::plan(const Entry& entry) {
  const auto file = std::make_shared<RestoreFile>(host_, entry, source_path_);
  const Status added = add_extents(file);
  window_.end_file();
  if (!added) {
    file->lose(added.error());
    if (stops_restore(added.error()) || !is_damage(added.error())) {
      file->keep_for_later();
      return added;
    }
  }
  return file->planned();
}

Status RestoreRun::add_extents(const std::shared_ptr<RestoreFile>& file) {
  uint64_t at = 0;
  const uint64_t size = file->entry().size;
  CB_TRY(repository::for_each_extent(
      file->entry(), parts_.fetcher->source(), [&](const Extent& extent) -> Status {
        if (cancelled_) return failed(Code::cancelled, "restore", "was cancelled");
        if (extent.length > size - at)
          return failed(Code::corrupt, file->source_path(), "has content beyond its size");
        const uint64_t offset = at;
        at += extent.length;
        if (extent.hole) wrote(extent.length);
        if (extent.hole || file->lost() || file->has_already(offset, extent)) return {};
        window_.add(file, offset, extent);
        return window_.full() ? flush() : Status();
      }));
  if (at == size) return {};
  return failed(Code::corrupt, file->source_path(), "lacks content up to its size");
}

Status RestoreRun::do_later(const Later& later) {
  if (later.first.empty()) return tolerate(target_->finish_folder(later.entry), later.source_path);
  bool lost = false;
  {
    const std::lock_guard lock(mutex_);
    lost = lost_first_names_.contains(later.first);
  }
  if (lost) {
    problem(later.source_path,
            fail(Code::corrupt, later.source_path,
                 "is another name of \"" + later.first + "\", which could not be restored"));
    return {};
  }
  const Status linked = target_->make_hard_link(later.entry, later.first);
  if (linked) {
    const std::lock_guard lock(mutex_);
    ++(later.entry.kind == EntryKind::file ? result_.counts.files : result_.counts.others);
    result_.counts.bytes += later.entry.size;
    done_bytes_ += later.entry.size;
  }
  return tolerate(linked, later.source_path);
}

}  // namespace cb::client
