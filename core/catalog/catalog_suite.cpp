// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises, as tests.
#include "core/catalog/catalog_suite.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

namespace cb::catalog {

LegacyClient make_client(const std::string& name, uint8_t number) {
  LegacyClient client;
  client.id.bytes.fill(std::byte{0xa5});
  client.id.bytes.back() = std::byte{number};
  client.name = name;
  client.created_ns = 1'700'000'000'000'000'000;
  client.last_seen_ns = client.created_ns;
  client.last_address = "127.0.0.1";
  return client;
}

LegacyVersion make_version(const LegacyClient& client, const std::string& file, uint64_t sequence) {
  LegacyVersion version;
  version.client = client.id;
  version.file_name = file;
  version.size = 1'000;
  version.cksum = 0xfedcba98;
  version.snapshot.fill(static_cast<std::byte>(sequence));
  version.sequence = sequence;
  version.stored_size = 600;
  version.created_ns = 1'700'000'000'000'000'001;
  return version;
}

void CatalogSuite::SetUp() {
  subject_ = GetParam().make();
  reopen();
}

void CatalogSuite::reopen() {
  catalog_.reset();
  catalog_ = second();
}

std::unique_ptr<Catalog> CatalogSuite::second() {
  auto opened = subject_->open();
  if (!opened) {
    ADD_FAILURE() << opened.error().text();
    return nullptr;
  }
  return std::move(*opened);
}

namespace {

std::string random_name(std::mt19937& random) {
  std::uniform_int_distribution<int> byte(0, 255);
  std::uniform_int_distribution<size_t> size(1, 255);
  std::string name(size(random), '\0');
  for (char& c : name) c = static_cast<char>(byte(random));
  return name;
}

TEST_P(CatalogSuite, a_client_comes_back_as_it_was_put_in_after_a_restart) {
  LegacyClient client = make_client("alice", 1);
  client.public_key = Bytes(162, std::byte{7});
  client.oaep = OaepHash::sha1;
  client.oaep_proven = true;
  client.last_seen_ns = 1'800'000'000'000'000'000;
  client.last_address = "[2001:db8::1]:4711";
  ASSERT_TRUE(catalog_->add_client(client));
  reopen();
  const auto found = catalog_->client_by_id(client.id);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->id, client.id);
  EXPECT_EQ((*found)->name, client.name);
  EXPECT_EQ((*found)->public_key, client.public_key);
  EXPECT_EQ((*found)->oaep, OaepHash::sha1);
  EXPECT_TRUE((*found)->oaep_proven);
  EXPECT_EQ((*found)->created_ns, client.created_ns);
  EXPECT_EQ((*found)->last_seen_ns, client.last_seen_ns);
  EXPECT_EQ((*found)->last_address, client.last_address);
}

TEST_P(CatalogSuite, a_taken_name_or_id_is_exists_and_changes_nothing) {
  ASSERT_TRUE(catalog_->add_client(make_client("alice", 1)));
  const auto same_name = catalog_->add_client(make_client("alice", 2));
  ASSERT_FALSE(same_name);
  EXPECT_EQ(same_name.error().code, Code::exists);
  const auto same_id = catalog_->add_client(make_client("bob", 1));
  ASSERT_FALSE(same_id);
  EXPECT_EQ(same_id.error().code, Code::exists);
  const auto all = catalog_->clients();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(all->front().name, "alice");
}

TEST_P(CatalogSuite, an_unknown_client_is_nothing_to_find_and_not_found_to_change) {
  const LegacyClient stranger = make_client("nobody", 9);
  const auto by_id = catalog_->client_by_id(stranger.id);
  ASSERT_TRUE(by_id);
  EXPECT_FALSE(by_id->has_value());
  const auto by_name = catalog_->client_by_name("nobody");
  ASSERT_TRUE(by_name);
  EXPECT_FALSE(by_name->has_value());
  const auto key = catalog_->set_public_key(stranger.id, as_bytes("key"));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Code::not_found);
  const auto oaep = catalog_->set_oaep(stranger.id, OaepHash::sha1, true);
  ASSERT_FALSE(oaep);
  EXPECT_EQ(oaep.error().code, Code::not_found);
  const auto touched = catalog_->touch(stranger.id, 1, "x");
  ASSERT_FALSE(touched);
  EXPECT_EQ(touched.error().code, Code::not_found);
  const auto version = catalog_->add_version(make_version(stranger, "f", 1));
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, Code::not_found);
  EXPECT_TRUE(catalog_->versions(stranger.id)->empty());
}

