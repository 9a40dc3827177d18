// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/repository/pairing_token.h"

namespace cb::server {
namespace {

class SettingsFile : public ::testing::Test {
 protected:
  SettingsFile() : folder_("/tmp/settings-test-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
    request_.file = folder_ / "d.toml";
    request_.default_plugin_folder = "/default/plugins";
  }
  ~SettingsFile() override { std::filesystem::remove_all(folder_); }

  Result<Settings> load(const std::string& toml) {
    EXPECT_TRUE(os::write_file_atomically(os::real_file_system(), request_.file, as_bytes(toml)));
    problems_ = {};
    return load_settings(request_, problems_);
  }

  // The texts of all problems with "FILE" for the file's name, one a line.
  [[nodiscard]] std::string texts() const {
    std::string all;
    for (const config::Problem& problem : problems_.list) all += problem.text() + "\n";
    const std::string name = request_.file.string();
    for (size_t at = 0; (at = all.find(name)) != std::string::npos;)
      all.replace(at, name.size(), "FILE");
    return all;
  }

  os::Path folder_;
  SettingsRequest request_;
  config::Problems problems_;
};

constexpr const char* kListen = "[[listen]]\naddress = '127.0.0.1:0'\n";

TEST_F(SettingsFile, a_listener_is_enough) {
  const auto settings = load(kListen);
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->data, folder_.string() + "/");
  EXPECT_GE(settings->io_threads, 1u);
  EXPECT_EQ(settings->memory, 64 * kMiB);
  EXPECT_EQ(settings->plugins.folder, "/default/plugins");
  ASSERT_EQ(settings->listen.size(), 1u);
  EXPECT_EQ(settings->listen[0].name, "127.0.0.1:0");
  EXPECT_EQ(settings->listen[0].versions, std::vector<int>{3});
  EXPECT_EQ(settings->plugin_ids(),
            (std::vector<std::string>{"transport-tcp", "crypto-legacy", "crypto-modern",
                                      "compress-zstd", "store-fs"}));
}

TEST_F(SettingsFile, defaults_in_the_schema_are_those_of_the_code) {
  const auto settings = load(kListen);
  ASSERT_TRUE(settings);
  const V3Settings code;
  EXPECT_EQ(settings->v3.oaep, code.oaep);
  EXPECT_EQ(settings->v3.ack_resend_at_once, code.ack_resend_at_once);
  EXPECT_EQ(settings->v3.ack_delay, code.ack_delay);
  EXPECT_EQ(settings->v3.idle_timeout, code.idle_timeout);
  EXPECT_EQ(settings->v3.request_timeout, code.request_timeout);
  EXPECT_EQ(settings->v3.write_timeout, code.write_timeout);
  EXPECT_EQ(settings->v3.upload_timeout, code.upload_timeout);
  EXPECT_EQ(settings->v3.max_resends, code.max_resends);
  EXPECT_EQ(settings->v3.max_upload, code.max_upload);
  EXPECT_EQ(settings->v3.registrations_per_minute, code.registrations_per_minute);
  EXPECT_EQ(settings->v3.space_reserve, code.space_reserve);
  EXPECT_EQ(settings->v3.min_version, code.min_version);
  EXPECT_EQ(settings->v3.ratchet, code.ratchet);
  EXPECT_EQ(settings->v3.new_clients, code.new_clients);
  EXPECT_EQ(settings->v3.migrate, code.migrate);
  EXPECT_EQ(settings->watch, WatchSettings());
}

TEST_F(SettingsFile, what_is_watched_can_be_set_and_impossible_values_are_refused) {
  const auto settings = load(std::string(kListen) +
                             "[watch]\nenabled = false\ntolerance = '2h'\nbackups = 20\n"
                             "score = 80\nfreeze = '0s'\npin = '30d'\nlow_space = 0\n");
  ASSERT_TRUE(settings);
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->watch,
            (WatchSettings{false, std::chrono::hours(2), 20, 80, {}, std::chrono::hours(720), 0}));
  for (const char* wrong :
       {"score = 0", "score = 101", "backups = 1", "tolerance = '-1h'", "tolerance = '90d'",
        "low_space = 100", "pin = '1m'", "pin = '7d'\nfreeze = '14d'", "freeze = '100d'"}) {
    (void)load(std::string(kListen) + "[watch]\n" + wrong + "\n");
    EXPECT_TRUE(problems_.has_errors()) << wrong;
    EXPECT_NE(texts().find("watch."), std::string::npos) << texts();
  }
  EXPECT_EQ(settings->store_mode.mode, StoreSettings().mode);
  EXPECT_EQ(settings->store_mode.drain, StoreSettings().drain);
  EXPECT_TRUE(settings->traffic.empty());
}

