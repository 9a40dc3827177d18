// SPDX-License-Identifier: Apache-2.0
#include "core/client/metadata_writer.h"

#include <sys/stat.h>

#include <algorithm>

namespace cb::client {
namespace {

using repository::Entry;
using repository::EntryKind;
using repository::Xattr;

void tell(const MetadataWriter::Problem& problem, Status done) {
  if (!done && problem) problem(std::move(done).error());
}

// May it be taken away because the entry has none? Labels that the system gives by itself stay.
bool is_removable(const std::string& name) {
  return name.starts_with("user.") || name.starts_with("system.posix_acl_") ||
         name.starts_with("trusted.");
}

}  // namespace

uint32_t MetadataWriter::apply_owner(os::Node& node, const Entry& entry, const os::NodeStat& now,
                                     const Problem& problem) const {
  const uint32_t uid = names_.uid(entry.user).value_or(entry.uid);
  const uint32_t gid = names_.gid(entry.group).value_or(entry.gid);
  bool user_set = now.uid == uid;
  bool group_set = now.gid == gid;
  if (owners_ && !(user_set && group_set)) {
    Status done = node.set_owner(uid, gid);
    user_set = user_set || done;
    // Who may not give files away may still be a member of the group.
    group_set = group_set || done || node.set_owner(now.uid, gid);
    if (!user_set || !group_set) tell(problem, std::move(done));
  }
  return (user_set ? S_ISUID : 0U) | (group_set || entry.kind == EntryKind::folder ? S_ISGID : 0U);
}

void MetadataWriter::apply_xattrs(os::Node& node, const Entry& entry, const Problem& problem) {
  const auto present = node.xattr_names();
  if (present) {
    for (const std::string& name : *present) {
      const bool wanted = std::any_of(entry.xattrs.begin(), entry.xattrs.end(),
                                      [&](const Xattr& one) { return one.name == name; });
      if (!wanted && is_removable(name)) tell(problem, node.remove_xattr(name));
    }
  }
  for (const Xattr& xattr : entry.xattrs) {
    Status done = node.set_xattr(xattr.name, xattr.value);
    if (done) continue;
    // What may not be set may stand there already, as a label of the system does.
    const auto now = node.xattr(xattr.name);
    if (!now || *now != xattr.value) tell(problem, std::move(done));
  }
}

void MetadataWriter::apply(os::Node& node, const Entry& entry, const Problem& problem) const {
  const auto now = node.stat();
  if (!now) {
    if (problem) problem(now.error());
    return;
  }
  const uint32_t set_ids = apply_owner(node, entry, *now, problem);
  apply_xattrs(node, entry, problem);
  if (entry.kind != EntryKind::symlink)
    tell(problem, node.set_mode(entry.mode & (01777U | set_ids)));
  tell(problem, node.set_mtime(entry.mtime_ns));
}

void MetadataWriter::apply_attributes(os::Node& node, const Entry& entry, uint32_t without,
                                      const Problem& problem) const {
  const uint32_t wanted = entry.attributes & os::kSettableAttributes & ~without;
  const auto now = node.attributes();
  if (!now) {
    if (wanted != 0 && problem) problem(now.error());
    return;
  }
  if ((*now & os::kSettableAttributes) == wanted) return;
  tell(problem, node.set_attributes((*now & ~os::kSettableAttributes) | wanted));
}

bool unlock(os::Node& node) {
  const auto now = node.attributes();
  if (!now || (*now & os::kLockingAttributes) == 0) return false;
  return node.set_attributes(*now & ~os::kLockingAttributes).has_value();
}

}  // namespace cb::client
