// SPDX-License-Identifier: Apache-2.0
//
// See snapshot_change.h.
#include "core/repository/snapshot_change.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "core/repository/id_sample.h"

namespace cb::repository {
namespace {

using Nodes = std::set<BlobId>;  // a tree: who puts blobs chooses their ids

constexpr size_t kPlacesAtOnce = 1024;

// What a node names.
struct Below {
  std::vector<BlobId> nodes;
  std::vector<catalog::BlobPlace> content;
};

class TreeReader {
 public:
  TreeReader(catalog::Index& index, const TreePlace& place) : index_(index), place_(place) {}

  Result<Below> below(const BlobId& node) {
    if (place_.goes_on && !place_.goes_on())
      return failed(Code::cancelled, "snapshot", "is not looked at any more");
    const std::array<catalog::Bytes32, 1> id = {node.bytes};
    CB_ASSIGN(const auto links, index_.links(place_.repository, place_.view, id));
    if (!links.front())
      return failed(Code::not_found, "blob " + node.hex(), "is not there any more");
    return sort(links.front()->children);
  }

 private:
  Result<Below> sort(const Bytes& children) {
    Below below;
    std::vector<catalog::Bytes32> batch;
    const size_t many = children.size() / BlobId::kSize;
    for (size_t i = 0; i < many; ++i) {
      const auto from = children.begin() + static_cast<ptrdiff_t>(i * BlobId::kSize);
      std::copy_n(from, BlobId::kSize, batch.emplace_back().begin());
      if (batch.size() < kPlacesAtOnce && i + 1 < many) continue;
      CB_ASSIGN(auto places, index_.places(place_.repository, place_.view, batch));
      for (catalog::BlobPlace& place : places) take(place, below);
      batch.clear();
    }
    return below;
  }

  static void take(catalog::BlobPlace& place, Below& below) {
    if (place.kind == static_cast<uint8_t>(BlobKind::node))
      below.nodes.push_back(BlobId{place.id});
    else
      below.content.push_back(std::move(place));
  }

  catalog::Index& index_;
  const TreePlace& place_;
};

void count_below(const Below& below, TreeSize& size) {
  ++size.nodes;
  size.blobs += below.content.size();
  for (const catalog::BlobPlace& place : below.content) size.bytes += place.size;
}

// Of two sets, what each has alone.
void take_away_common(Nodes& one, Nodes& other) {
  Nodes common;
  std::set_intersection(one.begin(), one.end(), other.begin(), other.end(),
                        std::inserter(common, common.begin()));
  for (const BlobId& id : common) {
    one.erase(id);
    other.erase(id);
  }
}

// One side of a comparison: the nodes of a level, and all that were met.
struct Side {
  Nodes level, met;

  template <typename Meet>
  Status descend(TreeReader& reader, const Meet& meet) {
    Nodes next;
    for (const BlobId& node : level) {
      if (!met.insert(node).second) continue;
      CB_ASSIGN(const Below below, reader.below(node));
      meet(below);
      next.insert(below.nodes.begin(), below.nodes.end());
    }
    level = std::move(next);
    return {};
  }
};

Status sum_up(TreeReader& reader, const Nodes& nodes, TreeSize& size, IdSample& content) {
  for (const BlobId& node : nodes) {
    CB_ASSIGN(const Below below, reader.below(node));
    count_below(below, size);
    for (const catalog::BlobPlace& place : below.content) content.add(BlobId{place.id}, place.size);
  }
  return {};
}

}  // namespace

Result<TreeSize> measure_tree(catalog::Index& index, const TreePlace& place, const BlobId& root) {
  TreeReader reader(index, place);
  TreeSize size;
  Side side;
  side.level.insert(root);
  while (!side.level.empty())
    CB_TRY(side.descend(reader, [&](const Below& below) { count_below(below, size); }));
  return size;
}

Result<TreeChange> compare_trees(catalog::Index& index, const TreePlace& place,
                                 const BlobId& before, const BlobId& after, uint64_t secret) {
  TreeReader reader(index, place);
  const auto pass_by = [](const Below&) {};
  Side earlier, later;
  earlier.level.insert(before);
  later.level.insert(after);
  while (!earlier.level.empty() || !later.level.empty()) {
    take_away_common(earlier.level, later.level);
    CB_TRY(earlier.descend(reader, pass_by));
    CB_TRY(later.descend(reader, pass_by));
  }
  // Nodes that both have on other levels.
  take_away_common(earlier.met, later.met);
  TreeChange change;
  IdSample gone(secret), fresh(secret);
  CB_TRY(sum_up(reader, earlier.met, change.less, gone));
  CB_TRY(sum_up(reader, later.met, change.more, fresh));
  const IdSample::Difference apart = difference_of(gone, fresh);
  change.gone_blobs = apart.first.blobs;
  change.gone_bytes = apart.first.bytes;
  change.new_blobs = apart.second.blobs;
  change.new_bytes = apart.second.bytes;
  return change;
}

}  // namespace cb::repository