TEST_F(SettingsFile, the_end_of_protocol_3_can_be_written_and_changed_while_running) {
  const auto settings =
      load("[legacy]\nmin_version = 4\nratchet = false\nnew_clients = false\nmigrate = 'open'\n" +
           std::string(kListen) + "mode = 'secure'\n");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->v3.min_version, 4);
  EXPECT_FALSE(settings->v3.ratchet);
  EXPECT_FALSE(settings->v3.new_clients);
  EXPECT_EQ(settings->v3.migrate, V3Migration::open);
  for (const ShownOption& option : settings->shown)
    for (const char* key : {"min_version", "ratchet", "new_clients", "migrate", "mode", "versions"})
      EXPECT_TRUE(option.key != key || option.reloadable) << key;
}

TEST_F(SettingsFile, a_mode_stands_for_versions) {
  const std::string at = "[[listen]]\naddress = '127.0.0.1:0'\n";
  const auto settings = load(at + "mode = 'legacy'\n" + at + "mode = 'compat'\n" + at +
                             "mode = 'secure'\n" + at + "mode = 'compat'\nversions = [4, 3]\n");
  ASSERT_TRUE(settings);
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->listen[0].versions, std::vector<int>{3});
  EXPECT_EQ(settings->listen[1].versions, (std::vector<int>{3, 4}));
  EXPECT_EQ(settings->listen[2].versions, std::vector<int>{4});
  EXPECT_EQ(settings->listen[3].versions, (std::vector<int>{3, 4}));
  EXPECT_EQ(settings->listen[2].mode, ListenMode::secure);
  size_t shown = 0;
  for (const ShownOption& option : settings->shown) shown += option.key == "versions" ? 1 : 0;
  EXPECT_EQ(shown, 1U) << "a default beside a mode would be a lie";
}

TEST_F(SettingsFile, a_mode_and_versions_that_contradict_it_are_an_error_that_says_so) {
  ASSERT_TRUE(load(std::string(kListen) + "mode = 'secure'\nversions = [3, 4]\n"));
  EXPECT_EQ(texts(),
            "FILE:4:12: listen.0.versions: contradicts mode = \"secure\", which means [4] (write "
            "one of the two)\n");
}

