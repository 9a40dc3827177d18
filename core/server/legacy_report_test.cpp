// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_report.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/server/stopped_clock.h"

namespace cb::server {
namespace {

using catalog::LegacyPolicy;
using catalog::LegacyUse;
using std::chrono::hours;

constexpr auto kSince = hours(24 * 30);

int64_t count(std::chrono::nanoseconds time) { return time.count(); }

// A catalog in a file, three listeners, and a clock that stands still.
class LegacyReportTest : public ::testing::Test {
 protected:
  LegacyReportTest() {
    std::string name = (std::filesystem::temp_directory_path() / "cb-report-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    auto opened = catalog::open_sqlite_catalog((folder_ / "catalog.sqlite").string(), true);
    EXPECT_TRUE(opened) << opened.error().text();
    catalog_ = std::move(*opened);
    listen("plain", {3});
    listen("both", {3, 4});
    listen("tls", {4});
  }
  ~LegacyReportTest() override {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  void listen(const std::string& name, std::vector<int> versions) {
    ListenSettings one;
    one.name = name;
    one.versions = std::move(versions);
    settings_.listen.push_back(std::move(one));
  }

  [[nodiscard]] int64_t now() const { return clock_.wall().count(); }
  [[nodiscard]] int64_t ago(std::chrono::nanoseconds time) const { return now() - time.count(); }

  ClientId add(const std::string& name, int64_t last_seen_ns = 0) {
    catalog::LegacyClient client;
    client.id.bytes[0] = static_cast<std::byte>(++clients_);
    client.name = name;
    client.created_ns = client.last_seen_ns = last_seen_ns;
    const Status added = catalog_->add_client(client);
    EXPECT_TRUE(added) << added.error().text();
    return client.id;
  }
  void decide(const ClientId& id, const std::function<void(LegacyPolicy&)>& change) {
    const Status done = catalog_->change_legacy_policy(id, change);
    ASSERT_TRUE(done) << done.error().text();
  }
  void use(const ClientId& id, const std::string& listener, std::chrono::nanoseconds before,
           const std::string& address = "10.0.0.1") {
    const Status done = catalog_->note_legacy_use(
        id, LegacyUse{listener, address, ago(before), ago(before), 1, 2, 300});
    ASSERT_TRUE(done) << done.error().text();
  }

  LegacyReport collect() {
    auto report = collect_legacy_report(*catalog_, settings_, now(), kSince);
    EXPECT_TRUE(report) << report.error().text();
    return report ? std::move(*report) : LegacyReport();
  }
  // Names that block a listener; "none" when it is not told of.
  static std::vector<std::string> blocking(const LegacyReport& report, const std::string& name) {
    for (const LegacyListenerReport& one : report.listeners)
      if (one.name == name) return one.blocking;
    return {"none"};
  }
  static std::string last_line(const std::string& text) {
    return text.substr(text.rfind('\n') + 1);
  }

  std::filesystem::path folder_;
  std::unique_ptr<catalog::Catalog> catalog_;
  Settings settings_;
  StoppedClock clock_;
  uint8_t clients_ = 0;
};

using Names = std::vector<std::string>;

// What is decided about a client, whether it came, and what is to be said of it.
struct Case {
  const char* what;
  std::function<void(LegacyPolicy&, int64_t now)> decided;
  bool came;  // yesterday, at "plain"
  LegacyState state;
  bool served;
  bool blocks;
};

const std::vector<Case> kCases = {
    {"nothing is decided, it came", {}, true, LegacyState::speaks_v3, true, true},
    {"nothing is decided, it never came", {}, false, LegacyState::never_seen, true, true},
    {"imported, it never came", [](LegacyPolicy& p, int64_t now) { p.imported_ns = now; }, false,
     LegacyState::never_seen, true, true},
    {"imported, it came", [](LegacyPolicy& p, int64_t now) { p.imported_ns = now - 1; }, true,
     LegacyState::speaks_v3, true, true},
    {"refused by its policy", [](LegacyPolicy& p, int64_t) { p.min_version = 4; }, true,
     LegacyState::refused, false, false},
    {"imported and refused by its policy",
     [](LegacyPolicy& p, int64_t now) {
       p.imported_ns = now;
       p.min_version = 4;
     },
     false, LegacyState::refused, false, false},
    {"the ratchet closed", [](LegacyPolicy& p, int64_t now) { p.ended_ns = now; }, true,
     LegacyState::refused, false, false},
    {"the ratchet closed and is lifted",
     [](LegacyPolicy& p, int64_t now) {
       p.ended_ns = now - 1;
       p.lifted_until_ns = now + 1;
     },
     true, LegacyState::speaks_v3, true, true},
    {"the lift has run out",
     [](LegacyPolicy& p, int64_t now) { p.ended_ns = p.lifted_until_ns = now; }, true,
     LegacyState::refused, false, false},
    {"migrated, and the ratchet closed",
     [](LegacyPolicy& p, int64_t now) { p.migrated_ns = p.ended_ns = now; }, true,
     LegacyState::migrated, false, false},
    {"migrated, and the ratchet is off",
     [](LegacyPolicy& p, int64_t now) {
       p.migrated_ns = now;
       p.ratchet = false;
     },
     true, LegacyState::migrated, true, false},
};

TEST_F(LegacyReportTest, every_state_of_a_client_is_told_and_only_who_would_miss_v3_blocks) {
  for (const Case& one : kCases) {
    const ClientId id = add(one.what);
    if (one.decided) decide(id, [&](LegacyPolicy& policy) { one.decided(policy, now()); });
    if (one.came) use(id, "plain", hours(24));
  }
  const LegacyReport report = collect();
  ASSERT_EQ(report.clients.size(), kCases.size());
  for (const Case& one : kCases) {
    const auto found =
        std::find_if(report.clients.begin(), report.clients.end(),
                     [&](const LegacyClientReport& client) { return client.name == one.what; });
    ASSERT_NE(found, report.clients.end()) << one.what;
    EXPECT_STREQ(name_of(found->state), name_of(one.state)) << one.what;
    EXPECT_EQ(found->served, one.served) << one.what << ": " << found->refusal;
    EXPECT_EQ(found->refusal.empty(), one.served) << one.what;
    EXPECT_EQ(!found->reason.empty(), one.blocks) << one.what << ": " << found->reason;
  }
}

TEST_F(LegacyReportTest, a_client_blocks_the_listener_it_came_to_and_no_other) {
  use(add("alice"), "plain", hours(1));
  use(add("bob"), "both", hours(1));
  const LegacyReport report = collect();
  EXPECT_EQ(blocking(report, "plain"), Names{"alice"});
  EXPECT_EQ(blocking(report, "both"), Names{"bob"});
  EXPECT_EQ(blocking(report, "tls"), Names{"none"});
  EXPECT_EQ(report.blocking(), (Names{"alice", "bob"}));
}

TEST_F(LegacyReportTest, who_came_before_the_time_asked_for_blocks_nothing) {
  use(add("just within"), "plain", kSince);
  use(add("just before"), "plain", kSince + std::chrono::nanoseconds(1));
  const LegacyReport report = collect();
  EXPECT_EQ(blocking(report, "plain"), Names{"just within"});
  EXPECT_EQ(report.clients[0].name, "just before");
  EXPECT_EQ(report.clients[0].state, LegacyState::speaks_v3);
}

TEST_F(LegacyReportTest, an_imported_client_that_never_came_blocks_every_listener) {
  decide(add("imported", ago(hours(24 * 365))),
         [&](LegacyPolicy& policy) { policy.imported_ns = now(); });
  const LegacyReport report = collect();
  EXPECT_EQ(blocking(report, "plain"), Names{"imported"});
  EXPECT_EQ(blocking(report, "both"), Names{"imported"});
  EXPECT_EQ(report.clients[0].reason, "came by import and was never seen here");
  EXPECT_EQ(report.clients[0].last_seen_ns, ago(hours(24 * 365)));
}

TEST_F(LegacyReportTest, who_came_to_a_listener_that_is_not_known_blocks_every_listener) {
  add("before use was recorded", ago(hours(1)));
  add("long before", ago(kSince + hours(1)));
  use(add("renamed"), "old name", hours(1));
  use(add("long renamed"), "old name", kSince + hours(1));
  const LegacyReport report = collect();
  const Names expected{"before use was recorded", "renamed"};
  EXPECT_EQ(blocking(report, "plain"), expected);
  EXPECT_EQ(blocking(report, "both"), expected);
}

TEST_F(LegacyReportTest, who_came_to_a_listener_that_does_not_serve_v3_any_more_blocks_no_other) {
  use(add("alice"), "tls", hours(1));
  EXPECT_TRUE(collect().blocking().empty());
}

TEST_F(LegacyReportTest, a_server_that_serves_v3_to_nobody_is_safe) {
  use(add("alice"), "plain", hours(1));
  EXPECT_EQ(last_line(legacy_report_text(collect())), "not safe: alice");
  settings_.v3.min_version = 4;
  const LegacyReport report = collect();
  EXPECT_EQ(report.clients[0].state, LegacyState::refused);
  EXPECT_EQ(report.exposure.clients, 0u);
  EXPECT_EQ(last_line(legacy_report_text(report)), "safe");
  settings_.v3.min_version = 3;
  settings_.listen.erase(settings_.listen.begin(), settings_.listen.begin() + 2);
  const std::string text = legacy_report_text(collect());
  EXPECT_NE(text.find("\nno listener serves protocol 3\n"), std::string::npos) << text;
  EXPECT_EQ(last_line(text), "safe");
}

TEST_F(LegacyReportTest, a_client_is_told_with_all_its_addresses_and_the_sum_of_its_uses) {
  const ClientId id = add("alice", ago(hours(48)));
  use(id, "both", hours(30), "10.0.0.1");
  use(id, "plain", hours(20), "10.0.0.2");
  use(id, "plain", hours(10), "10.0.0.3");
  use(id, "plain", hours(40), "");
  ASSERT_TRUE(catalog_->set_oaep(id, catalog::OaepHash::sha1, true));
  decide(id, [](LegacyPolicy& policy) { policy.key_replaced = true; });
  const LegacyClientReport one = collect().clients.at(0);
  EXPECT_EQ(one.logins, 4u);
  EXPECT_EQ(one.uploads, 8u);
  EXPECT_EQ(one.bytes, 1200u);
  EXPECT_EQ(one.addresses, (Names{"10.0.0.3", "10.0.0.2", "10.0.0.1"}));
  EXPECT_EQ(one.listeners, (Names{"both", "plain"}));
  EXPECT_EQ(one.first_seen_ns, ago(hours(48)));
  EXPECT_EQ(one.last_seen_ns, ago(hours(10)));
  EXPECT_EQ(one.oaep, catalog::OaepHash::sha1);
  EXPECT_FALSE(one.key_bits);
  EXPECT_TRUE(one.key_replaced);
}

TEST_F(LegacyReportTest, what_is_exposed_is_counted_of_those_that_v3_is_served_to) {
  use(add("alice"), "plain", hours(24 * 400));  // silent for long, and let in all the same
  use(add("bob"), "both", hours(1));
  const ClientId carol = add("carol");
  use(carol, "plain", hours(1));
  decide(carol, [&](LegacyPolicy& policy) { policy.ended_ns = now(); });
  add("dave");
  const LegacyExposure exposure = collect().exposure;
  EXPECT_EQ(exposure.clients, 2u);
  EXPECT_EQ(exposure.logins, 2u);
  EXPECT_EQ(exposure.uploads, 4u);
  EXPECT_EQ(exposure.bytes, 600u);
}

TEST_F(LegacyReportTest, the_text_ends_with_what_is_exposed_each_listener_and_the_verdict) {
  use(add("alice"), "plain", hours(1));
  use(add("bob"), "plain", hours(1));
  const std::string text = legacy_report_text(collect());
  const std::string expected =
      "\nprotocol 3 is served to 2 clients that used it; by itself it has\n"
      "  data unauthenticated   4 uploads, 600 B\n"
      "  zero IV                4 uploads, 600 B\n"
      "  no identity of client  2 logins\n"
      "  no identity of server  2 logins\n"
      "\n"
      "listener plain: not safe: alice, bob\n"
      "listener both: safe to switch to secure\n"
      "not safe: alice, bob";
  ASSERT_GE(text.size(), expected.size());
  EXPECT_EQ(text.substr(text.size() - expected.size()), expected);
}

TEST_F(LegacyReportTest, names_from_the_wire_reach_no_terminal_and_no_monitor_as_they_are) {
  settings_.listen[0].name = "pl\x1b[31main";
  use(add("evil\x1b]0;x\x07\xc2\x9b"
          "2J\nsafe"),
      settings_.listen[0].name, hours(1), "10.0.0.\x1b");
  const LegacyReport report = collect();
  const std::string text = legacy_report_text(report);
  const std::string metrics = legacy_report_metrics(report);
  for (const std::string& shown : {text, metrics}) {
    EXPECT_EQ(shown.find('\x1b'), std::string::npos) << shown;
    EXPECT_EQ(shown.find("\xc2\x9b"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("\nsafe"), std::string::npos) << shown;
    EXPECT_NE(shown.find("evil?]0;x??2J?safe"), std::string::npos) << shown;
  }
  EXPECT_EQ(last_line(text), "not safe: evil?]0;x??2J?safe");
}

TEST_F(LegacyReportTest, json_says_whether_it_is_safe_and_why_not) {
  use(add("alice"), "plain", hours(1));
  const ClientId bob = add("bob");
  decide(bob, [&](LegacyPolicy& policy) { policy.ended_ns = now(); });
  const report::Json json = legacy_report_json(collect());
  EXPECT_EQ(json["safe"], false);
  EXPECT_EQ(json["blocking"], report::Json::array({"alice"}));
  EXPECT_EQ(json["since_ns"], count(kSince));
  EXPECT_EQ(json["listeners"][0]["name"], "plain");
  EXPECT_EQ(json["listeners"][0]["safe"], false);
  EXPECT_EQ(json["listeners"][1]["safe"], true);
  EXPECT_EQ(json["exposure"]["clients"], 1);
  EXPECT_EQ(json["exposure"]["zero_iv"]["bytes"], 300);
  EXPECT_EQ(json["exposure"]["no_identity_of_server"]["logins"], 1);
  const report::Json& alice = json["clients"][0];
  EXPECT_EQ(alice["name"], "alice");
  EXPECT_EQ(alice["state"], "speaks v3");
  EXPECT_EQ(alice["blocking"], true);
  EXPECT_EQ(alice["reason"], "was seen at 2027-01-15T08:00:00Z at listener plain");
  EXPECT_EQ(alice["refusal"], nullptr);
  const report::Json& refused = json["clients"][1];
  EXPECT_EQ(refused["state"], "refused");
  EXPECT_EQ(refused["blocking"], false);
  EXPECT_EQ(refused["reason"], nullptr);
  EXPECT_FALSE(report::text_of(refused, "refusal").empty());
}

TEST_F(LegacyReportTest, json_and_text_of_a_server_without_such_clients_say_safe) {
  const LegacyReport report = collect();
  EXPECT_TRUE(
      report::json_line(legacy_report_json(report)).starts_with("{\"safe\":true,\"blocking\":[],"));
  EXPECT_EQ(legacy_report_text(report),
            "no client of protocol 3\n\nlistener plain: safe to switch to secure\n"
            "listener both: safe to switch to secure\nsafe");
}

TEST_F(LegacyReportTest, metrics_tell_the_verdict_the_states_and_each_client) {
  const ClientId alice = add("alice");
  use(alice, "plain", hours(1));
  decide(add("bob"), [&](LegacyPolicy& policy) { policy.migrated_ns = policy.ended_ns = now(); });
  const std::string text = legacy_report_metrics(collect());
  const std::string labels = "{client=\"alice\",id=\"" + alice.hex() + "\"} ";
  for (const std::string& line :
       {std::string("# TYPE cyberbackup_legacy_safe gauge\ncyberbackup_legacy_safe 0\n"),
        std::string("cyberbackup_legacy_listener_safe{listener=\"plain\"} 0\n"),
        std::string("cyberbackup_legacy_listener_safe{listener=\"both\"} 1\n"),
        std::string("cyberbackup_legacy_clients{state=\"speaks v3\"} 1\n"),
        std::string("cyberbackup_legacy_clients{state=\"migrated\"} 1\n"),
        std::string("cyberbackup_legacy_clients{state=\"refused\"} 0\n"),
        std::string("cyberbackup_legacy_clients{state=\"never seen here\"} 0\n"),
        "cyberbackup_legacy_client_blocks" + labels + "1\n",
        "cyberbackup_legacy_client_last_seen_timestamp_seconds" + labels + "1800000000\n",
        "# TYPE cyberbackup_legacy_bytes_total counter\ncyberbackup_legacy_bytes_total" + labels +
            "300\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "is missing in\n" << text;
}

}  // namespace
}  // namespace cb::server
