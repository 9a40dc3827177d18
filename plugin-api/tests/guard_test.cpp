// SPDX-License-Identifier: Apache-2.0
//
// The guard: what is thrown becomes a code, and outputs keep their rules.
#include "cyberbackup/cpp/guard.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "cyberbackup/cpp/config.hpp"

namespace {

namespace sdk = cyberbackup::sdk;

cb_error fresh_error() {
  cb_error error{};
  error.size = sizeof(error);
  return error;
}

TEST(Base, a_member_is_there_when_it_lies_wholly_inside_the_size) {
  cb_host host{};
  host.size = offsetof(cb_host, abi_minor) + sizeof(host.abi_minor);
  EXPECT_TRUE(CB_HAS_FIELD(&host, cb_host, abi_minor)) << "zero is a value too";
  EXPECT_FALSE(CB_HAS_FIELD(&host, cb_host, ctx));
  host.size = offsetof(cb_host, name) + sizeof(host.name) - 1;
  EXPECT_TRUE(CB_HAS_FIELD(&host, cb_host, ctx));
  EXPECT_FALSE(CB_HAS_FIELD(&host, cb_host, name));
  EXPECT_FALSE(CB_HAS(&host, cb_host, ctx)) << "null";
  host.ctx = &host;
  EXPECT_TRUE(CB_HAS(&host, cb_host, ctx));
  host.name = "beyond the size";
  EXPECT_FALSE(CB_HAS(&host, cb_host, name));
}

TEST(Guard, a_failure_becomes_its_status_and_details) {
  cb_error error = fresh_error();
  const cb_status status = sdk::guard(&error, [] {
    throw sdk::Failure(CB_E_NO_SPACE, "/srv/a: disk full", ENOSPC, CB_ERROR_RETRY);
  });
  EXPECT_EQ(status, CB_E_NO_SPACE);
  EXPECT_EQ(error.status, CB_E_NO_SPACE);
  EXPECT_EQ(error.os_errno, ENOSPC);
  EXPECT_EQ(error.flags, uint32_t{CB_ERROR_RETRY});
  EXPECT_STREQ(error.message, "/srv/a: disk full");
}

TEST(Guard, lack_of_memory_has_its_own_status) {
  cb_error error = fresh_error();
  EXPECT_EQ(sdk::guard(&error, [] { throw std::bad_alloc(); }), CB_E_NO_MEMORY);
  EXPECT_EQ(error.flags, uint32_t{CB_ERROR_RETRY});
}

TEST(Guard, any_other_exception_is_internal) {
  cb_error error = fresh_error();
  EXPECT_EQ(sdk::guard(&error, [] { throw std::runtime_error("boom"); }), CB_E_INTERNAL);
  EXPECT_STREQ(error.message, "boom");
  EXPECT_EQ(sdk::guard(&error, [] { throw 7; }), CB_E_INTERNAL);
  EXPECT_STREQ(error.message, "an exception of unknown type");
}

TEST(Guard, a_failure_that_is_none_is_internal) {
  EXPECT_EQ(sdk::guard(nullptr, [] { throw sdk::Failure(CB_OK, "odd"); }), CB_E_INTERNAL);
  EXPECT_EQ(sdk::guard(nullptr, [] { throw sdk::Failure(CB_MORE, "odd"); }), CB_E_INTERNAL);
}

TEST(Guard, returned_codes_pass_and_a_returned_failure_has_no_message) {
  cb_error error = fresh_error();
  std::strcpy(error.message, "from before");
  EXPECT_EQ(sdk::guard(&error, [] { return CB_WANT_READ; }), CB_WANT_READ);
  EXPECT_STREQ(error.message, "from before");
  EXPECT_EQ(sdk::guard(&error, [] { return CB_E_CLOSED; }), CB_E_CLOSED);
  EXPECT_EQ(error.status, CB_E_CLOSED);
  EXPECT_STREQ(error.message, "");
}

TEST(Guard, a_shorter_error_record_is_not_overrun) {
  cb_error error;
  std::memset(&error, 'x', sizeof(error));
  error.size = offsetof(cb_error, message) + 8;
  sdk::set_error(&error, CB_E_IO, "a long message");
  EXPECT_STREQ(error.message, "a long ");
  EXPECT_EQ(error.message[8], 'x');

  error.size = 4;
  error.status = 99;
  sdk::set_error(&error, CB_E_IO, "nothing fits");
  EXPECT_EQ(error.status, 99);
}

TEST(Guard, a_message_is_one_line_and_cut_between_characters) {
  cb_error error = fresh_error();
  sdk::set_error(&error, CB_E_IO, "two\nlines\x7f");
  EXPECT_STREQ(error.message, "two lines ");

  std::string text(sizeof(error.message) - 2, 'a');
  text += "\xC3\xA4 and more";  // the two bytes of one character straddle the end
  sdk::set_error(&error, CB_E_IO, text);
  EXPECT_EQ(std::string(error.message), std::string(sizeof(error.message) - 2, 'a'));
}

TEST(Guard, a_number_survives_an_exception) {
  EXPECT_EQ(sdk::guard_number(-1, [] { return 5; }), 5);
  EXPECT_EQ(sdk::guard_number(-1, []() -> int { throw 1; }), -1);
}

TEST(Guard, what_does_not_fit_changes_nothing_but_tells_the_need) {
  const std::array<std::byte, 4> bytes = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  std::array<std::byte, 4> to{};
  size_t len = 77;
  EXPECT_EQ(sdk::detail::copy_out(bytes, to.data(), 3, &len), CB_E_TOO_SMALL);
  EXPECT_EQ(len, 4u);
  EXPECT_EQ(to, (std::array<std::byte, 4>{}));
  EXPECT_EQ(sdk::detail::copy_out(bytes, to.data(), 4, &len), CB_OK);
  EXPECT_EQ(to, bytes);
  EXPECT_EQ(sdk::detail::copy_out({}, nullptr, 0, &len), CB_OK);
  EXPECT_EQ(len, 0u);
}

TEST(Guard, an_errno_finds_its_status) {
  EXPECT_EQ(sdk::os_failure(ENOENT, "/x").status(), CB_E_NOT_FOUND);
  EXPECT_EQ(sdk::os_failure(EDQUOT, "/x").status(), CB_E_NO_SPACE);
  EXPECT_EQ(sdk::os_failure(EIO, "/x").status(), CB_E_IO);
  EXPECT_EQ(sdk::os_failure(EMFILE, "/x").flags(), uint32_t{CB_ERROR_RETRY});
  EXPECT_EQ(std::string(sdk::os_failure(ENOENT, "/x").what()).substr(0, 4), "/x: ");
}

TEST(Config, values_are_read_with_the_stride_of_the_host) {
  struct LongValue {
    cb_value value;
    uint64_t from_a_newer_host;
  };
  const char list[] = "one\0two\0";
  std::array<LongValue, 2> values{};
  values[0].value = {CB_OPTION_INT, 1, 7, nullptr, 0};
  values[1].value = {CB_OPTION_LIST, 1, 0, list, 8};
  cb_config raw{};
  raw.size = sizeof(raw);
  raw.value_size = sizeof(LongValue);
  raw.count = 2;
  raw.values = &values[0].value;
  const sdk::Config config(&raw);
  EXPECT_EQ(config.number(0), 7);
  EXPECT_EQ(config.text(0), "");
  EXPECT_EQ(config.list(1), (std::vector<std::string>{"one", "two"}));
  EXPECT_THROW(static_cast<void>(config.number(2)), sdk::Failure);
}

}  // namespace
