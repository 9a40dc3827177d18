// SPDX-License-Identifier: Apache-2.0
//
// Restores, and packs read from their first byte to their last.
#include <gtest/gtest.h>

#include "core/repository/engine_fixture.h"
#include "core/repository/pack_scanner.h"
#include "core/repository/tree.h"
#include "tests/year/year_look.h"

namespace cb::year {

using repository::BlobId;
using repository::BlobKind;
using repository::must;
using repository::StoredBlob;

namespace {

// Snapshots of one source, restored as by its own device.
class Restore {
 public:
  Restore(Course& course, const Snapshot& snapshot)
      : course_(course),
        snapshot_(snapshot),
        source_(course.source(snapshot.source)),
        repository_(course.repository(source_.account)) {}

  void run() {
    ASSERT_EQ(opened(snapshot_.id), Bytes(120, std::byte{1}));
    repository::TreeWalker walker(nodes(), snapshot_.root);
    Files found;
    while (auto entry = must(walker.next())) take(*entry, found);
    ASSERT_EQ(found.size(), snapshot_.files.size());
    fetch();
    for (const auto& [path, pieces] : snapshot_.files) {
      ASSERT_TRUE(contents_.contains(path)) << path;
      Bytes expected;
      for (const uint64_t piece : pieces) {
        const Bytes content = content_of(piece);
        expected.insert(expected.end(), content.begin(), content.end());
      }
      ASSERT_TRUE(content_at(path) == expected) << path;
    }
  }

 private:
  repository::NodeSource nodes() {
    return [this](const BlobId& id) -> Result<repository::Node> {
      const StoredBlob blob = read_one(id);
      return repository::decode_node(unsealed(blob), blob.head.children);
    };
  }
  void take(const repository::Entry& entry, Files& found) {
    found[entry.path];
    must(repository::for_each_extent(entry, nodes(), [&](const repository::Extent& extent) {
      contents_[entry.path].push_back(extent);
      wanted_.insert(extent.blob);
      return Status();
    }));
  }
  void fetch() {
    const std::vector<BlobId> ids(wanted_.begin(), wanted_.end());
    data_ = must(read_all(course_.house().engine(), repository_, ids, source_.device));
  }
  Bytes content_at(const std::string& path) {
    Bytes content;
    for (const repository::Extent& extent : contents_[path]) {
      const Bytes plain = unsealed(data_.at(extent.blob));
      const auto from = plain.begin() + static_cast<ptrdiff_t>(extent.offset);
      content.insert(content.end(), from, from + static_cast<ptrdiff_t>(extent.length));
    }
    return content;
  }

  StoredBlob read_one(const BlobId& id) {
    const std::array<BlobId, 1> ids = {id};
    return must(read_all(course_.house().engine(), repository_, ids, source_.device)).at(id);
  }
  Bytes opened(const BlobId& id) { return unsealed(read_one(id)); }
  // Only with the record of its session at hand.
  Bytes unsealed(const StoredBlob& blob) {
    const BlobId record = repository::blob_of(blob.head.session);
    if (sessions_.insert(record).second) read_one(record);
    Bytes plain = blob.stored;
    mask(blob.head.session, plain);
    return plain;
  }

