// SPDX-License-Identifier: Apache-2.0
#include "core/client/open_keyring.h"

#include "core/client/recovery_code.h"
#include "core/repository/suite_fixture.h"

namespace cb::client {
namespace {

using repository::code_of;
using repository::must;

class OpenKeyring : public repository::SuiteFixture {
 protected:
  OpenKeyring() : made_(fresh_repository()), code_(random_bytes(32, 9)) {
    const repository::SlotMaker maker{*crypto_, *random_, made_.record.id, made_.keyring};
    slots_.push_back(must(repository::make_passphrase_slot(maker, "sesame", {1, 8192})));
    slots_.push_back(must(repository::make_recovery_slot(maker, code_)));
  }

  [[nodiscard]] Result<repository::Keyring> open(std::string_view secret) const {
    return open_keyring(*crypto_, made_.record.id, slots_, secret);
  }
  [[nodiscard]] bool opens(std::string_view secret) const {
    const auto keyring = open(secret);
    return keyring &&
           equal_in_constant_time(keyring->write_key.view(), made_.keyring.write_key.view());
  }

  repository::NewRepository made_;
  Bytes code_;
  std::vector<repository::KeySlot> slots_;
};

TEST_F(OpenKeyring, takes_the_passphrase_and_the_code) {
  EXPECT_TRUE(opens("sesame"));
  std::string code = format_recovery_code(code_);
  EXPECT_TRUE(opens(code));
  std::erase(code, '-');
  EXPECT_TRUE(opens(code + "\n"));
  EXPECT_EQ(code_of(open("wrong")), Code::denied);
  EXPECT_EQ(code_of(open(format_recovery_code(random_bytes(32, 10)))), Code::denied);
}

TEST_F(OpenKeyring, tells_a_typing_error_of_a_code) {
  std::string code = format_recovery_code(code_);
  code[0] = code[0] == 'A' ? 'B' : 'A';
  const auto keyring = open(code);
  ASSERT_EQ(code_of(keyring), Code::denied);
  EXPECT_NE(keyring.error().cause.find("typing error"), std::string::npos);
}

TEST_F(OpenKeyring, takes_a_passphrase_that_looks_like_a_code) {
  const std::string odd(56, 'a');
  const repository::SlotMaker maker{*crypto_, *random_, made_.record.id, made_.keyring};
  slots_.push_back(must(repository::make_passphrase_slot(maker, odd, {1, 8192})));
  EXPECT_TRUE(opens(odd));
}

TEST_F(OpenKeyring, is_denied_where_no_slot_of_the_kind_is) {
  const std::vector<repository::KeySlot> all = slots_;
  slots_ = {all[0]};
  EXPECT_EQ(code_of(open(format_recovery_code(code_))), Code::denied);
  slots_ = {all[1]};
  EXPECT_EQ(code_of(open("sesame")), Code::denied);
}

}  // namespace
}  // namespace cb::client
