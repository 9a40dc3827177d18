// SPDX-License-Identifier: Apache-2.0
#include "core/client/cache_records.h"

#include <algorithm>

namespace cb::client {
namespace {

using repository::BlobId;
using repository::Entry;
using repository::EntryKind;
using repository::Extent;
using repository::RecordReader;
using repository::RecordWriter;

constexpr uint8_t kSameOwner = 1;   // mode, owner and group are those of the entry before
constexpr uint8_t kPlain = 2;       // no flags, attributes, second names, xattrs
constexpr uint8_t kSameDevice = 4;  // the file system is that of the entry before
constexpr uint8_t kTree = 8;        // has an extent tree

enum class Where : uint8_t { hole, last_blob, new_blob };

bool same_owner(const Entry& a, const Entry& b) {
  return a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && a.user == b.user &&
         a.group == b.group;
}

bool is_plain(const Entry& entry) {
  return entry.flags == 0 && entry.attributes == 0 && entry.device == 0 && entry.inode == 0 &&
         entry.xattrs.empty();
}

void write_path(RecordWriter& out, const std::string& path, const std::string& last) {
  const auto differ = std::mismatch(path.begin(), path.end(), last.begin(), last.end());
  const auto shared = static_cast<size_t>(differ.first - path.begin());
  out.uint(shared);
  out.text(std::string_view(path).substr(shared));
}

void read_path(RecordReader& in, std::string& path) {
  const uint64_t shared = in.uint();
  if (shared > path.size()) return in.refuse("shares more of a path than there is");
  path.resize(shared);
  path += as_text(in.bytes());
}

void write_owner(RecordWriter& out, const Entry& entry) {
  out.uint(entry.mode);
  out.uint(entry.uid);
  out.uint(entry.gid);
  out.text(entry.user);
  out.text(entry.group);
}

void read_owner(RecordReader& in, Entry& entry) {
  entry.mode = in.uint32();
  entry.uid = in.uint32();
  entry.gid = in.uint32();
  entry.user = in.text();
  entry.group = in.text();
}

void write_rare(RecordWriter& out, const Entry& entry) {
  out.uint(entry.flags);
  out.uint(entry.attributes);
  out.uint(entry.device);
  out.uint(entry.inode);
  out.list(entry.xattrs, [&](const repository::Xattr& xattr) {
    out.text(xattr.name);
    out.text(xattr.value);
  });
}

void read_rare(RecordReader& in, Entry& entry) {
  entry.flags = in.uint();
  entry.attributes = in.uint32();
  entry.device = in.uint();
  entry.inode = in.uint();
  entry.xattrs.resize(in.count(2));
  for (auto& xattr : entry.xattrs) {
    xattr.name = in.text();
    xattr.value = in.text();
  }
}

void write_stat(RecordWriter& out, const CachedEntry& entry, bool same_device) {
  if (!same_device) out.uint(entry.stat.device);
  out.uint(entry.stat.inode);
  out.uint(entry.stat.size);
  out.sint(entry.stat.mtime_ns);
  // Most are changed and written at once.
  out.sint(static_cast<int64_t>(static_cast<uint64_t>(entry.stat.ctime_ns) -
                                static_cast<uint64_t>(entry.stat.mtime_ns)));
  out.uint(entry.stat.links);
  out.sint(static_cast<int64_t>(static_cast<uint64_t>(entry.entry.mtime_ns) -
                                static_cast<uint64_t>(entry.stat.mtime_ns)));
}

void read_stat(RecordReader& in, CachedEntry& entry, bool same_device) {
  if (!same_device) entry.stat.device = in.uint();
  entry.stat.inode = in.uint();
  entry.stat.size = in.uint();
  entry.stat.mtime_ns = in.sint();
  const auto base = static_cast<uint64_t>(entry.stat.mtime_ns);
  entry.stat.ctime_ns = static_cast<int64_t>(base + static_cast<uint64_t>(in.sint()));
  entry.stat.links = in.uint32();
  entry.entry.mtime_ns = static_cast<int64_t>(base + static_cast<uint64_t>(in.sint()));
}

void write_extents(RecordWriter& out, const std::vector<Extent>& extents, BlobId& last_blob) {
  out.list(extents, [&](const Extent& extent) {
    out.uint(extent.length);
    const Where where = extent.hole                ? Where::hole
                        : extent.blob == last_blob ? Where::last_blob
                                                   : Where::new_blob;
    out.byte(static_cast<uint8_t>(where));
    if (where == Where::hole) return;
    if (where == Where::new_blob) out.fixed(extent.blob.view());
    last_blob = extent.blob;
    out.uint(extent.offset);
  });
}

void read_extents(RecordReader& in, std::vector<Extent>& extents, BlobId& last_blob) {
  extents.resize(in.count(2));
  for (Extent& extent : extents) {
    extent = {};
    extent.length = in.uint();
    const uint8_t where = in.byte();
    if (where > static_cast<uint8_t>(Where::new_blob)) return in.refuse("has an unknown extent");
    extent.hole = where == static_cast<uint8_t>(Where::hole);
    if (extent.hole) continue;
    if (where == static_cast<uint8_t>(Where::new_blob)) last_blob = in.id<BlobId>();
    extent.blob = last_blob;
    extent.offset = in.uint();
  }
}

void write_kind(RecordWriter& out, const CachedEntry& cached, BlobId& last_blob) {
  const Entry& entry = cached.entry;
  if (entry.kind == EntryKind::symlink) out.text(entry.target);
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device) {
    out.uint(entry.major);
    out.uint(entry.minor);
  }
  if (entry.kind != EntryKind::file) return;
  out.uint(entry.size);
  if (entry.extent_root.is_zero()) return write_extents(out, entry.extents, last_blob);
  out.fixed(entry.extent_root.view());
  out.list(cached.blobs, [&](const BlobId& blob) { out.fixed(blob.view()); });
}

void read_kind(RecordReader& in, CachedEntry& cached, bool tree, BlobId& last_blob) {
  Entry& entry = cached.entry;
  if (entry.kind == EntryKind::symlink) entry.target = in.text();
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device) {
    entry.major = in.uint32();
    entry.minor = in.uint32();
  }
  if (entry.kind != EntryKind::file) return;
  entry.size = in.uint();
  if (!tree) return read_extents(in, entry.extents, last_blob);
  entry.extent_root = in.id<BlobId>();
  if (entry.extent_root.is_zero()) return in.refuse("has a tree of extents without a root");
  cached.blobs.resize(in.count(BlobId::kSize));
  for (BlobId& blob : cached.blobs) blob = in.id<BlobId>();
}

