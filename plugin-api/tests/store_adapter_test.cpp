// SPDX-License-Identifier: Apache-2.0
//
// The store adapter around a class that counts what reaches it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cyberbackup/cpp/entry.hpp"
#include "cyberbackup/cpp/store.hpp"

namespace {

namespace sdk = cyberbackup::sdk;

struct Counting {
  struct Put {
    explicit Put(Counting& o) : owner(o) { ++owner.puts_alive; }
    ~Put() { --owner.puts_alive; }
    void write(std::span<const std::byte> data) {
      ++owner.calls;
      if (owner.write_fails) throw sdk::Failure(CB_E_NO_SPACE, "full");
      owner.bytes += data.size();
    }
    void commit() {
      ++owner.commits;
      if (owner.commit_fails) throw sdk::Failure(CB_E_EXISTS, "taken");
    }
    Counting& owner;
  };
  struct Get {
    size_t read(std::span<std::byte> into) {
      if (left == 0) return 0;
      into[0] = std::byte{9};
      --left;
      return 1;
    }
    int left = 1;
  };
  struct List {
    bool next(cb_object& out) {
      if (done) return false;
      sdk::set_object(out, "a/b", 12, 34);
      return done = true;
    }
    bool done = false;
  };

  void stat(std::string_view, cb_object& out) {
    ++calls;
    out.length = 5;
  }
  std::unique_ptr<Put> put_begin(std::string_view, uint64_t, uint32_t) {
    ++calls;
    return std::make_unique<Put>(*this);
  }
  std::unique_ptr<Get> get_open(std::string_view, uint64_t, uint64_t) {
    ++calls;
    return std::make_unique<Get>();
  }
  void remove(std::string_view) { ++calls; }
  std::unique_ptr<List> list_open(std::string_view, std::string_view) {
    ++calls;
    return std::make_unique<List>();
  }

  int calls = 0;
  int commits = 0;
  int puts_alive = 0;
  size_t bytes = 0;
  bool write_fails = false;
  bool commit_fails = false;
};

struct StoreAdapter : testing::Test {
  cb_put* begin() {
    cb_put* put = nullptr;
    EXPECT_EQ(ops.put_begin(instance, "a", 0, 0, &put, nullptr), CB_OK);
    return put;
  }

