// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_files.h"

#include <algorithm>

#include "core/base/units.h"
#include "core/protocol/v3/cksum.h"
#include "core/server/legacy_places.h"

namespace cb::server {
namespace {

bool is_same(const os::NodeStat& a, const os::NodeStat& b) {
  return a.size == b.size && a.mtime_ns == b.mtime_ns && a.ctime_ns == b.ctime_ns;
}

// Is it no folder that could be listed, rather than one that fails?
bool is_none(Code code) {
  return code == Code::not_found || code == Code::invalid || code == Code::limit;
}

}  // namespace

Result<LegacyFiles> LegacyFiles::open(os::Tree& tree, const os::Path& folder) {
  CB_ASSIGN(const std::string whole, tree.resolve(folder));
  CB_ASSIGN(std::shared_ptr<os::Folder> opened, tree.open(whole));
  return LegacyFiles(std::move(opened), name_in(whole));
}

Result<std::shared_ptr<os::Folder>> LegacyFiles::folder(const std::string& path) {
  std::shared_ptr<os::Folder> at = folder_;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    CB_ASSIGN(const os::NodeStat stat, at->stat_name(name));
    if (!stat.is_folder()) return failed(Code::not_found, path, "is no folder");
    CB_ASSIGN(at, at->open_folder(name));
    begin = end + 1;
  }
  return at;
}

Result<const std::vector<LegacyFiles::Name>*> LegacyFiles::list(const std::string& path) {
  const auto known = listed_.find(path);
  if (known != listed_.end()) return &known->second;
  std::vector<Name> names;
  auto opened = folder(path);
  if (!opened && !is_none(opened.error().code)) return failed(std::move(opened).error());
  if (opened) {
    CB_TRY((*opened)->each_name([&](std::string_view name, os::NameKind) {
      names.push_back({std::string(name), false, false, false});
    }));
    for (Name& name : names) {
      const auto stat = (*opened)->stat_name(name.name);
      name.is_unread = !stat;
      name.is_folder = stat && stat->is_folder();
      name.is_file = stat && stat->is_regular();
    }
    std::sort(names.begin(), names.end(),
              [](const Name& a, const Name& b) { return a.name < b.name; });
  }
  return &(listed_[path] = std::move(names));
}

Result<bool> LegacyFiles::has(const std::string& path) {
  CB_ASSIGN(const std::vector<Name>* names, list(folder_of(path)));
  const std::string name = name_in(path);
  const auto at = std::lower_bound(names->begin(), names->end(), name,
                                   [](const Name& a, const std::string& b) { return a.name < b; });
  if (at == names->end() || at->name != name) return false;
  if (at->is_unread) return failed(Code::io, path, "cannot be looked at");
  return at->is_file;
}

Result<LegacyContent> LegacyFiles::content(const std::string& path) {
  const auto known = contents_.find(path);
  if (known != contents_.end()) return known->second;
  CB_ASSIGN(const LegacyContent content, read(path, [](ByteView) { return Status{}; }));
  contents_[path] = content;
  return content;
}

Result<LegacyContent> LegacyFiles::read(const std::string& path,
                                        const std::function<Status(ByteView)>& sink) {
  CB_ASSIGN(const std::shared_ptr<os::Folder> in, folder(folder_of(path)));
  CB_ASSIGN(const std::unique_ptr<os::TreeFile> file, in->open_file(name_in(path)));
  CB_ASSIGN(const os::NodeStat before, file->stat());
  if (!before.is_regular()) return failed(Code::invalid, path, "is not a file");
  v3::Cksum cksum;
  Bytes piece(128 * kKiB);
  for (;;) {
    CB_ASSIGN(const size_t count, file->read_at(piece, cksum.size()));
    if (count == 0) break;
    const ByteView read = ByteView(piece).first(count);
    cksum.update(read);
    CB_TRY(sink(read));
  }
  CB_ASSIGN(const os::NodeStat after, file->stat());
  if (!is_same(before, after) || cksum.size() != after.size)
    return failed(Code::busy, path, "changed while it was read",
                  "end the old server, then import again");
  return LegacyContent{cksum.size(), cksum.value(), after.mtime_ns};
}

}  // namespace cb::server