// What the entry before has no say in.
void forget_kind(CachedEntry& cached) {
  cached.blobs.clear();
  Entry& entry = cached.entry;
  entry.size = 0;
  entry.extents.clear();
  entry.extent_root = {};
  entry.target.clear();
  entry.major = entry.minor = 0;
  entry.flags = 0;
  entry.attributes = 0;
  entry.device = entry.inode = 0;
  entry.xattrs.clear();
}

}  // namespace

void write_cached(RecordWriter& out, const CachedEntry& entry, CachedEntry& last,
                  BlobId& last_blob) {
  const bool owner = same_owner(entry.entry, last.entry);
  const bool plain = is_plain(entry.entry);
  const bool device = entry.stat.device == last.stat.device;
  write_path(out, entry.entry.path, last.entry.path);
  out.byte(static_cast<uint8_t>(entry.entry.kind));
  out.byte(static_cast<uint8_t>((owner ? kSameOwner : 0) | (plain ? kPlain : 0) |
                                (device ? kSameDevice : 0) |
                                (entry.entry.extent_root.is_zero() ? 0 : kTree)));
  if (!owner) write_owner(out, entry.entry);
  if (!plain) write_rare(out, entry.entry);
  write_stat(out, entry, device);
  write_kind(out, entry, last_blob);
  last.entry.path = entry.entry.path;
  last.stat.device = entry.stat.device;
  if (owner) return;
  last.entry.mode = entry.entry.mode;
  last.entry.uid = entry.entry.uid;
  last.entry.gid = entry.entry.gid;
  last.entry.user = entry.entry.user;
  last.entry.group = entry.entry.group;
}

void read_cached(RecordReader& in, CachedEntry& last, BlobId& last_blob) {
  forget_kind(last);
  read_path(in, last.entry.path);
  last.entry.kind = static_cast<EntryKind>(in.byte());
  const uint8_t form = in.byte();
  if ((form & kSameOwner) == 0) read_owner(in, last.entry);
  if ((form & kPlain) == 0) read_rare(in, last.entry);
  read_stat(in, last, (form & kSameDevice) != 0);
  read_kind(in, last, (form & kTree) != 0, last_blob);
}

void write_summary(RecordWriter& out, const CacheSummary& summary) {
  out.fixed(summary.snapshot.view());
  out.uint(summary.files);
  out.uint(summary.bytes);
  out.list(summary.bundles, [&](const BundleUse& use) {
    out.fixed(use.blob.view());
    out.uint(use.size);
    out.uint(use.used);
  });
  out.list(summary.nodes, [&](const ShortId& node) { out.fixed(node.view()); });
}

CacheSummary read_summary(RecordReader& in) {
  CacheSummary summary;
  summary.snapshot = in.id<BlobId>();
  summary.files = in.uint();
  summary.bytes = in.uint();
  summary.bundles.resize(in.count(ShortId::kSize + 2));
  for (BundleUse& use : summary.bundles) {
    use.blob = in.id<ShortId>();
    use.size = in.uint32();
    use.used = in.uint32();
  }
  summary.nodes.resize(in.count(ShortId::kSize));
  for (ShortId& node : summary.nodes) node = in.id<ShortId>();
  return summary;
}

}  // namespace cb::client