TEST_F(SettingsFile, everything_that_can_be_written_is_understood) {
  const auto settings = load(
      "[server]\ndata = 'data'\nio_threads = 3\nworkers = 5\nmemory = '128MiB'\n"
      "drain_timeout = '5s'\n"
      "[log]\nlevel = 'debug'\nformat = 'json'\nfile = 'd.log'\n"
      "[plugins]\ndir = '/p'\nload = ['acme-quic']\npins = 'enforce'\ncheck_owner = false\n"
      "[plugins.sha256]\nstore-fs = '" +
      std::string(64, 'a') +
      "'\n"
      "[[listen]]\nname = 'wan'\naddress = '[::1]:443'\ntransport = ['tls', 'acme-quic']\n"
      "versions = [3]\ndialect = '2023'\nmax_connections = 7\n[listen.tls]\ncertificate = 'c'\n"
      "[store]\nuse = ['fault', 'sqlite']\n[store.sqlite]\nfile = 'x'\n"
      "[compress]\nuse = 'zstd'\n[compress.zstd]\nlevel = 3\n"
      "[legacy]\noaep = 'sha1'\nack_resend = 'immediate'\nack_delay = '1s'\n"
      "[limits]\nconnections = 10\nconnections_per_address = 2\nreserve = '1GiB'\n");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->data, folder_ / "data");
  EXPECT_EQ(settings->io_threads, 3u);
  EXPECT_EQ(settings->workers, 5u);
  EXPECT_EQ(settings->log.level, log::Level::debug);
  EXPECT_EQ(settings->log.format, log::Format::json);
  EXPECT_EQ(settings->log.file, (folder_ / "d.log").string());
  EXPECT_EQ(settings->plugins.pins, plugin::Pins::enforce);
  EXPECT_FALSE(settings->plugins.check_owner);
  EXPECT_EQ(settings->plugins.sha256.at("store-fs"), std::string(64, 'a'));
  const ListenSettings& listen = settings->listen.at(0);
  EXPECT_EQ(listen.name, "wan");
  EXPECT_EQ(listen.host, "::1");
  EXPECT_EQ(listen.port, 443);
  EXPECT_EQ(listen.dialect, Dialect::of_2023);
  EXPECT_EQ(listen.max_connections, 7u);
  EXPECT_EQ(listen.transport.at(0).id, "transport-tls");
  EXPECT_EQ(listen.transport.at(0).table.members.size(), 1u);
  EXPECT_EQ(listen.transport.at(1).id, "acme-quic");
  EXPECT_EQ(settings->store.at(0).id, "store-fault");
  EXPECT_EQ(settings->store.at(1).id, "store-sqlite");
  EXPECT_EQ(settings->v3.oaep, OaepChoice::sha1);
  EXPECT_TRUE(settings->v3.ack_resend_at_once);
  EXPECT_EQ(settings->v3.space_reserve, kGiB);
  EXPECT_EQ(settings->limits.connections_per_address, 2u);
}

TEST_F(SettingsFile, each_mistake_is_named_with_file_line_key_and_nearest_key) {
  ASSERT_TRUE(
      load("[sever]\nx = 1\n"
           "[server]\nio_thread = 4\nworkers = 'many'\n"
           "[[listen]]\nadress = '127.0.0.1:1'\ntransport = ['tcp']\n"
           "[listen.tpc]\nnodelay = true\n"
           "[legacy]\noaep = 'sha-1'\n"
           "[limits]\nconnections = 0\n"));
  EXPECT_EQ(
      texts(),
      "FILE:1:2: sever: is not a known key (did you mean server?)\n"
      "FILE:4:1: server.io_thread: is not a known key (did you mean server.io_threads?)\n"
      "FILE:5:11: server.workers: must be an integer, not text\n"
      "FILE:7:1: listen.0.adress: is not a known key (did you mean listen.0.address?)\n"
      "FILE:6:1: listen.0.address: is required, but was not written (HOST:PORT, numeric; port 0 "
      "lets the system choose.)\n"
      "FILE:12:8: legacy.oaep: must be one of auto, sha256, sha1, not 'sha-1' (did you mean "
      "sha1?)\n"
      "FILE:14:15: limits.connections: must be at least 1, not 0\n"
      "FILE:9:9: listen.0.tpc: belongs to no plugin that is used here (did you mean "
      "listen.0.tcp?)\n");
}

