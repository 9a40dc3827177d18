// SPDX-License-Identifier: Apache-2.0
#include "core/client/safe_target.h"

#include <sys/stat.h>

#include <cerrno>

#include "core/client/metadata_reader.h"
#include "core/client/target_folder.h"

namespace cb::client {
namespace {

using repository::Entry;
using repository::EntryKind;

uint32_t type_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::fifo:
      return S_IFIFO;
    case EntryKind::character_device:
      return S_IFCHR;
    case EntryKind::block_device:
      return S_IFBLK;
    case EntryKind::socket:
      return S_IFSOCK;
    default:
      return 0;
  }
}

bool is_empty(os::Folder& folder) {
  bool empty = true;
  const Status listed = folder.each_name([&](std::string_view, os::NameKind) { empty = false; });
  return listed && empty;
}

class RealTarget final : public SafeTarget {
 public:
  RealTarget(Parts parts, Options options, std::shared_ptr<os::Folder> root)
      : folder_(std::move(parts), options, std::move(root)) {
    if (folder_.root() != nullptr && !options.resume && !options.dry_run)
      folder_.sweep(*folder_.root(), "");
  }

  Result<Standing> standing(const Entry& entry) override;
  Status make_folder(const Entry& entry) override;
  Status finish_folder(const Entry& entry) override;
  Status make_symlink(const Entry& entry) override;
  Status make_special(const Entry& entry) override;
  Status make_hard_link(const Entry& entry, const std::string& first) override;
  Status settle(const Entry& entry) override;
  Status finish() override;

  Result<std::unique_ptr<TargetFile>> begin_file(const Entry& entry) override {
    spare_odd_name(entry);
    return begin_target_file(folder_, entry);
  }
  Result<std::unique_ptr<os::TreeFile>> open_file(const std::string& path) override {
    CB_ASSIGN(const Place place, folder_.place(path, false));
    return place.folder->open_file(place.name);
  }

 private:
  [[nodiscard]] Overwrite overwrite() const { return folder_.options().overwrite; }
  Result<Standing> standing_folder(const Entry& entry, const os::NodeStat& there);
  Result<Standing> standing_other(const Entry& entry, const Place& place,
                                  const os::NodeStat& there);
  static bool is_same(const Entry& entry, const Place& place, const os::NodeStat& there);
  Status take_over_folder(const Place& place);
  // Makes, settles and names something without content.
  Status make_node(const Entry& entry,
                   const std::function<Status(os::Folder&, const std::string&)>& make);

  // An entry may be called as our temporary names are.
  void spare_odd_name(const Entry& entry) {
    if (is_temporary_name(std::string_view(entry.path).substr(entry.path.rfind('/') + 1)))
      folder_.spare(entry.path);
  }

  TargetFolder folder_;
};

Result<SafeTarget::Standing> RealTarget::standing(const Entry& entry) {
  const auto place = folder_.place(entry.path, false);
  if (!place && place.error().code == Code::not_found) return Standing::absent;
  if (!place) return failed(place.error());
  const auto there = place->folder->stat_name(place->name);
  if (!there && there.error().code == Code::not_found) return Standing::absent;
  if (!there) return failed(there.error());
  if (entry.kind == EntryKind::folder) return standing_folder(entry, *there);
  return standing_other(entry, *place, *there);
}

Result<SafeTarget::Standing> RealTarget::standing_folder(const Entry& entry,
                                                         const os::NodeStat& there) {
  const bool never = overwrite() == Overwrite::never;
  if (there.is_folder()) return never ? Standing::kept : Standing::same;
  if (!never) return Standing::replaced;
  return failed(Code::exists, entry.path, "is to be a folder, and something else is there",
                "see --overwrite, or choose another target");
}

Result<SafeTarget::Standing> RealTarget::standing_other(const Entry& entry, const Place& place,
                                                        const os::NodeStat& there) {
  if (overwrite() == Overwrite::never) return Standing::kept;
  if (there.is_folder()) {
    CB_ASSIGN(const std::shared_ptr<os::Folder> folder, place.folder->open_folder(place.name));
    if (is_empty(*folder)) return Standing::replaced;
    return failed(Code::exists, entry.path, "is a folder with something in it",
                  "move it away, or choose another target");
  }
  const bool same = overwrite() == Overwrite::if_changed && is_same(entry, place, there);
  return same ? Standing::same : Standing::replaced;
}

bool RealTarget::is_same(const Entry& entry, const Place& place, const os::NodeStat& there) {
  if (entry_kind(there.mode) != entry.kind) return false;
  switch (entry.kind) {
    case EntryKind::file:
      return there.size == entry.size && there.mtime_ns == entry.mtime_ns;
    case EntryKind::symlink: {
      const auto target = place.folder->read_link(place.name);
      return target && *target == entry.target;
    }
    case EntryKind::character_device:
    case EntryKind::block_device:
      return there.major == entry.major && there.minor == entry.minor;
    default:
      return true;
  }
}

Status RealTarget::make_folder(const Entry& entry) {
  CB_ASSIGN(const Place place, folder_.place(entry.path, true));
  Status made = place.folder->make_folder(place.name, 0700);
  if (made || made.error().os_errno != EEXIST) return made;
  CB_ASSIGN(const os::NodeStat there, place.folder->stat_name(place.name));
  CB_ASSIGN(const Standing standing, standing_folder(entry, there));
  if (standing == Standing::replaced) {
    CB_TRY(folder_.remove(*place.folder, place.name));
    folder_.forget(entry.path);
    return place.folder->make_folder(place.name, 0700);
  }
  return take_over_folder(place);
}

