// SPDX-License-Identifier: Apache-2.0
#include "core/client/target_folder.h"

#include <array>
#include <cerrno>

namespace cb::client {
namespace {

using repository::Entry;

constexpr std::string_view kPrefix = ".cyberbackup-restore-";
constexpr size_t kNameDigits = 16;

// FNV-1a: stable over runs is all it has to be; whoever guesses a name gains nothing, since a
// temporary file is made anew or has to be our own.
uint64_t mixed(uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

}  // namespace

std::string temporary_name(const Entry& entry) {
  const size_t slash = entry.path.rfind('/');
  uint64_t hash = mixed(14695981039346656037ULL, std::string_view(entry.path).substr(slash + 1));
  hash = mixed(hash, "/" + std::to_string(entry.size) + "/" + std::to_string(entry.mtime_ns));
  std::array<std::byte, 8> bytes{};
  store_le(bytes.data(), hash);
  return std::string(kPrefix) + to_hex(bytes);
}

bool is_temporary_name(std::string_view name) {
  return name.size() == kPrefix.size() + kNameDigits && name.starts_with(kPrefix) &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

TargetFolder::TargetFolder(SafeTarget::Parts parts, SafeTarget::Options options,
                           std::shared_ptr<os::Folder> root)
    : parts_(std::move(parts)),
      options_(options),
      root_(std::move(root)),
      folders_(root_, 256),
      writer_(*parts_.names, options.owners) {}

Result<std::shared_ptr<os::Folder>> TargetFolder::folder(const std::string& path) {
  if (root_ == nullptr) return failed(Code::not_found, "the target", "is not there yet");
  return folders_.open(path);
}

Result<Place> TargetFolder::place(const std::string& path, bool make) {
  if (!repository::is_snapshot_path(path))
    return failed(Code::corrupt, path, "is no path that may stand in a snapshot",
                  "nothing was written; the snapshot was made by a faulty or hostile program");
  const std::string parent = parent_of(path);
  auto opened = folder(parent);
  if (!opened && make && opened.error().code == Code::not_found) {
    CB_TRY(make_missing(parent));
    opened = folder(parent);
  }
  if (!opened) return failed(std::move(opened).error());
  return Place{std::move(*opened), path, path.substr(parent.empty() ? 0 : parent.size() + 1)};
}

Status TargetFolder::make_missing(const std::string& path) {
  for (size_t end = 0; end < path.size(); ++end) {
    end = std::min(path.find('/', end), path.size());
    const std::string part = path.substr(0, end);
    if (folder(part)) continue;
    CB_ASSIGN(const std::shared_ptr<os::Folder> above, folder(parent_of(part)));
    const std::string name = part.substr(part.rfind('/') + 1);
    if (const auto there = above->stat_name(name); there && !there->is_folder())
      return failed(Code::exists, part, "is not a folder, and something is to go below it",
                    "move it away, or restore into another folder");
    const Status made = above->make_folder(name, 0777);
    if (!made && made.error().os_errno != EEXIST) return made;
  }
  return {};
}

Status TargetFolder::remove(os::Folder& folder, const std::string& name) {
  Status done = folder.remove(name);
  if (done || done.error().os_errno != EPERM) return done;
  const auto file = folder.open_file(name);
  if (!file || !unlock(**file)) return done;
  return folder.remove(name);
}

Status TargetFolder::put(const Place& place, const std::string& temporary) {
  os::Folder& folder = *place.folder;
  const auto exists = [&](const char* cause) {
    return failed(Code::exists, place.path, cause, "see --overwrite, or choose another target");
  };
  if (options_.overwrite == Overwrite::never && folder.stat_name(place.name))
    return exists("is there already");
  const Status done = folder.rename(temporary, place.name);
  if (done) return {};
  switch (done.error().os_errno) {
    case EISDIR:
    case EEXIST:
    case ENOTEMPTY:
      if (!folder.remove_folder(place.name)) return exists("is a folder with something in it");
      forget(place.path);
      break;
    case EPERM: {
      const auto file = folder.open_file(place.name);
      if (!file || !unlock(**file)) return done;
      break;
    }
    default:
      return done;
  }
  return folder.rename(temporary, place.name);
}

Status TargetFolder::make_temporary(const Place& place, const std::string& temporary,
                                    const std::function<Status()>& make) {
  Status made = make();
  if (made || made.error().os_errno != EEXIST) return made;
  CB_TRY(remove(*place.folder, temporary));
  return make();
}

void TargetFolder::sweep(os::Folder& folder, const std::string& path) {
  std::vector<std::string> found;
  (void)folder.each_name([&](std::string_view name, os::NameKind kind) {
    if (kind != os::NameKind::folder && is_temporary_name(name)) found.emplace_back(name);
  });
  for (const std::string& name : found) {
    const std::lock_guard lock(mutex_);  // so that nobody begins under that name just now
    if (spared_.contains(path.empty() ? name : path + "/" + name)) continue;
    Status done = remove(folder, name);
    if (!done) problem(path)(std::move(done).error());
  }
}

void TargetFolder::spare(const std::string& path) {
  const std::lock_guard lock(mutex_);
  spared_.insert(path);
}

void TargetFolder::unspare(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const auto found = spared_.find(path); found != spared_.end()) spared_.erase(found);
}

void TargetFolder::set_attributes(os::Node& node, const Entry& entry) {
  const bool several_names = entry.device != 0 || entry.inode != 0;
  const bool late = several_names && (entry.attributes & os::kLockingAttributes) != 0;
  writer_.apply_attributes(node, entry, late ? os::kLockingAttributes : 0, problem(entry.path));
  if (!late) return;
  Entry waiting;
  waiting.path = entry.path;
  waiting.attributes = entry.attributes;
  const std::lock_guard lock(mutex_);
  late_.push_back(std::move(waiting));
}

void TargetFolder::set_late_attributes() {
  std::vector<Entry> late;
  {
    const std::lock_guard lock(mutex_);
    late.swap(late_);
  }
  for (const Entry& entry : late) {
    const auto there = place(entry.path, false);
    auto file = there ? there->folder->open_file(there->name)
                      : Result<std::unique_ptr<os::TreeFile>>(failed(there.error()));
    if (file) {
      writer_.apply_attributes(**file, entry, 0, problem(entry.path));
    } else {
      problem(entry.path)(std::move(file).error());
    }
  }
}

MetadataWriter::Problem TargetFolder::problem(const std::string& path) const {
  return [this, path](Error error) {
    if (parts_.problem) parts_.problem(path, std::move(error));
  };
}

}  // namespace cb::client