TEST_F(SettingsFile, limits_of_accounts_and_devices_are_read) {
  const auto settings = load(
      "[[listen]]\naddress = '127.0.0.1:5'\n"
      "[limits]\naccount_stored = '500GiB'\naccount_soft = '400GiB'\ngrace = '7d'\n"
      "device_stored = '100GiB'\ndevice_sessions = 3\nsession_upload = '50GiB'\n"
      "low_water = '10GiB'\n");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->quotas.account.stored, 500 * kGiB);
  EXPECT_EQ(settings->quotas.account.soft, 400 * kGiB);
  EXPECT_EQ(settings->quotas.account.grace_ns, 7 * 86400 * uint64_t{1'000'000'000});
  EXPECT_EQ(settings->quotas.account.sessions, 0U);
  EXPECT_EQ(settings->quotas.device.stored, 100 * kGiB);
  EXPECT_EQ(settings->quotas.device.soft, 0U);
  EXPECT_EQ(settings->quotas.device.sessions, 3U);
  EXPECT_EQ(settings->quotas.account.upload, 50 * kGiB);
  EXPECT_EQ(settings->engine.low_water, 10 * kGiB);
}

TEST_F(SettingsFile, limits_that_cannot_be_are_named_with_their_place) {
  ASSERT_TRUE(
      load("[[listen]]\naddress = '127.0.0.1:5'\n"
           "[limits]\naccount_stored = '100GiB'\naccount_soft = '200GiB'\n"
           "device_stored = '1MiB'\nreserve = '2GiB'\nlow_water = '1GiB'\n"));
  EXPECT_EQ(texts(),
            "FILE:4:18: limits.account_stored: limit soft of 200.0 GiB is not below the hard one "
            "of 100.0 GiB (give a smaller one, or none)\n"
            "FILE:6:17: limits.device_stored: limit stored of 1.0 MiB is less than the packs of "
            "one backup may need (give at least 16.0 MiB, or none)\n"
            "FILE:8:13: limits.low_water: is below limits.reserve, where uploads are refused "
            "already (give more than the reserve, or 0)\n");
}

TEST_F(SettingsFile, a_listener_must_be_one_that_can_be_opened) {
  ASSERT_TRUE(
      load("[[listen]]\naddress = 'example.org:1'\n"
           "[[listen]]\naddress = '127.0.0.1:70000'\n"
           "[[listen]]\naddress = '127.0.0.1:5'\nversions = [3, 5]\ntransport = []\n"
           "[[listen]]\naddress = '127.0.0.1:5'\n"));
  EXPECT_EQ(texts(),
            "FILE:2:11: listen.0.address: 'example.org:1' has no numeric host (write it like "
            "\"0.0.0.0:1256\" or \"[::]:1256\")\n"
            "FILE:4:11: listen.1.address: '127.0.0.1:70000' has no port from 0 to 65535 (write it "
            "like \"0.0.0.0:1256\" or \"[::]:1256\")\n"
            "FILE:8:13: listen.2.transport: must not be empty (write [\"tcp\"])\n"
            "FILE:7:12: listen.2.versions: '5' is not a version that this program serves (write "
            "[3], [4] or [3, 4])\n"
            "FILE:10:11: listen.3.address: is the address of another listener too (FILE:5:1)\n");
}

TEST_F(SettingsFile, no_listener_is_an_error) {
  ASSERT_TRUE(load("[server]\n"));
  EXPECT_EQ(texts(),
            "FILE:1:1: listen: there is no listener (add a [[listen]] block with an address)\n");
  ASSERT_TRUE(load("[listen]\naddress = '127.0.0.1:1'\n"));
  EXPECT_EQ(texts(), "FILE:1:1: listen: must be written as [[listen]], not as a table\n");
}

TEST_F(SettingsFile, a_pin_must_be_a_hash) {
  ASSERT_TRUE(load(std::string(kListen) + "[plugins.sha256]\nstore-fs = 'abc'\n"));
  EXPECT_EQ(texts(),
            "FILE:4:12: plugins.sha256.store-fs: must be text of 64 hex digits (cyberbackupd "
            "plugins pin prints it)\n");
}

TEST_F(SettingsFile, environment_overrides_the_file_and_the_command_line_both) {
  request_.environment = {"CYBERBACKUPD_SERVER__IO_THREADS=4", "CYBERBACKUPD_SERVER__WORKERS=4",
                          "OTHER=1"};
  request_.set = {"server.workers=6", "listen.0.dialect=2023"};
  const auto settings = load("[server]\nio_threads = 2\nworkers = 2\n" + std::string(kListen));
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->io_threads, 4u);
  EXPECT_EQ(settings->workers, 6u);
  EXPECT_EQ(settings->listen[0].dialect, Dialect::of_2023);
}