// Makes a folder that was there before ready to be written to.
Status RealTarget::take_over_folder(const Place& place) {
  CB_ASSIGN(std::shared_ptr<os::Folder> folder, place.folder->open_folder(place.name));
  if (overwrite() != Overwrite::never) {
    CB_ASSIGN(const os::NodeStat now, folder->stat());
    (void)unlock(*folder);
    if ((now.mode & 0700) != 0700) {
      const Status opened = folder->set_mode((now.mode & 07777) | 0700);
      if (!opened) folder_.problem(place.path)(opened.error());
      folder_.forget(place.path);
      CB_ASSIGN(folder, place.folder->open_folder(place.name));
    }
  }
  if (!folder_.options().resume) folder_.sweep(*folder, place.path);
  return {};
}

Status RealTarget::finish_folder(const Entry& entry) {
  if (!repository::is_snapshot_path(entry.path))
    return failed(Code::corrupt, entry.path, "is no path that may stand in a snapshot");
  CB_ASSIGN(const std::shared_ptr<os::Folder> folder, folder_.folder(entry.path));
  if (folder_.options().resume) folder_.sweep(*folder, entry.path);
  folder_.writer().apply(*folder, entry, folder_.problem(entry.path));
  folder_.writer().apply_attributes(*folder, entry, 0, folder_.problem(entry.path));
  return {};
}

Status RealTarget::make_node(const Entry& entry,
                             const std::function<Status(os::Folder&, const std::string&)>& make) {
  spare_odd_name(entry);
  CB_ASSIGN(const Place place, folder_.place(entry.path, true));
  os::Folder& folder = *place.folder;
  const TemporaryName begun(folder_, entry, place);
  const std::string& temporary = begun.name();
  CB_TRY(folder_.make_temporary(place, temporary, [&] { return make(folder, temporary); }));
  const auto settle_and_name = [&]() -> Status {
    CB_ASSIGN(const std::unique_ptr<os::Node> node, folder.open_node(temporary));
    CB_ASSIGN(const os::NodeStat made, node->stat());
    if (entry_kind(made.mode) != entry.kind || made.uid != os::effective_uid())
      return failed(Code::busy, entry.path, "was changed by somebody else just now",
                    "restore into a folder that only you can write to");
    folder_.writer().apply(*node, entry, folder_.problem(entry.path));
    return folder_.put(place, temporary);
  };
  Status done = settle_and_name();
  if (!done) (void)folder.remove(temporary);
  return done;
}

Status RealTarget::make_symlink(const Entry& entry) {
  return make_node(entry, [&](os::Folder& folder, const std::string& name) {
    return folder.make_symlink(entry.target, name);
  });
}

Status RealTarget::make_special(const Entry& entry) {
  const uint32_t type = type_of(entry.kind);
  if (type == 0) return failed(Code::invalid, entry.path, "is no device, fifo or socket");
  return make_node(entry, [&](os::Folder& folder, const std::string& name) {
    return folder.make_special(name, type | 0600, entry.major, entry.minor);
  });
}

Status RealTarget::make_hard_link(const Entry& entry, const std::string& first) {
  spare_odd_name(entry);
  CB_ASSIGN(const Place from, folder_.place(first, false));
  CB_ASSIGN(const Place place, folder_.place(entry.path, true));
  CB_ASSIGN(const os::NodeStat file, from.folder->stat_name(from.name));
  const auto there = place.folder->stat_name(place.name);
  if (there && there->device == file.device && there->inode == file.inode) return {};
  const TemporaryName begun(folder_, entry, place);
  const std::string& temporary = begun.name();
  CB_TRY(folder_.make_temporary(place, temporary, [&] {
    return place.folder->make_link(*from.folder, from.name, temporary);
  }));
  Status done = folder_.put(place, temporary);
  if (!done) (void)place.folder->remove(temporary);
  return done;
}

Status RealTarget::settle(const Entry& entry) {
  spare_odd_name(entry);
  CB_ASSIGN(const Place place, folder_.place(entry.path, false));
  const auto apply = [&](os::Node& node) -> Status {
    CB_ASSIGN(const os::NodeStat there, node.stat());
    if (entry_kind(there.mode) != entry.kind)
      return failed(Code::busy, entry.path, "was changed by somebody else just now");
    folder_.writer().apply(node, entry, folder_.problem(entry.path));
    return {};
  };
  if (entry.kind == EntryKind::file) {
    if (const auto file = place.folder->open_file(place.name)) {
      (void)unlock(**file);
      CB_TRY(apply(**file));
      folder_.set_attributes(**file, entry);
      return {};
    }
  }
  CB_ASSIGN(const std::unique_ptr<os::Node> node, place.folder->open_node(place.name));
  return apply(*node);
}

Status RealTarget::finish() {
  folder_.set_late_attributes();
  if (folder_.options().resume) folder_.sweep(*folder_.root(), "");
  return folder_.root()->sync_file_system();
}

}  // namespace

Result<std::unique_ptr<SafeTarget>> SafeTarget::open(Parts parts, const os::Path& folder,
                                                     Options options) {
  if (!options.dry_run) CB_TRY(os::real_file_system().make_folders(folder, 0777));
  auto root = parts.tree->open(folder);
  const bool missing = !root && options.dry_run && root.error().code == Code::not_found;
  if (!root && !missing) return failed(std::move(root).error());
  return std::make_unique<RealTarget>(std::move(parts), options,
                                      missing ? nullptr : std::move(*root));
}

}  // namespace cb::client