  Course& course_;
  const Snapshot& snapshot_;
  const Source& source_;
  const repository::RepositoryId& repository_;
  std::map<std::string, std::vector<repository::Extent>> contents_;
  std::set<BlobId> wanted_, sessions_;
  std::map<BlobId, StoredBlob> data_;
};

// What the snapshots of an account need, by what the engine says lies below each blob.
std::set<BlobId> reached(Course& course, size_t account) {
  std::set<BlobId> seen;
  std::vector<BlobId> next;
  const auto reach = [&](const BlobId& id) {
    if (seen.insert(id).second) next.push_back(id);
  };
  for (const auto& info :
       must(course.house().engine().snapshots(course.repository(account), true))) {
    reach(info.commit.snapshot);
    reach(info.commit.root);
  }
  while (!next.empty()) {
    const std::vector<BlobId> ids = std::exchange(next, {});
    for (const auto& [id, blob] :
         must(read_all(course.house().engine(), course.repository(account), ids)))
      for (const BlobId& child : blob.head.children) reach(child);
  }
  return seen;
}

// What of an account is needed: blobs, and the records of the sessions that sealed them.
struct Needed {
  std::set<BlobId> blobs, records;
};

// A pack of the catalog, and what lies in its object.
struct HeldObject {
  std::set<BlobId> rows;  // that the catalog reads from here
  repository::PackFooter footer;
};

HeldObject object_of(Course& course, const repository::RepositoryId& repository,
                     const catalog::HeldPack& pack) {
  HeldObject held;
  for (const auto& row : must(course.house().catalog().collection().rows_in(pack.number)))
    held.rows.insert(BlobId{row.id});
  const auto name = repository::pack_object(repository, repository::PackName{pack.name});
  auto stored = must(repository::StoredPack::open(course.house().store(), name));
  held.footer = must(repository::read_footer(stored));
  return held;
}

// A record lives where its row is, while a living blob anywhere is of its session, and with each
// living blob in a pack, which has to open without any other.
void count(const HeldObject& object, const Needed& needed, PackBytesHeld& held) {
  const auto is_read = [&](const BlobId& id) {
    return object.rows.contains(id) && needed.blobs.contains(id);
  };
  std::set<BlobId> repeated;
  for (const auto& entry : object.footer.entries)
    if (is_read(entry.id)) repeated.insert(repository::blob_of(entry.session));
  for (const auto& entry : object.footer.entries) {
    const bool has_row = object.rows.contains(entry.id) && needed.records.contains(entry.id);
    const bool is_record = entry.kind == BlobKind::session;
    const bool lives = is_record ? has_row || repeated.contains(entry.id) : is_read(entry.id);
    held.all += entry.stored_size;
    held.dead += lives ? 0 : entry.stored_size;
    held.dead_records += lives || !is_record ? 0 : entry.stored_size;
  }
}

void look_at_account(Course& course, size_t account, PackBytesHeld& held) {
  const auto& repository = course.repository(account);
  const int64_t number =
      must(course.house().catalog().index().repository(repository.bytes))->number;
  Needed needed{reached(course, account), {}};
  std::vector<HeldObject> objects;
  for (const auto& pack : must(course.house().catalog().collection().packs(number, 0, 100'000)))
    objects.push_back(object_of(course, repository, pack));
  for (const HeldObject& object : objects)
    for (const auto& entry : object.footer.entries)
      if (object.rows.contains(entry.id) && needed.blobs.contains(entry.id))
        needed.records.insert(repository::blob_of(entry.session));
  for (const HeldObject& object : objects) count(object, needed, held);
}

}  // namespace

void look_at_contents(Course& course) {
  uint64_t restored = 0;
  for (const Snapshot& snapshot : course.snapshots()) {
    const auto& repository = course.repository(course.source(snapshot.source).account);
    const int64_t number =
        must(course.house().catalog().index().repository(repository.bytes))->number;
    if (!must(course.house().catalog().index().snapshot(number, snapshot.id.bytes))) continue;
    SCOPED_TRACE(course.source(snapshot.source).name() + ", snapshot " + snapshot.id.hex());
    Restore(course, snapshot).run();
    if (testing::Test::HasFatalFailure()) return;
    ++restored;
  }
  uint64_t held = 0;
  for (size_t account = 0; account < kAccounts; ++account)
    held += must(course.house().engine().snapshots(course.repository(account), true)).size();
  EXPECT_EQ(restored, held) << "there are snapshots that nobody made";
  EXPECT_GT(restored, kSources * 10);
}

PackBytesHeld look_at_packs(Course& course) {
  PackBytesHeld held;
  for (size_t account = 0; account < kAccounts; ++account) look_at_account(course, account, held);
  return held;
}

}  // namespace cb::year