TEST_F(SettingsFile, a_wrong_override_names_itself) {
  request_.environment = {"CYBERBACKUPD_SERVER__IO_THREAD=4"};
  request_.set = {"log.level=loud"};
  ASSERT_TRUE(load(kListen));
  EXPECT_EQ(texts(),
            "environment variable CYBERBACKUPD_SERVER__IO_THREAD: server.io_thread: is not a known "
            "key (did you mean server.io_threads?)\n"
            "--set log.level: log.level: must be one of trace, debug, info, warn, error, not "
            "'loud'\n");
}

TEST_F(SettingsFile, modules_have_log_levels_of_their_own) {
  const auto settings =
      load("[log]\nlevels = { v4 = 'debug', plugin = 'error' }\n" + std::string(kListen));
  ASSERT_TRUE(settings);
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->log.levels,
            (log::ModuleLevels{{"v4", log::Level::debug}, {"plugin", log::Level::error}}));
  ASSERT_TRUE(load("[log]\nlevels = { v4 = 'loud' }\n" + std::string(kListen)));
  EXPECT_EQ(texts(), "FILE:2:17: log.levels.v4: must be one of trace, debug, info, warn, error\n");
  ASSERT_TRUE(load("[log]\nlevels = 'debug'\n" + std::string(kListen)));
  EXPECT_EQ(texts(), "FILE:2:10: log.levels: must be a table (write it like { v4 = \"debug\" })\n");
}

TEST_F(SettingsFile, pages_about_the_daemon_are_for_this_machine_alone) {
  EXPECT_FALSE(load(kListen)->observe.is_on);
  const auto on = load("[observe]\nlisten = '127.0.0.1:9464'\n" + std::string(kListen));
  EXPECT_EQ(texts(), "");
  EXPECT_TRUE(on->observe.is_on);
  EXPECT_EQ(on->observe.port, 9464);
  ASSERT_TRUE(load("[observe]\nlisten = '0.0.0.0:9464'\n" + std::string(kListen)));
  EXPECT_EQ(texts(),
            "FILE:2:10: observe.listen: could be read by other machines: the pages ask for no "
            "password (listen on 127.0.0.1, or set allow_public = true behind a firewall)\n");
  ASSERT_TRUE(
      load("[observe]\nlisten = '0.0.0.0:9464'\nallow_public = true\n" + std::string(kListen)));
  EXPECT_EQ(texts(), "");
}

TEST_F(SettingsFile, the_daemon_is_confined_unless_it_is_told_otherwise) {
  const auto usual = load(kListen);
  ASSERT_TRUE(usual);
  EXPECT_TRUE(usual->confinement.filter);
  EXPECT_TRUE(usual->confinement.user.empty());
  EXPECT_TRUE(usual->confinement.calls.empty());
  const auto written = load(std::string(kListen) +
                            "[confinement]\nuser = 'root'\nfilter = false\ncalls = "
                            "['io_uring_setup', 'ptrace']\n");
  ASSERT_TRUE(written);
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(written->confinement.user, "root");
  EXPECT_FALSE(written->confinement.filter);
  EXPECT_EQ(written->confinement.calls, (std::vector<std::string>{"io_uring_setup", "ptrace"}));
  ASSERT_TRUE(load(std::string(kListen) +
                   "[confinement]\nuser = 'no-such-user'\ncalls = ['make_coffee']\n"));
  EXPECT_EQ(texts(),
            "FILE:4:8: confinement.user: names the user 'no-such-user', whom the system does not "
            "know (make one: useradd --system no-such-user)\n"
            "FILE:5:9: confinement.calls: 'make_coffee' is no system call of this machine (write "
            "names as in the manual's section 2: ioprio_set)\n");
}

