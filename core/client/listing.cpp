// SPDX-License-Identifier: Apache-2.0
#include "core/client/listing.h"

#include <fnmatch.h>

namespace cb::client {

using repository::BlobId;
using repository::Entry;
using repository::EntryKind;
using repository::Node;
using repository::NodeSource;

namespace {

// Deeper than any tree that a builder makes.
constexpr unsigned kDeepest = 32;

bool is_below(const std::string& path, const std::string& folder) {
  return folder.empty() ||
         (path.size() > folder.size() && path[folder.size()] == '/' && path.starts_with(folder));
}

Error no_such_path(const std::string& path) {
  return fail(Code::not_found, path, "is not in this snapshot", "\"cyberbackup ls\" shows what is");
}

// What is directly in a folder: each child, then on behind everything that is below that.
Status list_children(repository::TreeWalker& walker, const std::string& folder, bool& any,
                     const std::function<Status(const Entry&)>& visit) {
  const size_t skip = folder.empty() ? 0 : folder.size() + 1;
  while (true) {
    CB_ASSIGN(const std::optional<Entry> entry, walker.next());
    if (!entry || (entry->path != folder && !is_below(entry->path, folder))) return {};
    any = true;
    if (entry->path == folder) continue;
    const size_t slash = entry->path.find('/', skip);
    if (slash == std::string::npos) {
      CB_TRY(visit(*entry));
      if (entry->kind == EntryKind::folder) CB_TRY(walker.seek(entry->path + '\x01'));
      continue;
    }
    Entry implied;
    implied.path = entry->path.substr(0, slash);
    implied.kind = EntryKind::folder;
    CB_TRY(visit(implied));
    CB_TRY(walker.seek(implied.path + '\x01'));  // no component lies between
  }
}

Status list_all(repository::TreeWalker& walker, const std::string& folder, bool& any,
                const std::function<Status(const Entry&)>& visit) {
  while (true) {
    CB_ASSIGN(const std::optional<Entry> entry, walker.next());
    if (!entry || (entry->path != folder && !is_below(entry->path, folder))) return {};
    any = true;
    if (entry->path != folder) CB_TRY(visit(*entry));
  }
}

}  // namespace

Status list_folder(const NodeSource& source, const BlobId& root, const std::string& path,
                   bool recursive, const std::function<Status(const Entry&)>& visit) {
  if (!path.empty()) {
    CB_ASSIGN(const std::optional<Entry> entry, repository::find_entry(source, root, path));
    if (entry && entry->kind != EntryKind::folder) return visit(*entry);
  }
  repository::TreeWalker walker(source, root);
  if (!path.empty()) CB_TRY(walker.seek(path));
  bool any = path.empty();
  CB_TRY(recursive ? list_all(walker, path, any, visit) : list_children(walker, path, any, visit));
  return any ? Status() : failed(no_such_path(path));
}

Status TreeSearch::search(const BlobId& root, const std::function<Status(const Entry&)>& visit) {
  return search_below(root, 0, visit);
}

Result<const TreeSearch::Seen*> TreeSearch::look(const BlobId& id) {
  const auto known = seen_.find(id);
  if (known != seen_.end()) return &known->second;
  CB_ASSIGN(Node node, source_(id));
  if (node.type != repository::NodeType::entries)
    return failed(Code::corrupt, "node " + id.hex(), "is not one of a file list");
  Seen seen;
  if (node.level > 0) seen.children = std::move(node.children);
  for (Entry& entry : node.entries) {
    if (!matches_(entry)) continue;
    entry.extents.clear();
    seen.found.push_back(std::move(entry));
  }
  return &seen_.emplace(id, std::move(seen)).first->second;
}

Status TreeSearch::search_below(const BlobId& id, unsigned depth,
                                const std::function<Status(const Entry&)>& visit) {
  if (depth > kDeepest) return failed(Code::corrupt, "node " + id.hex(), "lies too deep");
  CB_ASSIGN(const Seen* const seen, look(id));
  for (const Entry& entry : seen->found) CB_TRY(visit(entry));
  for (const BlobId& child : seen->children) CB_TRY(search_below(child, depth + 1, visit));
  return {};
}

bool fits_pattern(const std::string& pattern, const std::string& path) {
  const bool whole = pattern.find('/') != std::string::npos;
  const size_t slash = path.rfind('/');
  const std::string& name = whole || slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string wanted = pattern.starts_with('/') ? pattern.substr(1) : pattern;
  return fnmatch(wanted.c_str(), name.c_str(), 0) == 0;
}

std::vector<std::string> changes_between(const Entry& before, const Entry& after) {
  std::vector<std::string> changes;
  const auto note = [&](bool differs, const char* what) {
    if (differs) changes.emplace_back(what);
  };
  note(before.kind != after.kind, "kind");
  note(before.size != after.size, "size");
  note(before.extents != after.extents || before.extent_root != after.extent_root, "content");
  note(before.target != after.target, "target");
  note(before.mtime_ns != after.mtime_ns, "mtime");
  note(before.mode != after.mode, "mode");
  note(before.uid != after.uid || before.gid != after.gid, "owner");
  note(before.xattrs != after.xattrs, "xattrs");
  note(before.attributes != after.attributes, "attributes");
  note(before.major != after.major || before.minor != after.minor, "device");
  note((before.inode != 0) != (after.inode != 0), "links");
  return changes;
}

}  // namespace cb::client
