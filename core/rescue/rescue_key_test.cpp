// SPDX-License-Identifier: Apache-2.0
#include "core/rescue/rescue_key.h"

#include <gtest/gtest.h>

#include <string>

#include "core/repository/signatures.h"

namespace cb::rescue {
namespace {

class RescueKeys : public testing::Test {
 protected:
  RescueKeys() : root_(identity::SigningKey::make(os::system_random()).value()) {
    key_.record.id.bytes.fill(std::byte{7});
    key_.record.epochs = {{1, Bytes(32, std::byte{1})}, {2, Bytes(32, std::byte{2})}};
    EXPECT_TRUE(repository::sign_record(key_.record, root_));
    key_.keyring.write_key = Secret(Bytes(32, std::byte{3}));
    key_.keyring.root_seed = root_.seed().clone();
    key_.keyring.epochs.push_back({1, Secret(Bytes(32, std::byte{4}))});
    key_.keyring.epochs.push_back({2, Secret(Bytes(31, std::byte{5}))});
  }

  std::string text() {
    const Secret written = format_rescue_key(key_);
    return std::string(as_text(written.view()));
  }
  static Code code_of(const std::string& text) {
    const auto parsed = parse_rescue_key(text);
    EXPECT_FALSE(parsed);
    return parsed ? Code::internal : parsed.error().code;
  }

  identity::SigningKey root_;
  RescueKey key_;
};

TEST_F(RescueKeys, what_is_written_is_read_again) {
  const auto again = parse_rescue_key(text());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->record, key_.record);
  const Secret one = repository::encode(again->keyring);
  const Secret other = repository::encode(key_.keyring);
  EXPECT_TRUE(equal_in_constant_time(one.view(), other.view()));
}

TEST_F(RescueKeys, keyrings_of_every_length_survive_base64) {
  for (size_t size = 1; size <= 6; ++size) {
    key_.keyring.epochs.back().half = Secret(Bytes(size, std::byte{0xfb}));
    const auto again = parse_rescue_key(text());
    ASSERT_TRUE(again) << size << ": " << again.error().text();
    EXPECT_TRUE(equal_in_constant_time(again->keyring.epochs.back().half.view(),
                                       key_.keyring.epochs.back().half.view()));
  }
}

TEST_F(RescueKeys, lines_that_nobody_knows_are_passed_over) {
  const std::string good = text();
  EXPECT_EQ(good.find("keyring "), good.rfind("keyring "));
  EXPECT_NE(good.find("repository " + key_.record.id.hex() + "\n"), std::string::npos);
  EXPECT_NE(good.find("# Opens every backup"), std::string::npos);
}

TEST_F(RescueKeys, any_changed_character_is_noticed) {
  const std::string good = text();
  for (size_t i = 0; i < good.size(); ++i) {
    if (good[i] == '\n' && i + 1 == good.size()) continue;
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(parse_rescue_key(bad)) << i;
  }
}

TEST_F(RescueKeys, a_file_that_is_cut_off_is_noticed) {
  const std::string good = text();
  for (size_t size = 0; size + 1 < good.size(); ++size)
    EXPECT_FALSE(parse_rescue_key(good.substr(0, size))) << size;
}

TEST_F(RescueKeys, something_else_is_told_apart_from_damage) {
  EXPECT_EQ(code_of("correct horse\n"), Code::invalid);
  EXPECT_EQ(code_of(""), Code::invalid);
  EXPECT_EQ(code_of(text().substr(0, 100)), Code::corrupt);
}

TEST_F(RescueKeys, a_record_that_its_owner_did_not_sign_is_refused) {
  key_.record.revision = 2;
  EXPECT_EQ(code_of(text()), Code::corrupt);
}

TEST_F(RescueKeys, a_writers_keys_open_nothing) {
  key_.keyring.role = repository::Role::writer;
  key_.keyring.root_seed = {};
  key_.keyring.epochs.clear();
  EXPECT_EQ(code_of(text()), Code::denied);
}

TEST_F(RescueKeys, a_reader_has_no_root_seed) {
  key_.keyring.role = repository::Role::reader;
  key_.keyring.root_seed = {};
  const auto again = parse_rescue_key(text());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE(again->keyring.root_seed.empty());
  EXPECT_EQ(again->keyring.epochs.size(), 2u);
}

}  // namespace
}  // namespace cb::rescue
