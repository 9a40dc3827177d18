// SPDX-License-Identifier: Apache-2.0
//
// Plugins that keep every rule of their interface and lack what the daemon needs.
#include "core/server/plugin_needs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/log/capture.h"
#include "core/plugin/instance.h"

namespace cb::server {
namespace {

constexpr uint64_t kStoreNeeds =
    CB_STORE_DURABLE | CB_STORE_ATOMIC_REPLACE | CB_STORE_RANGE | CB_STORE_LIST_AFTER;
constexpr uint64_t kCryptoNeeds = CB_CRYPTO_KEM | CB_CRYPTO_STREAM | CB_CRYPTO_KEYED_ID |
                                  CB_CRYPTO_KEY_WRAP | CB_CRYPTO_KEY_DERIVE;

const std::string* frame = nullptr;  // what every compression gives

cb_status create(const cb_host*, const cb_config*, cb_instance** out, cb_error*) {
  static char instance;
  *out = reinterpret_cast<cb_instance*>(&instance);
  return CB_OK;
}
void destroy(cb_instance*) {}

cb_compress_ops compress_table() {
  cb_compress_ops ops{};
  ops.size = sizeof ops;
  ops.bound = [](cb_instance*, size_t plain, size_t* out) {
    *out = plain + 100;
    return cb_status{CB_OK};
  };
  ops.compress = [](cb_instance*, const void*, size_t, void* out, size_t, size_t* len, cb_error*) {
    std::memcpy(out, frame->data(), frame->size());
    *len = frame->size();
    return cb_status{CB_OK};
  };
  return ops;
}
const cb_compress_ops kCompress = compress_table();

// Nothing of these tables is called.
template <class T>
T empty_table() {
  T ops{};
  ops.size = sizeof ops;
  return ops;
}
const auto kStore = empty_table<cb_store_ops>();
const auto kCrypto = empty_table<cb_crypto_ops>();

class PluginNeeds : public ::testing::Test {
 protected:
  std::shared_ptr<plugin::Instance> instance(const char* interface_id, const void* ops,
                                             uint64_t capabilities) {
    descriptor_.size = sizeof descriptor_;
    descriptor_.id = "acme";
    descriptor_.interface_id = interface_id;
    descriptor_.capabilities = capabilities;
    descriptor_.ops = ops;
    descriptor_.create = create;
    descriptor_.destroy = destroy;
    plugin::HostServices services;
    services.log = &log_;
    return plugin::Instance::make(descriptor_, {}, {}, services, nullptr).value();
  }

  Status store(uint64_t capabilities) {
    return check_needs(plugin::Store(instance(CB_STORE_INTERFACE, &kStore, capabilities)));
  }
  Status crypto(uint64_t capabilities) {
    return check_needs(plugin::Crypto(instance(CB_CRYPTO_INTERFACE, &kCrypto, capabilities)));
  }
  Status compress(const std::string& gives, uint64_t capabilities = CB_COMPRESS_STREAM) {
    frame = &gives;
    return check_needs(plugin::Compress(instance(CB_COMPRESS_INTERFACE, &kCompress, capabilities)));
  }

  log::Capture log_;
  cb_descriptor descriptor_{};
};

void expect_refused(const Status& status, const std::string& cause) {
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::unsupported);
  EXPECT_NE(status.error().text().find(cause), std::string::npos) << status.error().text();
  EXPECT_NE(status.error().text().find("acme"), std::string::npos) << status.error().text();
}

TEST_F(PluginNeeds, a_store_without_any_one_of_four_capabilities_is_refused_by_its_name) {
  EXPECT_TRUE(store(kStoreNeeds));
  EXPECT_TRUE(store(kStoreNeeds | CB_STORE_FILTER));
  expect_refused(store(kStoreNeeds & ~CB_STORE_DURABLE), "lacks DURABLE,");
  expect_refused(store(kStoreNeeds & ~CB_STORE_ATOMIC_REPLACE), "lacks ATOMIC_REPLACE,");
  expect_refused(store(kStoreNeeds & ~CB_STORE_RANGE), "lacks RANGE,");
  expect_refused(store(kStoreNeeds & ~CB_STORE_LIST_AFTER), "lacks LIST_AFTER,");
  expect_refused(store(0), "lacks DURABLE, ATOMIC_REPLACE, RANGE, LIST_AFTER, which");
}

TEST_F(PluginNeeds, a_suite_that_cannot_do_all_or_does_not_authenticate_is_refused) {
  EXPECT_TRUE(crypto(kCryptoNeeds));
  expect_refused(crypto(kCryptoNeeds & ~CB_CRYPTO_KEY_WRAP), "lacks KEY_WRAP,");
  expect_refused(crypto(CB_CRYPTO_KEM | CB_CRYPTO_STREAM), "KEYED_ID, KEY_WRAP, KEY_DERIVE");
  expect_refused(crypto(kCryptoNeeds | CB_CRYPTO_UNAUTHENTICATED), "does not authenticate");
}

TEST_F(PluginNeeds, a_compressor_of_other_frames_than_zstd_or_without_streams_is_refused) {
  EXPECT_TRUE(compress("\x28\xb5\x2f\xfd and so on"));
  expect_refused(compress("\x28\xb5\x2f\xfc and so on"), "does not make zstd frames");
  expect_refused(compress("\x28\xb5\x2f"), "does not make zstd frames");
  expect_refused(compress("\x28\xb5\x2f\xfd and so on", 0), "lacks STREAM,");
}

}  // namespace
}  // namespace cb::server