TEST_F(SettingsFile, sources_of_copies_are_read_whole_or_refused_with_the_reason) {
  repository::PairingToken token;
  token.secret = Secret(Bytes(32, std::byte{2}));
  token.servers = {"home.example:1257"};
  const std::string text = repository::format_replica_token(token).value();
  ASSERT_TRUE(os::write_file_atomically(os::real_file_system(), folder_ / "home.token",
                                        as_bytes(text), 0600));
  const std::string source =
      "[[replication.source]]\nname = 'home'\ntoken = { file = "
      "'home.token' }\naccounts = ['alice']\nremove_vanished = true\nmost_stored = '2GiB'\n";
  auto settings = load("[replication]\nlimit = '5MiB'\nmost_time = '10m'\nmost_stored = '1GiB'\n" +
                       source + std::string(kListen));
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(texts(), "");
  const ReplicationSettings& read = settings->upkeep.replication;
  EXPECT_EQ(read.limit, 5 * kMiB);
  EXPECT_EQ(read.most_time, std::chrono::minutes(10));
  EXPECT_EQ(read.most_stored, 1024 * kMiB);
  ASSERT_EQ(read.sources.size(), 1U);
  EXPECT_EQ(read.sources[0].most_stored, 2048 * kMiB);
  EXPECT_EQ(read.sources[0].name, "home");
  EXPECT_EQ(as_text(read.sources[0].token->view()), text);
  EXPECT_EQ(read.sources[0].accounts, std::vector<std::string>{"alice"});
  EXPECT_TRUE(read.sources[0].removes_vanished);
  EXPECT_FALSE(read.sources[0].heals_only);
  (void)load(source + source + std::string(kListen));
  EXPECT_NE(texts().find("is the name of another source, too"), std::string::npos) << texts();
  (void)load("[[replication.source]]\nname = '../x'\ntoken = { file = 'd.toml' }\npin = 'ab'\n" +
             std::string(kListen));
  EXPECT_NE(texts().find("replication.source.0.name: is no name"), std::string::npos) << texts();
  EXPECT_NE(texts().find("replication.source.0.token"), std::string::npos) << texts();
  EXPECT_NE(texts().find("replication.source.0.pin"), std::string::npos) << texts();
  (void)load("[replication]\nlimit = 1000\n" + std::string(kListen));
  EXPECT_NE(texts().find("replication.limit: must be 4 KiB at least"), std::string::npos)
      << texts();
  (void)load("[replication]\nsource = 3\n" + std::string(kListen));
  EXPECT_NE(texts().find("must be written as [[replication.source]]"), std::string::npos);
  (void)load("[[replication.source]]\nnam = 'home'\n" + std::string(kListen));
  EXPECT_NE(texts().find("replication.source.0.nam"), std::string::npos) << texts();
}

TEST_F(SettingsFile, names_of_sources_become_names_of_files_and_nothing_else) {
  for (const char* good : {"home", "off-site.2", "A_1"}) EXPECT_TRUE(is_source_name(good)) << good;
  for (const char* bad : {"", ".", "..", "-x", "a/b", "a b", "\n"})
    EXPECT_FALSE(is_source_name(bad)) << bad;
  EXPECT_FALSE(is_source_name(std::string(41, 'a')));
  EXPECT_TRUE(is_account_name("v3/0123@x"));
  EXPECT_FALSE(is_account_name("a\tb"));
  EXPECT_FALSE(is_account_name(""));
}

TEST_F(SettingsFile, a_file_that_is_not_there_or_not_toml_is_an_error) {
  EXPECT_EQ(load_settings(request_, problems_).error().code, Code::not_found);
  const auto settings = load("[server\n");
  ASSERT_FALSE(settings);
  EXPECT_TRUE(settings.error().object.ends_with("d.toml:1:8")) << settings.error().text();
}

TEST_F(SettingsFile, shown_settings_say_what_is_written_and_what_is_default) {
  const auto settings = load("[server]\nworkers = 2\n" + std::string(kListen));
  ASSERT_TRUE(settings);
  const auto find = [&](const std::string& table, const std::string& key) {
    for (const ShownOption& option : settings->shown)
      if (option.table == table && option.key == key)
        return option.value + (option.is_default ? " default" : "");
    return std::string("missing");
  };
  EXPECT_EQ(find("server", "workers"), "2");
  EXPECT_EQ(find("server", "memory"), "\"64MiB\" default");
  EXPECT_EQ(find("listen.0", "address"), "\"127.0.0.1:0\"");
  EXPECT_EQ(find("legacy", "idle_timeout"), "\"1m\" default");
}

