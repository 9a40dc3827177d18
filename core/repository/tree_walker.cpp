// SPDX-License-Identifier: Apache-2.0
//
// Walking and comparing trees with cursors.
#include "core/repository/tree_cursor.h"

namespace cb::repository {

struct TreeWalker::State {
  TreeCursor cursor;
};

TreeWalker::TreeWalker(NodeSource source, const BlobId& root)
    : state_(new State{TreeCursor(std::move(source), root)}) {}
TreeWalker::~TreeWalker() = default;

Status TreeWalker::seek(std::string_view path) { return state_->cursor.seek(path); }

Result<std::optional<Entry>> TreeWalker::next() {
  TreeCursor& cursor = state_->cursor;
  while (!cursor.at_end() && !cursor.on_entry()) CB_TRY(cursor.descend());
  if (cursor.at_end()) return std::nullopt;
  return cursor.take();
}

Result<std::optional<Entry>> find_entry(const NodeSource& source, const BlobId& root,
                                        std::string_view path) {
  TreeCursor cursor(source, root);
  CB_TRY(cursor.seek(path));
  if (cursor.at_end() || cursor.entry().path != path) return std::nullopt;
  return cursor.take();
}

namespace {

class Comparison {
 public:
  using Visit = std::function<Status(const Difference&)>;
  Comparison(TreeCursor before, TreeCursor after, const Visit& visit)
      : before_(std::move(before)), after_(std::move(after)), visit_(visit) {}

  Status run() {
    while (!before_.at_end() || !after_.at_end()) CB_TRY(step());
    return {};
  }

 private:
  Status step() {
    if (before_.at_end() || after_.at_end()) return rest();
    if (before_.on_entry() && after_.on_entry()) return compare_entries();
    if (skip_equal()) return {};
    return open_deeper();
  }

  // One side is done: all of the other is added or removed.
  Status rest() {
    TreeCursor& cursor = before_.at_end() ? after_ : before_;
    if (!cursor.on_entry()) return cursor.descend();
    return &cursor == &after_ ? added() : removed();
  }

  Status compare_entries() {
    const int order = compare_paths(before_.entry().path, after_.entry().path);
    if (order < 0) return removed();
    if (order > 0) return added();
    if (before_.entry() != after_.entry()) return visit_({before_.take(), after_.take()});
    before_.skip();
    after_.skip();
    return {};
  }

  Status added() { return visit_({std::nullopt, after_.take()}); }
  Status removed() { return visit_({before_.take(), std::nullopt}); }

  // The same node is next on both sides, opened on at most one of them: goes past it.
  bool skip_equal() {
    if (!before_.on_entry() && !after_.on_entry() && before_.subtree() == after_.subtree()) {
      before_.skip();
      after_.skip();
      return true;
    }
    if (!before_.on_entry() && after_.leave(before_.subtree())) {
      before_.skip();
      return true;
    }
    if (after_.on_entry() || !before_.leave(after_.subtree())) return false;
    after_.skip();
    return true;
  }

  // The higher of two subtrees is opened, or both.
  Status open_deeper() {
    const int before = before_.on_entry() ? -1 : before_.level();
    const int after = after_.on_entry() ? -1 : after_.level();
    if (before >= after) CB_TRY(before_.descend());
    if (after >= before) CB_TRY(after_.descend());
    return {};
  }

  TreeCursor before_;
  TreeCursor after_;
  const Visit& visit_;
};

}  // namespace

Status compare_trees(const NodeSource& source, const BlobId& before, const BlobId& after,
                     const std::function<Status(const Difference&)>& visit) {
  return Comparison(TreeCursor(source, before), TreeCursor(source, after), visit).run();
}

}  // namespace cb::repository
