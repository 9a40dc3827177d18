// SPDX-License-Identifier: Apache-2.0
//
// Big files that change a little: what is stored of them, and that it is right.
#include <gtest/gtest.h>

#include <random>

#include "core/catalog/hook_index.h"
#include "core/client/backup_fixture.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::BlobKind;

constexpr size_t kPage = 4096;
constexpr size_t kMiB = 1024 * 1024;

class FineGrainTest : public BackupFixture {
 protected:
  FineGrainTest() : BackupFixture(repository::Cutting{}), random_numbers_(11) {}

  size_t draw(size_t end) { return random_numbers_() % end; }

  void change_pages(Bytes& file, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const Bytes page = random_bytes(kPage, random_numbers_());
      const size_t at = draw(file.size() / kPage) * kPage;
      std::copy(page.begin(), page.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

  void insert(Bytes& file, size_t size) {
    const Bytes more = random_bytes(size, random_numbers_());
    file.insert(file.begin() + static_cast<std::ptrdiff_t>(draw(file.size())), more.begin(),
                more.end());
  }

  // Backs up, and looks whether the snapshot is what is on the disk. Returns what was stored.
  uint64_t store() {
    const BackupResult result = backup();
    expect_equal(result);
    return repository_.put_bytes;
  }

  void lose_cache() { std::filesystem::remove_all(folder_ / "cache"); }

  // Blobs that the file's bytes lie in.
  std::set<BlobId> blobs_of(const BackupResult& result, const std::string& name) {
    std::set<BlobId> blobs;
    repository::must(repository::for_each_extent(entry(result, name), nodes(),
                                                 [&](const repository::Extent& extent) -> Status {
                                                   if (!extent.hole) blobs.insert(extent.blob);
                                                   return {};
                                                 }));
    return blobs;
  }

  // Damages the patches of the second backup of the image: of the blobs that the first did not have
  // those that are smaller than any piece.
  std::vector<BlobId> lose_patches(const BackupResult& first, const BackupResult& second) {
    const std::set<BlobId> before = blobs_of(first, "image");
    repository_.wanted.clear();
    for (const BlobId& id : blobs_of(second, "image"))
      if (!before.contains(id) && repository_.blobs.at(id).stored.size() < kMiB / 2)
        repository_.wanted.push_back(id);
    EXPECT_FALSE(repository_.wanted.empty());
    for (const BlobId& id : repository_.wanted) repository_.blobs.erase(id);
    return repository_.wanted;
  }
  size_t count_there(const std::vector<BlobId>& ids) {
    size_t count = 0;
    for (const BlobId& id : ids) count += repository_.blobs.count(id);
    return count;
  }

  std::mt19937 random_numbers_;
};

TEST_F(FineGrainTest, a_changed_page_costs_a_page) {
  Bytes image = random_bytes(16 * kMiB, 1);
  write("image", image);
  store();
  change_pages(image, 40);
  write("image", image);
  EXPECT_LT(store(), 40 * kPage * 3 / 2 + 128 * 1024);
}

TEST_F(FineGrainTest, an_insertion_costs_little_wherever_it_is) {
  Bytes file = random_bytes(16 * kMiB, 2);
  write("file", file);
  store();
  for (size_t i = 0; i < 16; ++i) insert(file, 100);
  write("file", file);
  // Some KiB each; up to what lies between two anchors where two fall together.
  EXPECT_LT(store(), size_t{16} * 48 * 1024);
}

TEST_F(FineGrainTest, nearly_equal_files_are_stored_once_in_one_backup) {
  const Bytes base = random_bytes(32 * kMiB, 3);
  for (size_t i = 0; i < 3; ++i) {
    Bytes copy = base;
    for (size_t edit = 0; edit < 20 * i; ++edit) insert(copy, 100);
    write("copy" + std::to_string(i), copy);
  }
  EXPECT_LT(store(), base.size() * 5 / 4);
}

TEST_F(FineGrainTest, signatures_take_less_than_a_two_hundredth) {
  const size_t size = 16 * kMiB;
  write("file", random_bytes(size, 4));
  EXPECT_LT(store(), size + size / 200);
}

TEST_F(FineGrainTest, it_works_after_the_cache_was_lost) {
  Bytes image = random_bytes(16 * kMiB, 5);
  write("image", image);
  store();
  change_pages(image, 40);
  insert(image, 100);
  write("image", image);
  store();
  lose_cache();
  EXPECT_LT(store(), 16u * 1024) << "nothing had changed";
  lose_cache();
  change_pages(image, 10);
  write("image", image);
  EXPECT_LT(store(), 128u * 1024 + 10 * 3 * kPage);
}

TEST_F(FineGrainTest, another_device_s_signatures_are_not_believed) {
  Bytes image = random_bytes(8 * kMiB, 6);
  write("image", image);
  store();
  device_ = repository::must(identity::SigningKey::make(os::system_random()));
  lose_cache();
  for (size_t at = 0; at < image.size(); at += 256 * 1024) image[at] ^= std::byte{1};
  write("image", image);
  EXPECT_GT(store(), image.size() * 3 / 4);
}

TEST_F(FineGrainTest, what_is_gone_is_leant_on_no_more) {
  Bytes image = random_bytes(8 * kMiB, 7);
  write("image", image);
  const BackupResult first = backup();
  const auto blobs = blobs_of(first, "image");
  ASSERT_GT(blobs.size(), 2u);
  const BlobId gone = *blobs.begin();
  repository_.blobs.erase(gone);
  for (size_t at = 0; at < image.size(); at += 256 * 1024) image[at] ^= std::byte{1};
  write("image", image);
  const BackupResult second = backup();
  expect_equal(second);
  EXPECT_FALSE(blobs_of(second, "image").contains(gone));
  // And the next one need not find out again.
  const int before = connections_;
  image[5] ^= std::byte{1};
  write("image", image);
  store();
  EXPECT_EQ(connections_, before + 1);
}

TEST_F(FineGrainTest, equal_changes_in_several_files_are_stored_once) {
  Bytes image = random_bytes(4 * kMiB, 8);
  write("a", image);
  store();
  change_pages(image, 10);
  for (const char* name : {"a", "b", "c", "d"}) write(name, image);
  EXPECT_LT(store(), 10 * kPage * 3 / 2 + 128 * 1024);
}

TEST_F(FineGrainTest, a_file_lies_in_few_blobs_however_often_it_changes) {
  Bytes image = random_bytes(3 * kMiB, 9);
  BackupResult result;
  for (size_t generation = 0; generation < 30; ++generation) {
    write("image", image);
    result = backup();
    change_pages(image, 8);
    if (generation % 3 == 0) insert(image, draw(5000) + 1);
  }
  write("image", image);
  result = backup();
  expect_equal(result);
  // Pieces have 1 MiB or so; each may lie in 8 and the newest patch.
  EXPECT_LE(blobs_of(result, "image").size(), 6u * 9);
}

TEST_F(FineGrainTest, any_changes_come_back_as_they_were) {
  std::vector<Bytes> files;
  for (size_t i = 0; i < 3; ++i) files.push_back(random_bytes(2 * kMiB + i * 1000, 20 + i));
  for (size_t generation = 0; generation < 12; ++generation) {
    for (size_t i = 0; i < files.size(); ++i) {
      Bytes& file = files[i];
      change_pages(file, draw(20));
      for (size_t k = draw(4); k > 0; --k) insert(file, draw(20'000) + 1);
      const size_t from = draw(file.size());
      file.erase(
          file.begin() + static_cast<std::ptrdiff_t>(from),
          file.begin() + static_cast<std::ptrdiff_t>(std::min(file.size(), from + draw(9000))));
      if (draw(6) == 0) std::fill_n(file.begin() + 4096, 200'000, std::byte{0});
      write("file" + std::to_string(i), file);
    }
    if (generation % 5 == 4) lose_cache();
    store();
  }
}

TEST_F(FineGrainTest, a_broken_connection_costs_nothing_but_time) {
  Bytes image = random_bytes(8 * kMiB, 10);
  write("image", image);
  store();
  change_pages(image, 300);
  write("image", image);
  write("fresh", random_bytes(4 * kMiB, 12));
  int connection = 0;
  connect_ = [&] {
    return std::make_shared<MemoryRemote>(repository_, ++connection < 4 ? 5 : UINT64_MAX);
  };
  store();
  EXPECT_GT(connection, 3);
}

TEST_F(FineGrainTest, what_an_interrupted_run_sent_is_used_and_known_afterwards) {
  Bytes image = random_bytes(24 * kMiB, 15);
  write("image", image);
  write("other", random_bytes(kMiB, 16));
  int connection = 0;
  connect_ = [&]() -> Result<std::shared_ptr<repository::Remote>> {
    if (++connection > 1) return failed(Code::denied, "server", "is away for good");
    return std::make_shared<MemoryRemote>(repository_, 20);
  };
  EXPECT_FALSE(try_backup(request()));
  connect_ = [this] { return std::make_shared<MemoryRemote>(repository_); };
  store();
  change_pages(image, 60);
  write("image", image);
  EXPECT_LT(store(), 60 * kPage * 3 / 2 + 128 * 1024);
}

TEST_F(FineGrainTest, an_index_stays_doubtful_until_somebody_looked_into_it) {
  write("image", random_bytes(24 * kMiB, 22));
  const auto is_settled = [this] {
    for (const auto& file : std::filesystem::directory_iterator(folder_ / "cache"))
      if (file.path().extension() == ".signatures")
        return repository::must(catalog::HookIndex::open(file.path().string()))->was_settled();
    throw std::runtime_error("there is no index");
  };
  int connection = 0;
  connect_ = [&]() -> Result<std::shared_ptr<repository::Remote>> {
    if (++connection > 1) return failed(Code::denied, "server", "is away for good");
    return std::make_shared<MemoryRemote>(repository_, 20);
  };
  EXPECT_FALSE(try_backup(request()));
  connect_ = [this] { return std::make_shared<MemoryRemote>(repository_); };
  const auto aside = folder_ / "aside";
  std::filesystem::rename(source_ / "image", aside);
  write("small", random_bytes(1000, 23));
  store();
  EXPECT_FALSE(is_settled());
  std::filesystem::rename(aside, source_ / "image");
  store();
  EXPECT_TRUE(is_settled());
}

TEST_F(FineGrainTest, patches_of_a_broken_connection_are_not_sent_again) {
  Bytes image = random_bytes(24 * kMiB, 17);
  write("image", image);
  store();
  change_pages(image, 700);
  write("image", image);
  int connection = 0;
  connect_ = [&] {
    return std::make_shared<MemoryRemote>(repository_, ++connection == 1 ? 5 : UINT64_MAX, 1);
  };
  EXPECT_LT(store(), 700 * kPage * 3 / 2);
  EXPECT_EQ(connection, 2);
}

TEST_F(FineGrainTest, a_damaged_blob_is_sent_again_as_it_was) {
  const Bytes image = random_bytes(8 * kMiB, 18);
  Bytes nearly = image;
  for (size_t at = 0; at < nearly.size(); at += 512 * 1024) nearly[at] ^= std::byte{1};
  write("a", image);
  const BackupResult first = backup();
  write("b", nearly);
  store();
  const BlobId damaged = *blobs_of(first, "a").begin();
  repository_.blobs.erase(damaged);
  repository_.wanted = {damaged};
  store();
  EXPECT_TRUE(repository_.blobs.contains(damaged));
}

TEST_F(FineGrainTest, a_damaged_patch_is_made_again_of_the_files_that_lean_on_it) {
  Bytes image = random_bytes(8 * kMiB, 24);
  write("image", image);
  write("other", random_bytes(kMiB, 25));
  const BackupResult first = backup();
  change_pages(image, 40);
  write("image", image);
  const BackupResult second = backup();
  const std::vector<BlobId> patches = lose_patches(first, second);
  const BackupResult third = backup();
  EXPECT_EQ(count_there(patches), patches.size());
  EXPECT_FALSE(reads_.contains((source_ / "other").string()));
  expect_equal(third);
  expect_equal(second);
}

TEST_F(FineGrainTest, a_damaged_patch_is_made_again_without_a_cache_too) {
  Bytes image = random_bytes(8 * kMiB, 28);
  write("image", image);
  const BackupResult first = backup();
  change_pages(image, 40);
  write("image", image);
  const BackupResult second = backup();
  const std::vector<BlobId> patches = lose_patches(first, second);
  lose_cache();
  expect_equal(backup());
  EXPECT_EQ(count_there(patches), patches.size());
  expect_equal(second);
}

TEST_F(FineGrainTest, a_damaged_patch_whose_file_changed_stays_away) {
  Bytes image = random_bytes(8 * kMiB, 26);
  write("image", image);
  const BackupResult first = backup();
  for (size_t at = 0; at < image.size(); at += 64 * kPage) image[at] ^= std::byte{1};
  write("image", image);
  const BackupResult second = backup();
  const std::vector<BlobId> patches = lose_patches(first, second);
  image[0] ^= std::byte{2};
  write("image", image);
  expect_equal(backup());
  EXPECT_LT(count_there(patches), patches.size());
}

TEST_F(FineGrainTest, one_damaged_signature_takes_no_other_away) {
  Bytes image = random_bytes(16 * kMiB, 27);
  write("image", image);
  store();
  lose_cache();
  for (const auto& [id, blob] : repository_.blobs) {
    if (blob.head.kind != BlobKind::signature) continue;
    repository_.damaged = {id};
    break;
  }
  ASSERT_FALSE(repository_.damaged.empty());
  change_pages(image, 40);
  write("image", image);
  // But for the piece that it described, 8 MiB at most.
  EXPECT_LT(store(), 9 * kMiB);
}

TEST_F(FineGrainTest, an_index_that_names_what_is_gone_costs_one_pass_more_and_no_reading) {
  Bytes image = random_bytes(4 * kMiB, 19);
  write("image", image);
  write("other", random_bytes(2 * kMiB, 20));
  const BackupResult first = backup();
  const Bytes old = image;
  image = random_bytes(4 * kMiB, 21);
  write("image", image);
  store();
  for (const BlobId& id : blobs_of(first, "image")) repository_.blobs.erase(id);
  image = old;
  for (size_t at = 0; at < image.size(); at += 256 * 1024) image[at] ^= std::byte{1};
  write("image", image);
  const int before = connections_;
  store();
  EXPECT_EQ(connections_, before + 2);
  EXPECT_FALSE(reads_.contains((source_ / "other").string()));
}

TEST_F(FineGrainTest, a_damaged_index_is_made_anew) {
  Bytes image = random_bytes(8 * kMiB, 13);
  write("image", image);
  store();
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "cache"))
    if (file.path().extension() == ".signatures")
      std::ofstream(file.path(), std::ios::trunc) << "this is no table of anything at all";
  change_pages(image, 10);
  write("image", image);
  EXPECT_LT(store(), 10 * kPage * 3 / 2 + 128 * 1024);
}

TEST_F(FineGrainTest, holes_stay_holes) {
  const auto path = source_ / "sparse";
  Bytes data = random_bytes(3 * kMiB, 14);
  const auto lay = [&] {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    for (const size_t at : {size_t{0}, 16 * kMiB}) {
      file.seekp(static_cast<std::streamoff>(at));
      file.write(reinterpret_cast<const char*>(data.data()),
                 static_cast<std::streamsize>(data.size()));
    }
  };
  lay();
  store();
  change_pages(data, 5);
  lay();
  EXPECT_LT(store(), 2 * 5 * kPage * 3 / 2 + 128 * 1024);
}

}  // namespace
}  // namespace cb::client
