// SPDX-License-Identifier: Apache-2.0
//
// What the host says to each bad plugin, and that it lives on.
#include <gtest/gtest.h>

#include "core/log/capture.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"

namespace cb::plugin {
namespace {

class BadPlugins : public testing::Test {
 protected:
  LoadOptions options() const {
    LoadOptions options;
    options.folder = CB_BAD_PLUGIN_DIR;
    return options;
  }
  HostServices services() {
    HostServices services;
    services.log = &log_;
    services.host_name = "test";
    services.host_version = "1";
    return services;
  }

  log::Capture log_;
};

TEST_F(BadPlugins, a_good_plugin_loads_and_stores_and_reads_back) {
  Registry registry(services(), options());
  const Status loaded = registry.load("good");
  ASSERT_TRUE(loaded) << loaded.error().text();
  auto store = registry.make_store("good", {});
  ASSERT_TRUE(store) << store.error().text();
  auto put = store->put_begin("a/b");
  ASSERT_TRUE(put);
  ASSERT_TRUE(put->write(as_bytes("hello")));
  ASSERT_EQ(store->stat("a/b").error().code, Code::not_found);
  ASSERT_TRUE(put->commit());
  auto get = store->get_open("a/b", 1);
  ASSERT_TRUE(get);
  Bytes into(10);
  ASSERT_EQ(get->read(into).value(), 4U);
  EXPECT_EQ(as_text(into).substr(0, 4), "ello");
  EXPECT_EQ(get->read(into).value(), 0U);
  EXPECT_EQ(store->put_begin("../x").error().code, Code::invalid);
}

}  // namespace
}  // namespace cb::plugin
