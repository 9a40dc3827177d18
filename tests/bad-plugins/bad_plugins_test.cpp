// SPDX-License-Identifier: Apache-2.0
//
// What the host says to each bad plugin, and that it lives on. The modules are the real thing: each
// is loaded by the loader that the daemon uses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "core/log/capture.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"
#include "core/plugin/store_below.h"
#include "tests/folders.h"

namespace cb::plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

class BadPlugins : public testing::Test {
 protected:
  BadPlugins()
      : folder_(os::Path(testing::TempDir()) / ("cb-bad-plugins-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~BadPlugins() override {
    EXPECT_TRUE(good_works()) << "a bad plugin spoiled the host for a good one";
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] static LoadOptions options() {
    LoadOptions options;
    options.folder = CB_BAD_PLUGIN_DIR;
    return options;
  }

  [[nodiscard]] static LoadOptions probing(std::chrono::nanoseconds timeout) {
    LoadOptions with = options();
    with.probe_program = os::Path(test::program("cyberbackup-plugin-probe"));
    with.probe_timeout = timeout;
    return with;
  }

  HostServices services() {
    HostServices services;
    services.log = &log_;
    services.host_name = "test";
    services.host_version = "1";
    return services;
  }

  // The error of loading `id`, which is also kept for status.
  Error refusal(const std::string& id, LoadOptions with = options()) {
    Registry registry(services(), std::move(with));
    const Status loaded = registry.load(id);
    if (loaded) return Error{Code::internal, id, "was loaded", {}};
    const auto status = registry.status();
    EXPECT_EQ(status.size(), 1U);
    EXPECT_TRUE(status.front().refused && status.front().refused->text() == loaded.error().text());
    EXPECT_TRUE(log_.contains("event=plugin.refused plugin=" + id)) << log_.text();
    EXPECT_FALSE(loaded.error().advice.empty()) << loaded.error().text();
    return loaded.error();
  }

  Error refusal_of_init(const std::string& id) {
    Registry registry(services(), options());
    return registry.load(id).error();
  }

  // An instance of a bad store that loads.
  Result<Store> store(const std::string& id) {
    registry_ = std::make_unique<Registry>(services(), options());
    CB_TRY(registry_->load(id));
    return registry_->make_store(id, {});
  }

  static Status put(Store& store, std::string_view name, std::string_view content) {
    CB_ASSIGN(Put put, store.put_begin(name));
    CB_TRY(put.write(as_bytes(content)));
    return put.commit();
  }

  bool good_works() {
    Registry registry(services(), options());
    if (!registry.load("good")) return false;
    auto store = registry.make_store("good", {});
    return store && put(*store, "x", "y") && store->stat("x")->length == 1;
  }

  // Writes a module file of this content and returns the refusal.
  Error refusal_of_content(std::string_view content) {
    std::ofstream(folder_ / "made-up.so", std::ios::binary) << content;
    LoadOptions with = options();
    with.folder = folder_;
    return refusal("made-up", with);
  }

  static std::string content_of(const std::string& id) {
    std::ifstream from(os::Path(CB_BAD_PLUGIN_DIR) / (id + ".so"), std::ios::binary);
    return {std::istreambuf_iterator<char>(from), {}};
  }

  os::Path folder_;
  log::Capture log_;
  std::unique_ptr<Registry> registry_;
};

// The error has this code, and its text every one of these words.
void expect_error(const Error& error, Code code, std::initializer_list<std::string_view> words) {
  EXPECT_EQ(name_of(error.code), name_of(code)) << error.text();
  for (const std::string_view word : words) EXPECT_THAT(error.text(), HasSubstr(std::string(word)));
}

// --- refused by the scan, before anything of them runs ------------------------------------------

TEST_F(BadPlugins, a_missing_file_is_named_with_its_folder) {
  expect_error(refusal("not-there"), Code::not_found,
               {CB_BAD_PLUGIN_DIR "/not-there.so", "no such file", "plugins.dir"});
}

TEST_F(BadPlugins, an_id_that_could_lead_out_of_the_folder_is_refused) {
  for (const std::string id : {"../good", "good.so", "", "/etc/x", "GOOD"}) {
    Registry registry(services(), options());
    expect_error(registry.load(id).error(), Code::invalid, {"is not a plugin id"});
  }
}

TEST_F(BadPlugins, an_empty_file_is_refused) {
  expect_error(refusal_of_content(""), Code::corrupt, {"made-up.so", "empty file"});
}

TEST_F(BadPlugins, a_text_file_is_refused_as_such) {
  expect_error(refusal_of_content("#!/bin/sh\necho hello\n"), Code::corrupt, {"is a text file"});
}

TEST_F(BadPlugins, a_file_of_another_format_is_refused) {
  expect_error(refusal_of_content(std::string("\x89PNG\r\n\x1a\n\0\0", 10)), Code::corrupt,
               {"is not an ELF file"});
}

TEST_F(BadPlugins, a_truncated_library_is_refused) {
  const std::string whole = content_of("good");
  for (const size_t size :
       {size_t{20}, size_t{63}, size_t{100}, whole.size() / 2, whole.size() - 1})
    expect_error(refusal_of_content(whole.substr(0, size)), Code::corrupt, {"is truncated"});
}

TEST_F(BadPlugins, a_library_for_another_machine_is_refused_with_both_names) {
  std::string content = content_of("good");
  content[18] = '\xf3';  // e_machine: RISC-V
  expect_error(refusal_of_content(content), Code::unsupported, {"RISC-V", "x86-64"});
  content = content_of("good");
  content[4] = 1;  // 32 bit
  expect_error(refusal_of_content(content), Code::unsupported, {"32-bit", "x86-64"});
}

TEST_F(BadPlugins, a_program_is_refused) {
  std::string content = content_of("good");
  content[16] = 2;  // ET_EXEC
  expect_error(refusal_of_content(content), Code::corrupt, {"type 2", "not a shared library"});
}

TEST_F(BadPlugins, a_library_without_entry_is_refused) {
  expect_error(refusal("no-symbol"), Code::invalid,
               {"no-symbol.so", "no CyberBackup plugin", "cb_plugin_entry_v1"});
}

TEST_F(BadPlugins, a_plugin_for_other_majors_is_refused_by_name_before_its_constructors_run) {
  expect_error(refusal("only-v2"), Code::unsupported,
               {"cb_plugin_entry_v2, cb_plugin_entry_v3", "this host speaks cb_plugin_entry_v1"});
}

TEST_F(BadPlugins, an_entry_that_is_a_function_is_refused) {
  expect_error(refusal("entry-is-function"), Code::invalid, {"as a function", "data object"});
}

// --- refused at load
// ------------------------------------------------------------------------------

TEST_F(BadPlugins, an_undefined_symbol_is_named) {
  const Error error = refusal("undefined-symbol");
  expect_error(error, Code::invalid,
               {"undefined symbol", "function_that_nobody_has", "undefined-symbol.so"});
  EXPECT_THAT(error.text(), Not(HasSubstr("/proc/self/fd")));
}

TEST_F(BadPlugins, another_magic_is_refused_with_both_values) {
  expect_error(refusal("bad-magic"), Code::corrupt, {"0x32504243", "0x31504243"});
}

TEST_F(BadPlugins, a_short_entry_is_refused_with_both_sizes) {
  expect_error(refusal("short-table"), Code::invalid, {"size 16", "1.0 has 40"});
}

TEST_F(BadPlugins, a_plugin_that_needs_a_newer_host_is_refused_with_both_versions) {
  expect_error(refusal("needs-newer"), Code::unsupported, {"needs plugin ABI 1.7", "host has 1.0"});
}

TEST_F(BadPlugins, a_plugin_built_for_a_newer_minor_but_content_with_this_one_loads) {
  Registry registry(services(), options());
  const Status loaded = registry.load("newer-minor");
  EXPECT_TRUE(loaded) << loaded.error().text();
}

TEST_F(BadPlugins, a_failing_init_is_told_with_its_own_words) {
  expect_error(refusal_of_init("fails-in-init"), Code::not_found,
               {"fails-in-init.so", "its init failed", "/dev/tape0: no such drive"});
}

TEST_F(BadPlugins, an_exception_out_of_init_is_stopped) {
  expect_error(refusal("throws-in-init"), Code::internal,
               {"init threw an exception", "init went wrong"});
}

// --- refused by the probe
// ---------------------------------------------------------------------------

TEST_F(BadPlugins, one_that_aborts_at_load_dies_in_the_probe) {
  expect_error(refusal("aborts-in-constructor", probing(std::chrono::seconds(20))), Code::internal,
               {"aborts-in-constructor.so", "crashes while it is loaded", "signal 6", "Aborted"});
}

TEST_F(BadPlugins, one_that_hangs_in_init_is_stopped_in_the_probe) {
  expect_error(refusal("hangs-in-init", probing(std::chrono::milliseconds(300))), Code::timeout,
               {"hangs-in-init.so", "hangs while it is loaded", "within 0.3s"});
}

TEST_F(BadPlugins, one_that_exits_at_load_does_so_in_the_probe) {
  expect_error(refusal("exits-in-init", probing(std::chrono::seconds(20))), Code::internal,
               {"ends the process that loads it", "exit status 9"});
}

TEST_F(BadPlugins, the_probe_gives_back_the_refusal_of_the_loader) {
  expect_error(refusal("undefined-symbol", probing(std::chrono::seconds(20))), Code::invalid,
               {"undefined symbol", "function_that_nobody_has"});
  expect_error(refusal("needs-newer", probing(std::chrono::seconds(20))), Code::unsupported,
               {"needs plugin ABI 1.7", "host has 1.0"});
}

TEST_F(BadPlugins, a_missing_probe_program_refuses_and_says_so) {
  LoadOptions with = probing(std::chrono::seconds(20));
  with.probe_program = folder_ / "no-such-probe";
  expect_error(refusal("other-id", with), Code::not_found,
               {"no-such-probe", "starting", "install that program again"});
}

TEST_F(BadPlugins, one_that_is_only_tried_finds_no_secret_of_the_host_in_its_environment) {
  ::setenv("CYBERBACKUP_PASSPHRASE", "correct horse", 1);
  ::setenv("MAIL_PASSWORD", "correct horse", 1);  // a secret of { env = "MAIL_PASSWORD" }
  Registry registry(services(), probing(std::chrono::seconds(20)));
  const Status loaded = registry.load("reads-environment");
  ::unsetenv("CYBERBACKUP_PASSPHRASE");
  ::unsetenv("MAIL_PASSWORD");
  EXPECT_TRUE(loaded) << loaded.error().text();
}

// A copy of a module as a file of its own, so that this process has not met it.
TEST_F(BadPlugins, a_file_that_passed_the_probe_is_not_probed_again) {
  std::ofstream(folder_ / "good.so", std::ios::binary) << content_of("good");
  LoadOptions with = probing(std::chrono::seconds(20));
  with.folder = folder_;
  with.probe_cache = folder_ / "probed";
  std::filesystem::create_directories(with.probe_cache);
  {
    Registry registry(services(), with);
    const Status loaded = registry.load("good");
    ASSERT_TRUE(loaded) << loaded.error().text();
  }
  // The same content in another file; a probe would now be impossible.
  std::filesystem::create_directories(folder_ / "other");
  std::ofstream(folder_ / "other" / "good.so", std::ios::binary) << content_of("good");
  with.folder = folder_ / "other";
  with.probe_program = folder_ / "no-such-probe";
  Registry registry(services(), with);
  const Status loaded = registry.load("good");
  EXPECT_TRUE(loaded) << loaded.error().text();
}

TEST_F(BadPlugins, a_file_that_failed_the_probe_is_probed_again) {
  LoadOptions with = probing(std::chrono::milliseconds(300));
  with.probe_cache = folder_ / "probed";
  std::filesystem::create_directories(with.probe_cache);
  EXPECT_EQ(refusal("hangs-in-init", with).code, Code::timeout);
  EXPECT_EQ(refusal("hangs-in-init", with).code, Code::timeout);
}

// --- refused for what they say of themselves
// --------------------------------------------------------

TEST_F(BadPlugins, a_malformed_id_is_refused) {
  expect_error(refusal("malformed-id"), Code::invalid, {"'Malformed Id!'", "[a-z0-9-]{1,32}"});
}

TEST_F(BadPlugins, an_id_that_is_not_that_of_the_file_is_refused_with_both) {
  expect_error(refusal("other-id"), Code::not_found, {"other-id", "quite-another"});
}

TEST_F(BadPlugins, an_unknown_interface_is_refused_with_the_known_ones) {
  expect_error(refusal("unknown-interface"), Code::unsupported,
               {"cb.tape/9", "cb.store/1", "cb.transport/1"});
}

TEST_F(BadPlugins, what_a_file_has_for_newer_hosts_is_passed_over) {
  auto known = store("two-revisions");
  ASSERT_TRUE(known) << known.error().text();
  EXPECT_EQ(known->instance()->interface_id(), "cb.store/1");
}

TEST_F(BadPlugins, a_descriptor_without_licence_is_refused) {
  expect_error(refusal("no-license"), Code::invalid, {"no license"});
}

TEST_F(BadPlugins, a_malformed_option_is_refused_by_name) {
  expect_error(refusal("malformed-schema"), Code::invalid, {"'Bad Key'", "malformed-schema"});
}

TEST_F(BadPlugins, a_default_that_breaks_its_own_bounds_is_refused) {
  expect_error(refusal("bad-default"), Code::invalid, {"bad-default", "level", "99"});
}

TEST_F(BadPlugins, two_plugins_of_one_id_in_one_file_are_refused) {
  expect_error(refusal("duplicate-id"), Code::exists, {"two descriptors", "duplicate-id"});
}

TEST_F(BadPlugins, one_id_in_two_files_is_refused_with_both_files) {
  Registry registry(services(), options());
  ASSERT_TRUE(registry.load("good"));
  expect_error(registry.load("claims-good").error(), Code::exists,
               {"id good", "/claims-good.so", "/good.so"});
  EXPECT_FALSE(registry.make("claims-good", {}));
  EXPECT_TRUE(registry.make("good", {}));
}

TEST_F(BadPlugins, a_store_that_cannot_read_is_refused) {
  expect_error(refusal("lacks-function"), Code::invalid, {"lacks get_read", "cb.store/1"});
}

TEST_F(BadPlugins, a_claimed_set_with_a_hole_is_refused) {
  expect_error(refusal("half-codec"), Code::invalid, {"lacks codec_reset", "capability bit 1"});
}

TEST_F(BadPlugins, a_transport_of_both_kinds_is_refused) {
  expect_error(refusal("root-and-filter"), Code::invalid, {"both ROOT and FILTER"});
}

TEST_F(BadPlugins, a_short_table_is_refused_with_both_sizes) {
  expect_error(refusal("short-ops"), Code::invalid, {"size 24", "1.0 has 112"});
}

// --- quarantined in use
// ----------------------------------------------------------------------------

TEST_F(BadPlugins, an_exception_out_of_create_is_stopped) {
  expect_error(store("throws-in-create").error(), Code::internal,
               {"throws-in-create", "create threw an exception"});
}

TEST_F(BadPlugins, an_instance_that_is_not_there_is_noticed) {
  expect_error(store("null-instance").error(), Code::internal, {"OK without an instance"});
}

TEST_F(BadPlugins, a_refused_configuration_is_told_and_is_no_fault) {
  expect_error(store("fails-in-create").error(), Code::invalid, {"the moon is not full"});
  EXPECT_FALSE(log_.contains("plugin.quarantined"));
}

TEST_F(BadPlugins, an_exception_out_of_a_read_quarantines_the_instance) {
  auto bad = store("throws-in-read");
  ASSERT_TRUE(bad) << bad.error().text();
  ASSERT_TRUE(put(*bad, "a", "content"));
  auto get = bad->get_open("a");
  ASSERT_TRUE(get);
  Bytes into(4);
  const auto first = get->read(into);
  ASSERT_FALSE(first);
  expect_error(first.error(), Code::internal,
               {"throws-in-read", "get_read threw an exception", "the tape tore in two"});
  const auto second = get->read(into);
  ASSERT_FALSE(second);
  expect_error(second.error(), Code::state, {"is quarantined"});
  EXPECT_EQ(bad->stat("a").error().code, Code::state);
  EXPECT_TRUE(bad->instance()->quarantined());
  const auto instances = registry_->instances();
  ASSERT_EQ(instances.size(), 1U);
  EXPECT_TRUE(instances[0].quarantined);
  EXPECT_EQ(instances[0].counters.violations, 1U);
  EXPECT_THAT(instances[0].reason, HasSubstr("get_read"));
  EXPECT_EQ(log_.count("event=plugin.quarantined plugin=throws-in-read"), 1U) << log_.text();
}

TEST_F(BadPlugins, another_instance_of_a_quarantined_plugin_works) {
  auto bad = store("throws-in-read");
  ASSERT_TRUE(put(*bad, "a", "content"));
  Bytes into(4);
  EXPECT_FALSE(bad->get_open("a")->read(into));
  auto other = registry_->make_store("throws-in-read", {});
  ASSERT_TRUE(other);
  EXPECT_TRUE(put(*other, "b", "content"));
}

TEST_F(BadPlugins, an_exception_out_of_an_ender_is_stopped) {
  auto bad = store("throws-in-abort");
  ASSERT_TRUE(bad);
  bad->put_begin("a")->abort();
  EXPECT_TRUE(bad->instance()->quarantined());
  EXPECT_THAT(bad->instance()->reason(), HasSubstr("put_abort threw"));
}

TEST_F(BadPlugins, an_unlisted_status_quarantines) {
  auto bad = store("unknown-status");
  expect_error(put(*bad, "a", "content").error(), Code::internal, {"put_write", "-4711"});
  EXPECT_TRUE(bad->instance()->quarantined());
}

TEST_F(BadPlugins, a_listed_status_that_makes_no_sense_quarantines) {
  auto bad = store("wrong-positive");
  expect_error(bad->remove("a").error(), Code::internal, {"remove", "status 1"});
  EXPECT_TRUE(bad->instance()->quarantined());
}

TEST_F(BadPlugins, a_length_past_the_buffer_quarantines_with_both_lengths) {
  auto bad = store("length-past-cap");
  ASSERT_TRUE(put(*bad, "a", "content"));
  Bytes into(4);
  expect_error(bad->get_open("a")->read(into).error(), Code::internal,
               {"length of 5", "buffer of 4 bytes"});
  EXPECT_TRUE(bad->instance()->quarantined());
}

TEST_F(BadPlugins, a_handle_that_is_not_there_quarantines) {
  auto bad = store("null-handle");
  ASSERT_TRUE(put(*bad, "a", "content"));
  expect_error(bad->get_open("a").error(), Code::internal, {"get_open", "OK without a handle"});
}

TEST_F(BadPlugins, a_name_that_leads_out_of_the_store_quarantines) {
  auto bad = store("bad-name");
  auto list = bad->list_open();
  ASSERT_TRUE(list);
  expect_error(list->next().error(), Code::internal, {"list_next", "malformed object name"});
}

TEST_F(BadPlugins, a_put_of_a_quarantined_store_is_aborted_and_not_committed) {
  auto bad = store("wrong-positive");
  auto put = bad->put_begin("a");
  ASSERT_TRUE(put);
  ASSERT_FALSE(bad->remove("b"));
  EXPECT_EQ(put->commit().error().code, Code::state);
}

// --- the good one
// ----------------------------------------------------------------------------------

TEST_F(BadPlugins, a_good_plugin_stores_and_reads_back) {
  auto good = store("good");
  ASSERT_TRUE(good) << good.error().text();
  auto put = good->put_begin("a/b");
  ASSERT_TRUE(put);
  ASSERT_TRUE(put->write(as_bytes("hello")));
  ASSERT_EQ(good->stat("a/b").error().code, Code::not_found);
  ASSERT_TRUE(put->commit());
  auto get = good->get_open("a/b", 1);
  ASSERT_TRUE(get);
  Bytes into(10);
  ASSERT_EQ(get->read(into).value(), 4U);
  EXPECT_EQ(as_text(into).substr(0, 4), "ello");
  EXPECT_EQ(get->read(into).value(), 0U);
  EXPECT_EQ(good->put_begin("../x").error().code, Code::invalid);
  EXPECT_EQ(good->space().error().code, Code::unsupported);
}

TEST_F(BadPlugins, init_and_deinit_come_in_pairs_and_deinit_last) {
  {
    Registry registry(services(), options());
    ASSERT_TRUE(registry.load("says-pairs"));
    ASSERT_TRUE(registry.load("says-pairs"));
    EXPECT_EQ(log_.count("init in " CB_BAD_PLUGIN_DIR), 1U) << log_.text();
    EXPECT_FALSE(log_.contains("deinit"));
  }
  EXPECT_EQ(log_.count("plugin=says-pairs text=deinit"), 1U) << log_.text();
}

TEST_F(BadPlugins, an_instance_that_outlives_the_registry_keeps_its_module_initialised) {
  std::shared_ptr<Instance> left;
  {
    Registry registry(services(), options());
    ASSERT_TRUE(registry.load("says-pairs"));
    left = *registry.make("says-pairs", {});
  }
  EXPECT_TRUE(log_.contains("event=plugin.outlived plugin=says-pairs"));
  EXPECT_FALSE(log_.contains("deinit"));
}

TEST_F(BadPlugins, a_plugin_of_another_kind_is_refused_where_it_is_named) {
  ASSERT_TRUE(store("good"));
  expect_error(registry_->make_crypto("good", {}).error(), Code::invalid,
               {"cb.store/1", "cb.crypto/1"});
  expect_error(registry_->make("zstd", {}).error(), Code::not_found, {"zstd", "loaded are: good"});
}

TEST_F(BadPlugins, a_store_filter_stands_on_the_store_below) {
  auto below = store("good");
  ASSERT_TRUE(registry_->load("store-through"));
  expect_error(registry_->make_store("store-through", {}).error(), Code::invalid,
               {"needs a store below"});
  auto filter = registry_->make_store("store-through", {}, below->instance());
  ASSERT_TRUE(filter) << filter.error().text();
  ASSERT_TRUE(put(*filter, "a", "one"));
  ASSERT_TRUE(put(*below, "b", "two"));
  auto list = filter->list_open();
  ASSERT_TRUE(list);
  EXPECT_EQ(list->next().value()->name, "a");
  EXPECT_EQ(list->next().value()->name, "b");
  EXPECT_FALSE(list->next().value());
  expect_error(filter->stat("c").error(), Code::not_found, {"good: no such object"});
  EXPECT_EQ(filter->stat("c").error().retry, Retry::no);
}

TEST_F(BadPlugins, a_filter_that_asks_the_store_below_for_nothing_or_the_unknown_is_refused) {
  StoreBelow below(*store("good"));
  const cb_store_lower& lower = *below.service();
  cb_put* put = nullptr;
  EXPECT_EQ(lower.ops->put_begin(lower.instance, "a", 0, 2, &put, nullptr), CB_E_UNSUPPORTED);
  EXPECT_EQ(put, nullptr);
  ASSERT_TRUE(BadPlugins::put(below.store(), "a", "one"));
  cb_get* get = nullptr;
  ASSERT_EQ(lower.ops->get_open(lower.instance, "a", 0, 0, &get, nullptr), CB_OK);
  char room = 0;
  size_t got = 0;
  EXPECT_EQ(lower.ops->get_read(get, &room, 0, &got, nullptr), CB_E_INVALID);
  EXPECT_EQ(lower.ops->get_read(get, &room, 1, &got, nullptr), CB_OK);
  lower.ops->get_close(get);
}

TEST_F(BadPlugins, a_fault_below_a_filter_is_the_fault_of_the_store_below) {
  auto below = store("throws-in-read");
  ASSERT_TRUE(registry_->load("store-through"));
  auto filter = registry_->make_store("store-through", {}, below->instance());
  ASSERT_TRUE(filter);
  ASSERT_TRUE(put(*filter, "a", "one"));
  Bytes into(4);
  expect_error(filter->get_open("a")->read(into).error(), Code::internal, {"throws-in-read"});
  EXPECT_TRUE(below->instance()->quarantined());
  EXPECT_FALSE(filter->instance()->quarantined());
}

}  // namespace
}  // namespace cb::plugin
