// SPDX-License-Identifier: Apache-2.0
//
// The order of paths, and what an entry may be.
#include "core/repository/entry.h"

#include <algorithm>

namespace cb::repository {
namespace {

constexpr size_t kMaxPath = 64 * 1024;
constexpr uint32_t kPermissionBits = 07777;

// A slash ends a component, and nothing is before the end; no path has a zero byte.
int rank(char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); }

bool is_component(std::string_view part) { return !part.empty() && part != "." && part != ".."; }

std::string_view content_flaw(const Entry& file) {
  if (file.size > kMaxFile) return "has an impossible size";
  if (!file.extent_root.is_zero()) return file.extents.empty() ? "" : "has extents of two forms";
  if (file.extents.size() > kInlineExtents) return "has too many extents for one entry";
  uint64_t sum = 0;
  for (const Extent& extent : file.extents) {
    if (const auto flaw = extent_flaw(extent); !flaw.empty()) return flaw;
    if (extent.length > file.size - sum) return "has extents beyond its size";
    sum += extent.length;
  }
  // What could not be read is missing at the end.
  const bool partial = (file.flags & kEntryUnreadable) != 0;
  return sum == file.size || partial ? "" : "has extents that do not sum up to its size";
}

std::string_view xattrs_flaw(const std::vector<Xattr>& xattrs) {
  std::string_view last;
  for (const Xattr& xattr : xattrs) {
    if (xattr.name <= last) return "has extended attributes out of order";
    last = xattr.name;
  }
  return "";
}

}  // namespace

int compare_paths(std::string_view a, std::string_view b) {
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (left == a.end() || right == b.end())
    return static_cast<int>(left != a.end()) - static_cast<int>(right != b.end());
  return rank(*left) - rank(*right);
}

bool is_snapshot_path(std::string_view path) {
  if (path.size() > kMaxPath || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const size_t slash = path.find('/');
    if (!is_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::string_view extent_flaw(const Extent& extent) {
  if (extent.length == 0 || extent.length > kMaxFile) return "has an extent of impossible length";
  if (extent.hole)
    return extent.blob.is_zero() && extent.offset == 0 ? "" : "has a hole that names a blob";
  if (extent.blob.is_zero()) return "has an extent without a blob";
  const bool fits = extent.length <= kMaxData && extent.offset <= kMaxData - extent.length;
  return fits ? "" : "has an extent that reaches past the largest blob";
}

std::string_view entry_flaw(const Entry& entry) {
  if (!is_snapshot_path(entry.path)) return "has a path that may not stand in a snapshot";
  if (entry.mode > kPermissionBits) return "has more than permission bits in its mode";
  if (const auto flaw = xattrs_flaw(entry.xattrs); !flaw.empty()) return flaw;
  const bool bare = entry.target.empty() || entry.target.find('\0') != std::string::npos;
  if (entry.kind == EntryKind::symlink) return bare ? "has an impossible link target" : "";
  return entry.kind == EntryKind::file ? content_flaw(entry) : "";
}

}  // namespace cb::repository
