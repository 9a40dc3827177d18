// SPDX-License-Identifier: Apache-2.0
//
// Descriptors and the entry, made in this very program.
#include "cyberbackup/cpp/entry.hpp"

#include <gtest/gtest.h>

#include "cyberbackup/cpp/compress.hpp"

namespace {

namespace sdk = cyberbackup::sdk;

struct Plugin {
  Plugin(const sdk::Host& host, const sdk::Config& config) : start(host.monotonic_ns()) {
    if (config.number(0) == 13) throw sdk::Failure(CB_E_DENIED, "unlucky");
    ++alive;
  }
  ~Plugin() { --alive; }
  static void check(const sdk::Config& config) {
    if (config.number(0) > 100) throw sdk::Failure(CB_E_INVALID, "number is too much");
  }
  const void* extension(std::string_view id) { return id == "known/1" ? &start : nullptr; }
  size_t bound(size_t n) { return n; }
  size_t compress(std::span<const std::byte>, std::span<std::byte>) { return 0; }
  size_t decompress(std::span<const std::byte>, std::span<std::byte>) { return 0; }

  uint64_t start;
  static inline int alive = 0;
};

// The least that a class can have.
struct Plain {
  Plain(const sdk::Host&, const sdk::Config&) {}
  size_t bound(size_t n) { return n; }
  size_t compress(std::span<const std::byte>, std::span<std::byte>) { return 0; }
  size_t decompress(std::span<const std::byte>, std::span<std::byte>) { return 0; }
};

constexpr cb_option kOptions[] = {{"number", "A number.", "1", nullptr, 0, 0, CB_OPTION_INT, 0}};
constexpr cb_descriptor kFirst =
    sdk::describe<Plugin>({.id = "first", .interface_id = CB_COMPRESS_INTERFACE, .version = "1"},
                          kOptions, sdk::compress_ops<Plugin>());
constexpr cb_descriptor kSecond =
    sdk::describe<Plain>({.id = "second", .interface_id = CB_COMPRESS_INTERFACE, .version = "1"},
                         {}, sdk::compress_ops<Plain>());

uint64_t clock_of_host(void*) { return 42; }

struct Entry : testing::Test {
  Entry() {
    host.size = sizeof(host);
    host.monotonic_ns = &clock_of_host;
    value.number = 1;
    config.size = sizeof(config);
    config.value_size = sizeof(cb_value);
    config.count = 1;
    config.values = &value;
    error.size = sizeof(error);
  }
  cb_host host{};
  cb_value value{};
  cb_config config{};
  cb_error error{};
};

TEST_F(Entry, the_entry_lists_the_descriptors) {
  EXPECT_EQ(std::memcmp(&cb_plugin_entry_v1.magic, "CBP1", 4), 0);
  EXPECT_EQ(cb_plugin_entry_v1.size, sizeof(cb_entry));
  EXPECT_EQ(cb_plugin_entry_v1.abi_minor, uint32_t{CB_ABI_MINOR});
  uint32_t count = 0;
  const cb_descriptor* const* list = cb_plugin_entry_v1.descriptors(&count);
  ASSERT_EQ(count, 2u);
  EXPECT_EQ(list[0], &kFirst);
  EXPECT_EQ(list[1], &kSecond);
  EXPECT_EQ(list[0]->option_size, sizeof(cb_option));
  EXPECT_EQ(list[0]->option_count, 1u);
  EXPECT_EQ(list[0]->ops, &sdk::compress_ops<Plugin>());
}

TEST_F(Entry, an_instance_lives_from_create_to_destroy) {
  cb_instance* instance = nullptr;
  ASSERT_EQ(kFirst.create(&host, &config, &instance, &error), CB_OK);
  EXPECT_EQ(Plugin::alive, 1);
  EXPECT_EQ(reinterpret_cast<Plugin*>(instance)->start, 42u);
  EXPECT_NE(kFirst.extension(instance, "known/1"), nullptr);
  EXPECT_EQ(kFirst.extension(instance, "known/1x"), nullptr);
  kFirst.destroy(instance);
  EXPECT_EQ(Plugin::alive, 0);
  kFirst.destroy(nullptr);
}

TEST_F(Entry, a_constructor_that_throws_leaves_null) {
  value.number = 13;
  cb_instance* instance = reinterpret_cast<cb_instance*>(this);
  EXPECT_EQ(kFirst.create(&host, &config, &instance, &error), CB_E_DENIED);
  EXPECT_EQ(instance, nullptr);
  EXPECT_STREQ(error.message, "unlucky");
}

TEST_F(Entry, rules_across_options_are_asked) {
  EXPECT_EQ(kFirst.check(&config, &error), CB_OK);
  value.number = 101;
  EXPECT_EQ(kFirst.check(&config, &error), CB_E_INVALID);
  EXPECT_EQ(kSecond.check(&config, &error), CB_OK);
  EXPECT_EQ(kSecond.extension(nullptr, "known/1"), nullptr);
}

}  // namespace

CB_PLUGIN_ENTRY(kFirst, kSecond)