TEST_P(CatalogSuite, changes_reach_one_client_only_and_last) {
  const LegacyClient alice = make_client("alice", 1);
  const LegacyClient bob = make_client("bob", 2);
  ASSERT_TRUE(catalog_->add_client(alice));
  ASSERT_TRUE(catalog_->add_client(bob));
  ASSERT_TRUE(catalog_->set_public_key(alice.id, as_bytes("alice's key")));
  ASSERT_TRUE(catalog_->set_oaep(alice.id, OaepHash::sha256, true));
  ASSERT_TRUE(catalog_->touch(alice.id, 42, "192.0.2.1"));
  reopen();
  const auto a = catalog_->client_by_name("alice");
  ASSERT_TRUE(a && *a);
  EXPECT_EQ(as_text((*a)->public_key), "alice's key");
  EXPECT_EQ((*a)->oaep, OaepHash::sha256);
  EXPECT_TRUE((*a)->oaep_proven);
  EXPECT_EQ((*a)->last_seen_ns, 42);
  EXPECT_EQ((*a)->last_address, "192.0.2.1");
  const auto b = catalog_->client_by_name("bob");
  ASSERT_TRUE(b && *b);
  EXPECT_TRUE((*b)->public_key.empty());
  EXPECT_EQ((*b)->oaep, OaepHash::unknown);
  EXPECT_EQ((*b)->last_address, bob.last_address);
}

TEST_P(CatalogSuite, versions_count_from_one_for_each_file_of_each_client) {
  const LegacyClient alice = make_client("alice", 1);
  const LegacyClient bob = make_client("bob", 2);
  ASSERT_TRUE(catalog_->add_client(alice));
  ASSERT_TRUE(catalog_->add_client(bob));
  EXPECT_EQ(catalog_->add_version(make_version(alice, "b.txt", 1)).value_or(0), 1u);
  EXPECT_EQ(catalog_->add_version(make_version(alice, "b.txt", 2)).value_or(0), 2u);
  EXPECT_EQ(catalog_->add_version(make_version(alice, "a.txt", 3)).value_or(0), 1u);
  EXPECT_EQ(catalog_->add_version(make_version(bob, "b.txt", 4)).value_or(0), 1u);
  reopen();
  EXPECT_EQ(catalog_->add_version(make_version(alice, "b.txt", 5)).value_or(0), 3u);
  const auto versions = catalog_->versions(alice.id);
  ASSERT_TRUE(versions);
  std::string order;
  for (const auto& v : *versions)
    order += v.file_name + std::to_string(v.version) + "@" + std::to_string(v.sequence) + " ";
  EXPECT_EQ(order, "a.txt1@3 b.txt1@1 b.txt2@2 b.txt3@5 ");
}

TEST_P(CatalogSuite, a_version_comes_back_as_it_was_put_in) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  LegacyVersion version = make_version(alice, "big", 1ull << 40);
  version.size = 16ull << 30;
  version.stored_size = (16ull << 30) + 12'345;
  version.cksum = 0xffffffff;
  ASSERT_TRUE(catalog_->add_version(version));
  reopen();
  const auto versions = catalog_->versions(alice.id);
  ASSERT_TRUE(versions);
  ASSERT_EQ(versions->size(), 1u);
  const LegacyVersion& got = versions->front();
  EXPECT_EQ(got.client, alice.id);
  EXPECT_EQ(got.file_name, "big");
  EXPECT_EQ(got.version, 1u);
  EXPECT_EQ(got.size, version.size);
  EXPECT_EQ(got.cksum, version.cksum);
  EXPECT_EQ(got.snapshot, version.snapshot);
  EXPECT_EQ(got.sequence, 1ull << 40);
  EXPECT_EQ(got.stored_size, version.stored_size);
  EXPECT_EQ(got.created_ns, version.created_ns);
}

TEST_P(CatalogSuite, a_commit_belongs_to_one_version_only) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  ASSERT_TRUE(catalog_->add_version(make_version(alice, "a", 7)));
  const auto again = catalog_->add_version(make_version(alice, "b", 7));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::exists);
  EXPECT_EQ(catalog_->versions(alice.id)->size(), 1u);
  EXPECT_EQ(catalog_->add_version(make_version(alice, "b", 8)).value_or(0), 1u);
}

TEST_P(CatalogSuite, names_hold_any_bytes_and_differ_in_any_byte) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (uint8_t i = 0; i < 60; ++i) {
    LegacyClient client = make_client(random_name(random) + static_cast<char>(i), i);
    ASSERT_TRUE(catalog_->add_client(client));
    const std::string file = random_name(random);
    ASSERT_TRUE(catalog_->add_version(make_version(client, file, 1)));
    const auto found = catalog_->client_by_name(client.name);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->id, client.id);
    const auto versions = catalog_->versions(client.id);
    ASSERT_TRUE(versions);
    ASSERT_EQ(versions->size(), 1u);
    EXPECT_EQ(versions->front().file_name, file);
  }
  using namespace std::string_literals;
  ASSERT_TRUE(catalog_->add_client(make_client("nul\0a"s, 100)));
  ASSERT_TRUE(catalog_->add_client(make_client("nul\0b"s, 101)));
  ASSERT_TRUE(catalog_->add_client(make_client("nul"s, 102)));
  ASSERT_TRUE(catalog_->add_client(make_client("\xff\xfe"s, 103)));
  ASSERT_TRUE(catalog_->add_client(make_client("Nul"s, 104)));
}

