// SPDX-License-Identifier: Apache-2.0
//
// Moving through a tree, node by node.
#include "core/repository/tree_cursor.h"

#include <algorithm>

namespace cb::repository {

size_t TreeCursor::size_of(const Node& node) {
  return node.level == 0 ? node.entries.size() : node.children.size();
}

const BlobId& TreeCursor::subtree() const {
  return whole_ ? root_ : frames_.back().node.children[frames_.back().at];
}

uint8_t TreeCursor::level() const {
  return whole_ ? uint8_t{kMaxLevel + 1} : static_cast<uint8_t>(frames_.back().node.level - 1);
}

void TreeCursor::leave_exhausted() {
  while (!frames_.empty() && frames_.back().at == size_of(frames_.back().node)) {
    frames_.pop_back();
    if (!frames_.empty()) ++frames_.back().at;
  }
}

void TreeCursor::skip() {
  if (whole_) {
    whole_ = false;
    return;
  }
  ++frames_.back().at;
  leave_exhausted();
}

Entry TreeCursor::take() {
  Entry entry = std::move(frames_.back().node.entries[frames_.back().at]);
  skip();
  return entry;
}

std::string_view TreeCursor::path_before() const {
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame)
    if (frame->at > 0) return frame->node.keys[frame->at - 1];
  return {};
}

Status TreeCursor::check(const Node& node) const {
  const auto wrong = [this](const char* cause) {
    return failed(Code::corrupt, "node " + subtree().hex(), cause);
  };
  if (node.type != NodeType::entries) return wrong("is not one of files and folders");
  if (whole_) return {};
  if (node.level != level() || size_of(node) == 0)
    return wrong("does not stand on the level that the node above says");
  const bool leaf = node.level == 0;
  const std::string_view first = leaf ? node.entries.front().path : node.keys.front();
  const std::string_view last = leaf ? node.entries.back().path : node.keys.back();
  const Frame& above = frames_.back();
  const std::string_view before = path_before();
  if (last != above.node.keys[above.at] || (!before.empty() && compare_paths(before, first) >= 0))
    return wrong("does not hold the paths that the node above says");
  return {};
}

Status TreeCursor::descend() {
  const BlobId id = subtree();
  CB_ASSIGN(Node node, source_(id));
  CB_TRY(check(node));
  whole_ = false;
  frames_.push_back({id, std::move(node), 0});
  leave_exhausted();
  return {};
}

bool TreeCursor::leave(const BlobId& id) {
  for (auto frame = frames_.rbegin(); frame != frames_.rend() && frame->at == 0; ++frame) {
    if (frame->id != id) continue;
    frames_.erase(std::prev(frame.base()), frames_.end());
    if (!frames_.empty()) skip();
    return true;
  }
  return false;
}

Status TreeCursor::seek(std::string_view path) {
  frames_.clear();
  whole_ = true;
  const auto before = [](std::string_view a, std::string_view b) {
    return compare_paths(a, b) < 0;
  };
  do {
    CB_TRY(descend());
    if (frames_.empty()) return {};
    Frame& frame = frames_.back();
    const auto& keys = frame.node.keys;
    const auto& entries = frame.node.entries;
    frame.at = static_cast<size_t>(
        frame.node.level > 0
            ? std::lower_bound(keys.begin(), keys.end(), path, before) - keys.begin()
            : std::lower_bound(entries.begin(), entries.end(), path,
                               [](const Entry& entry, std::string_view wanted) {
                                 return compare_paths(entry.path, wanted) < 0;
                               }) -
                  entries.begin());
    leave_exhausted();
  } while (!at_end() && !on_entry());
  return {};
}

}  // namespace cb::repository