TEST(ListenAddress, is_a_numeric_host_and_a_port) {
  EXPECT_EQ(*parse_listen_address("0.0.0.0:1256"),
            std::pair(std::string("0.0.0.0"), uint16_t{1256}));
  EXPECT_EQ(*parse_listen_address("[::]:0"), std::pair(std::string("::"), uint16_t{0}));
  EXPECT_EQ(*parse_listen_address("localhost:1"), std::pair(std::string("127.0.0.1"), uint16_t{1}));
  for (const char* wrong : {"", ":1", "1256", "::1:5", "[::1]", "[1.2.3.4]:5",
                            "1.2.3.4:", "1.2.3.4:-1", "1.2.3.4:65536", "a:1"})
    EXPECT_FALSE(parse_listen_address(wrong)) << wrong;
}

TEST_F(SettingsFile, traffic_rules_are_read_with_all_that_they_say) {
  const auto settings = load(std::string(kListen) + R"(
[[traffic]]
name = "office"
networks = ["10.0.0.0/8", "2001:db8::/32"]
accounts = ["alice", "v3/*"]
direction = "in"
days = ["mon", "fri"]
time = "08:00-18:00"
zone = "local"
rate = "5MiB"
burst = "20MiB"

[[traffic]]
name = "rest"
rate = "64KiB"
)");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(texts(), "");
  ASSERT_EQ(settings->traffic.size(), 2U);
  const TrafficRule& office = settings->traffic[0];
  EXPECT_EQ(office.name, "office");
  ASSERT_EQ(office.networks.size(), 2U);
  EXPECT_EQ(office.networks[1].text(), "2001:db8::/32");
  EXPECT_EQ(office.accounts, (std::vector<std::string>{"alice", "v3/*"}));
  EXPECT_EQ(office.direction, Direction::in);
  EXPECT_TRUE(office.in_local_time);
  EXPECT_EQ(office.when, schedule::TimeFrame::make({"mon", "fri"},
                                                   schedule::Window::parse("08:00-18:00").value())
                             .value());
  EXPECT_EQ(office.rate, (stream::Rate{5 * kMiB, 20 * kMiB}));
  const TrafficRule& rest = settings->traffic[1];
  EXPECT_TRUE(rest.networks.empty() && rest.accounts.empty());
  EXPECT_EQ(rest.direction, Direction::both);
  EXPECT_EQ(rest.rate, (stream::Rate{64 * kKiB, 64 * kKiB}));
}

TEST_F(SettingsFile, traffic_rules_that_cannot_be_are_refused_where_they_stand) {
  ASSERT_TRUE(load(std::string(kListen) + R"([[traffic]]
name = "a"
rate = "1KiB"
[[traffic]]
name = "b"
rate = "1MiB"
networks = ["10.0.0.1/8"]
[[traffic]]
name = "b"
rate = "1MiB"
days = ["monday"]
[[traffic]]
rate = "1MiB"
[[traffic]]
name = "e"
rate = "1MiB"
time = "8-18"
)"));
  const std::string all = texts();
  for (const char* part : {"traffic.0.rate", "traffic.1.networks", "traffic.2.days",
                           "traffic.2.name", "traffic.3.name", "traffic.4.time"})
    EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
  ASSERT_TRUE(load(std::string("traffic = 7\n") + kListen));
  EXPECT_NE(texts().find("[[traffic]]"), std::string::npos) << texts();
}

TEST_F(SettingsFile, the_mode_of_the_store_stands_beside_its_plugins) {
  const auto settings =
      load(std::string(kListen) + "[store]\nuse = ['fs']\nmode = 'read-only'\ndrain = '1h'\n");
  ASSERT_TRUE(settings);
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(settings->store_mode.mode, StoreMode::read_only);
  EXPECT_EQ(settings->store_mode.drain, std::chrono::hours(1));
  ASSERT_TRUE(load(std::string(kListen) + "[store]\nmode = 'closed'\n"));
  EXPECT_NE(texts().find("store.mode"), std::string::npos) << texts();
}

}  // namespace
}  // namespace cb::server