TEST_P(CatalogSuite, clients_come_by_name_in_byte_order) {
  for (const auto& [name, number] :
       {std::pair{"b", 1}, std::pair{"\xff", 2}, std::pair{"B", 3}, std::pair{"a", 4}})
    ASSERT_TRUE(catalog_->add_client(make_client(name, static_cast<uint8_t>(number))));
  const auto clients = catalog_->clients();
  ASSERT_TRUE(clients);
  std::string order;
  for (const auto& client : *clients) order += client.name;
  EXPECT_EQ(order, "Bab\xff");
}

TEST_P(CatalogSuite, the_newest_version_is_that_of_the_last_commit) {
  const LegacyClient alice = make_client("alice", 1);
  const LegacyClient bob = make_client("bob", 2);
  ASSERT_TRUE(catalog_->add_client(alice));
  ASSERT_TRUE(catalog_->add_client(bob));
  EXPECT_FALSE(*catalog_->newest_version(alice.id));
  ASSERT_TRUE(catalog_->add_version(make_version(alice, "z", 1)));
  ASSERT_TRUE(catalog_->add_version(make_version(alice, "b", 9)));
  ASSERT_TRUE(catalog_->add_version(make_version(alice, "a", 5)));
  ASSERT_TRUE(catalog_->add_version(make_version(bob, "a", 12)));
  const auto newest = catalog_->newest_version(alice.id);
  ASSERT_TRUE(newest && *newest);
  EXPECT_EQ((*newest)->file_name, "b");
  EXPECT_EQ((*newest)->sequence, 9u);
}

TEST_P(CatalogSuite, a_client_has_one_repository) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  EXPECT_FALSE(*catalog_->legacy_repository(alice.id));
  const LegacyRepository first{to_bytes(as_bytes("record")), to_bytes(as_bytes("slot"))};
  ASSERT_TRUE(catalog_->add_legacy_repository(alice.id, first));
  EXPECT_EQ(catalog_->add_legacy_repository(alice.id, {}).error().code, Code::exists);
  EXPECT_EQ(catalog_->add_legacy_repository(make_client("bob", 2).id, first).error().code,
            Code::not_found);
  reopen();
  const auto found = catalog_->legacy_repository(alice.id);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(as_text((*found)->record), "record");
  EXPECT_EQ(as_text((*found)->slot), "slot");
}

TEST_P(CatalogSuite, totals_cover_every_version) {
  EXPECT_EQ(catalog_->totals()->versions, 0u);
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  ASSERT_TRUE(catalog_->add_client(make_client("bob", 2)));
  for (const uint64_t sequence : {3, 1, 2})
    ASSERT_TRUE(catalog_->add_version(make_version(alice, "f", sequence)));
  const auto totals = catalog_->totals();
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->clients, 2u);
  EXPECT_EQ(totals->versions, 3u);
  EXPECT_EQ(totals->plain_bytes, 3'000u);
  EXPECT_EQ(totals->stored_bytes, 1'800u);
}

TEST_P(CatalogSuite, concurrent_writers_through_several_handles_lose_nothing) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  const auto other = second();
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      Catalog& mine = t % 2 == 0 ? *catalog_ : *other;
      for (int i = 0; i < kEach; ++i) {
        const auto sequence = static_cast<uint64_t>(1 + t * kEach + i);
        if (!mine.add_version(make_version(alice, "same", sequence))) ++failures;
        if (!mine.touch(alice.id, i, "x")) ++failures;
        if (!mine.client_by_name("alice")) ++failures;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  const auto versions = catalog_->versions(alice.id);
  ASSERT_TRUE(versions);
  ASSERT_EQ(versions->size(), static_cast<size_t>(kThreads * kEach));
  for (size_t i = 0; i < versions->size(); ++i) EXPECT_EQ((*versions)[i].version, i + 1);
}

TEST_P(CatalogSuite, one_handle_sees_what_another_one_wrote) {
  const auto other = second();
  ASSERT_TRUE(catalog_->clients()->empty());
  ASSERT_TRUE(other->add_client(make_client("alice", 1)));
  EXPECT_EQ(catalog_->clients()->size(), 1u);
}

}  // namespace
}  // namespace cb::catalog