  Counting store;
  cb_instance* instance = reinterpret_cast<cb_instance*>(&store);
  const cb_store_ops& ops = sdk::store_ops<Counting>();
};

TEST_F(StoreAdapter, bad_names_do_not_reach_the_plugin) {
  const std::vector<std::string> bad = {"",
                                        "/a",
                                        "a/",
                                        "a//b",
                                        ".",
                                        "..",
                                        "a/../b",
                                        "a/.",
                                        "A",
                                        "a b",
                                        "a\\b",
                                        "\xC3\xA4",
                                        std::string(CB_STORE_NAME_MAX + 1, 'a')};
  for (const std::string& name : bad) {
    SCOPED_TRACE(name);
    cb_object object{};
    object.size = sizeof(object);
    cb_put* put = reinterpret_cast<cb_put*>(this);
    cb_get* get = reinterpret_cast<cb_get*>(this);
    EXPECT_EQ(ops.stat(instance, name.c_str(), &object, nullptr), CB_E_INVALID);
    EXPECT_EQ(ops.put_begin(instance, name.c_str(), 0, 0, &put, nullptr), CB_E_INVALID);
    EXPECT_EQ(ops.get_open(instance, name.c_str(), 0, 0, &get, nullptr), CB_E_INVALID);
    EXPECT_EQ(ops.remove(instance, name.c_str(), nullptr), CB_E_INVALID);
    EXPECT_EQ(put, nullptr);
    EXPECT_EQ(get, nullptr);
  }
  EXPECT_EQ(store.calls, 0);
}

TEST_F(StoreAdapter, good_names_do) {
  for (const std::string& name : {std::string("a"), std::string("..."), std::string("a/..b/-_.9"),
                                  std::string(CB_STORE_NAME_MAX, 'z')}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(ops.remove(instance, name.c_str(), nullptr), CB_OK);
  }
  EXPECT_EQ(store.calls, 4);
}

TEST_F(StoreAdapter, a_listing_takes_only_what_a_name_can_start_with) {
  for (const char* good : {"", "a", "a/", "a/b", "..", "a/."}) {
    cb_list* list = nullptr;
    EXPECT_EQ(ops.list_open(instance, good, "", &list, nullptr), CB_OK) << good;
    ops.list_close(list);
  }
  for (const char* bad : {"/", "a//", "../", "./", "A", "a/../b"}) {
    cb_list* list = nullptr;
    EXPECT_EQ(ops.list_open(instance, bad, "", &list, nullptr), CB_E_INVALID) << bad;
    EXPECT_EQ(ops.list_open(instance, "", bad, &list, nullptr), CB_E_INVALID) << bad;
    EXPECT_EQ(list, nullptr);
  }
}

TEST_F(StoreAdapter, commit_ends_the_put_whatever_it_returns) {
  cb_put* put = begin();
  EXPECT_EQ(ops.put_commit(put, nullptr), CB_OK);
  EXPECT_EQ(store.puts_alive, 0);
  store.commit_fails = true;
  put = begin();
  EXPECT_EQ(ops.put_commit(put, nullptr), CB_E_EXISTS);
  EXPECT_EQ(store.puts_alive, 0);
}

TEST_F(StoreAdapter, after_a_failed_write_nothing_is_committed) {
  cb_put* put = begin();
  store.write_fails = true;
  EXPECT_EQ(ops.put_write(put, "x", 1, nullptr), CB_E_NO_SPACE);
  store.write_fails = false;
  EXPECT_EQ(ops.put_write(put, "x", 1, nullptr), CB_E_STATE);
  EXPECT_EQ(ops.put_commit(put, nullptr), CB_E_STATE);
  EXPECT_EQ(store.commits, 0);
  EXPECT_EQ(store.puts_alive, 0);
}

TEST_F(StoreAdapter, an_object_has_a_largest_size) {
  cb_put* put = begin();
  EXPECT_EQ(ops.put_write(put, "x", 1, nullptr), CB_OK);
  EXPECT_EQ(ops.put_write(put, "x", CB_STORE_MAX_OBJECT, nullptr), CB_E_LIMIT);
  EXPECT_EQ(store.bytes, 1u);
  ops.put_abort(put);
  EXPECT_EQ(store.puts_alive, 0);
}

TEST_F(StoreAdapter, unknown_flags_are_refused) {
  cb_put* put = nullptr;
  EXPECT_EQ(ops.put_begin(instance, "a", 0, 2, &put, nullptr), CB_E_UNSUPPORTED);
  EXPECT_EQ(put, nullptr);
}

TEST_F(StoreAdapter, reading_and_listing_come_to_their_end) {
  cb_get* get = nullptr;
  ASSERT_EQ(ops.get_open(instance, "a", 0, 0, &get, nullptr), CB_OK);
  char byte = 0;
  size_t got = 99;
  EXPECT_EQ(ops.get_read(get, &byte, 0, &got, nullptr), CB_E_INVALID);
  EXPECT_EQ(ops.get_read(get, &byte, 1, &got, nullptr), CB_OK);
  EXPECT_EQ(got, 1u);
  EXPECT_EQ(ops.get_read(get, &byte, 1, &got, nullptr), CB_END);
  EXPECT_EQ(got, 0u);
  ops.get_close(get);

  cb_list* list = nullptr;
  ASSERT_EQ(ops.list_open(instance, "", "", &list, nullptr), CB_OK);
  cb_object object{};
  object.size = sizeof(object);
  EXPECT_EQ(ops.list_next(list, &object, nullptr), CB_OK);
  EXPECT_STREQ(object.name, "a/b");
  EXPECT_EQ(object.name_len, 3u);
  EXPECT_EQ(object.length, 12u);
  EXPECT_EQ(object.modified_ns, 34);
  EXPECT_EQ(ops.list_next(list, &object, nullptr), CB_END);
  ops.list_close(list);
}

TEST_F(StoreAdapter, a_shorter_object_record_is_not_overrun) {
  cb_object object{};
  object.size = offsetof(cb_object, name);
  object.name[0] = '!';
  EXPECT_EQ(ops.stat(instance, "a", &object, nullptr), CB_OK);
  EXPECT_EQ(object.length, 5u);
  EXPECT_EQ(object.name[0], '!');
  EXPECT_EQ(object.size, offsetof(cb_object, name));
}

TEST_F(StoreAdapter, a_record_of_a_newer_caller_keeps_its_size_and_its_tail) {
  struct {
    cb_object object;
    uint64_t appended;
  } newer{};
  newer.object.size = sizeof(newer);
  newer.appended = 77;
  EXPECT_EQ(ops.stat(instance, "a", &newer.object, nullptr), CB_OK);
  EXPECT_EQ(newer.object.length, 5u);
  EXPECT_EQ(newer.object.size, sizeof(newer));
  EXPECT_EQ(newer.appended, 77u);
}

TEST_F(StoreAdapter, enders_accept_null_and_a_missing_member_leaves_a_hole) {
  ops.put_abort(nullptr);
  ops.get_close(nullptr);
  ops.list_close(nullptr);
  EXPECT_EQ(ops.space, nullptr);
  EXPECT_EQ(ops.size, sizeof(ops));
}

}  // namespace
