// SPDX-License-Identifier: Apache-2.0
//
// What is decided about v3 clients, and that the store keeps it for the day when the catalog is
// lost.
#include "core/server/v3_policy.h"

#include "core/repository/engine_chain.h"
#include "core/server/admin_commands.h"
#include "core/server/daemon_fixture.h"
#include "core/server/rebuild.h"
#include "core/server/stopped_clock.h"
#include "core/server/v3_note.h"

namespace cb::server {
namespace {

using catalog::LegacyPolicy;

class Policy : public DaemonFolder {
 protected:
  void SetUp() override {
    const auto made = init();
    ASSERT_TRUE(made) << made.error().text();
    seams_.clock = &clock_;
    settings_ = settings();
    open();
    client_.id.bytes[0] = std::byte{7};
    client_.name = "alice";
    client_.public_key = Bytes(3, std::byte{1});
    ASSERT_TRUE(backend_->catalog().add_client(client_));
  }
  void TearDown() override { close(); }

  void close() {
    policy_.reset();
    backend_.reset();
    registry_.reset();
  }
  void open() {
    close();
    registry_ = make_registry(settings_, seams_, log_);
    ASSERT_TRUE(prepare_plugins(settings_, *registry_));
    auto backend = Backend::open(settings_, *registry_, seams_);
    ASSERT_TRUE(backend) << backend.error().text();
    backend_ = std::move(*backend);
    policy_.emplace(
        V3Policy::Parts{&backend_->catalog(), &backend_->archive().keys(), &clock_, &log_},
        settings_.v3);
  }
  void rebuild() {
    close();
    const auto registry = make_registry(settings_, seams_, log_);
    ASSERT_TRUE(prepare_plugins(settings_, *registry));
    const auto done = rebuild_data_folder(settings_, *registry, seams_, {}, {});
    ASSERT_TRUE(done) << done.error().text();
    open();
  }
  // One small upload.
  void upload() {
    const auto deposit = backend_->archive().begin(client_.id, "f");
    ASSERT_TRUE(deposit) << deposit.error().text();
    ASSERT_TRUE((*deposit)->commit(4294967295));
  }
  void change(const std::function<void(LegacyPolicy&)>& change) {
    ASSERT_TRUE(policy_->change(client_.id, change));
  }
  LegacyPolicy now() { return backend_->catalog().legacy_policy(client_.id).value(); }
  std::string account() { return V3Keys::account_of(client_.id); }
  std::string note() {
    const auto kept = backend_->catalog().legacy_repository(client_.id).value();
    return v3_note_object(repository::decode_repository(kept->record)->id);
  }
  V3Note read_note() {
    const auto kept = backend_->catalog().legacy_repository(client_.id).value();
    const auto id = repository::decode_repository(kept->record)->id;
    const auto sealed = repository::read_object(backend_->store(), v3_note_object(id), 10'000);
    const V3Keys::Parts parts = backend_->v3_parts();
    return open_v3_note(*sealed, id, *parts.suite.crypto, *parts.server_key).value();
  }
  Result<report::Json> set_mode(report::Json request) {
    AdminCommands::Parts parts;
    parts.catalog = &backend_->catalog();
    parts.v3_policy = &*policy_;
    parts.log = &log_;
    request["command"] = "account.mode";
    if (!request.contains("account")) request["account"] = "alice";
    return AdminCommands(std::move(parts)).run(request, {});
  }

  StoppedClock clock_;
  Settings settings_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<Backend> backend_;
  std::optional<V3Policy> policy_;
  catalog::LegacyClient client_;
};

TEST_F(Policy, a_login_of_protocol_4_closes_the_ratchet_once) {
  EXPECT_TRUE(policy_->check(client_.id, "peer"));
  policy_->close_ratchet(account(), "192.0.2.1:4711");
  const int64_t then = clock_.wall().count();
  EXPECT_EQ(now().ended_ns, then);
  EXPECT_TRUE(log_.contains("info event=v3.ratchet.closed client=" + client_.id.hex() +
                            " peer=192.0.2.1:4711"))
      << log_.text();
  const Status refused = policy_->check(client_.id, "peer");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  clock_.forward(std::chrono::hours(1));
  policy_->close_ratchet(account(), "192.0.2.1:4711");
  EXPECT_EQ(now().ended_ns, then);
  EXPECT_EQ(log_.count("v3.ratchet.closed"), 1U);
}

TEST_F(Policy, only_the_account_of_a_v3_client_has_a_ratchet) {
  for (const std::string& name :
       {std::string("alice"), std::string("v3/"), account() + "/2", V3Keys::account_of(ClientId{})})
    policy_->close_ratchet(name, "peer");
  EXPECT_EQ(now(), LegacyPolicy{});
  EXPECT_FALSE(log_.contains("ratchet")) << log_.text();
}

TEST_F(Policy, the_ratchet_can_be_off_for_a_client_and_for_all) {
  V3Settings off = settings_.v3;
  off.ratchet = false;
  policy_->reconfigure(off);
  policy_->close_ratchet(account(), "peer");
  EXPECT_EQ(now().ended_ns, 0);
  change([](LegacyPolicy& policy) { policy.ratchet = true; });
  policy_->close_ratchet(account(), "peer");
  EXPECT_NE(now().ended_ns, 0);
  policy_->reconfigure(settings_.v3);
  change([](LegacyPolicy& policy) { policy = {.ratchet = false}; });
  policy_->close_ratchet(account(), "peer");
  EXPECT_EQ(now().ended_ns, 0);
}

TEST_F(Policy, a_login_during_a_lift_leaves_the_lift_and_its_end_ends_protocol_3_again) {
  policy_->close_ratchet(account(), "peer");
  const std::chrono::nanoseconds day = std::chrono::hours(24);
  change([&](LegacyPolicy& policy) { policy.lifted_until_ns = (clock_.wall() + day).count(); });
  EXPECT_TRUE(policy_->check(client_.id, "peer"));
  policy_->close_ratchet(account(), "peer");
  EXPECT_TRUE(policy_->check(client_.id, "peer"));
  clock_.forward(day);
  EXPECT_FALSE(policy_->check(client_.id, "peer"));
}

TEST_F(Policy, a_mode_is_set_for_a_client_by_its_name_or_its_account) {
  auto answer = set_mode({{"mode", "secure"}});
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ((*answer)["mode"], "secure");
  EXPECT_EQ(now().min_version, 4);
  EXPECT_FALSE(policy_->check(client_.id, "peer"));
  answer = set_mode({{"account", account()}, {"mode", "legacy"}});
  EXPECT_EQ((*answer)["ratchet"], "off");
  EXPECT_EQ(now(), (LegacyPolicy{.min_version = 3, .ratchet = false}));
  EXPECT_TRUE(policy_->check(client_.id, "peer"));
  answer = set_mode({{"mode", "compat"}});
  EXPECT_EQ(now(), (LegacyPolicy{.min_version = 3, .ratchet = true}));
  answer = set_mode({{"min_version", 4}, {"ratchet", "off"}});
  EXPECT_EQ(now(), (LegacyPolicy{.min_version = 4, .ratchet = false}));
  EXPECT_EQ(log_.count("event=admin.account.mode"), 4U) << log_.text();
  EXPECT_TRUE(log_.contains("info event=v3.mode.set client=" + client_.id.hex() +
                            " name=alice min_version=4 ratchet=off"))
      << log_.text();
  ASSERT_TRUE(set_mode({}));
  EXPECT_EQ(log_.count("event=v3.mode.set"), 4U) << "to look is not to decide";
}

TEST_F(Policy, a_mode_that_makes_no_sense_changes_nothing) {
  for (const report::Json& wrong :
       {report::Json{{"mode", "fast"}}, report::Json{{"min_version", 5}},
        report::Json{{"min_version", "4"}}, report::Json{{"ratchet", true}},
        report::Json{{"mode", "secure"}, {"ratchet", "maybe"}}})
    EXPECT_EQ(set_mode(wrong).error().code, Code::invalid) << wrong.dump();
  EXPECT_EQ(set_mode({{"account", "bob"}, {"mode", "secure"}}).error().code, Code::not_found);
  EXPECT_EQ(now(), LegacyPolicy{});
}

TEST_F(Policy, what_was_decided_outlives_the_catalog) {
  upload();
  EXPECT_EQ(read_note().policy, LegacyPolicy{});
  policy_->close_ratchet(account(), "peer");
  ASSERT_TRUE(set_mode({{"min_version", 4}}));
  change([](LegacyPolicy& policy) { policy.key_replaced = true; });
  const LegacyPolicy before = now();
  rebuild();
  EXPECT_EQ(now(), before);
  EXPECT_FALSE(policy_->check(client_.id, "peer"));
  EXPECT_EQ(backend_->catalog().versions(client_.id)->size(), 1U);
}

TEST_F(Policy, a_rebuilt_catalog_does_not_begin_protocol_3_again_for_a_client_that_has_migrated) {
  upload();
  const auto repository = *backend_->engine().of_account(account());
  auto& engine = backend_->engine();
  const auto server_slot = engine.slots(*repository)->front();
  // The last of the server's keys is gone: somebody else has them.
  repository::KeySlot slot;
  slot.id.bytes.fill(std::byte{3});
  slot.kind = repository::SlotKind::recovery_code;
  slot.sealed = Bytes(40);
  ASSERT_TRUE(engine.add_slot(*repository, slot));
  ASSERT_TRUE(engine.remove_slot(*repository, server_slot.id));
  const auto number = (*backend_->catalog().accounts().account_by_name(account()))->number;
  ASSERT_TRUE(backend_->notes().keep(number));
  ASSERT_TRUE(backend_->catalog().take_over_legacy(client_.id, clock_.wall().count()));
  change([](LegacyPolicy& policy) { policy.ended_ns = 5; });
  const LegacyPolicy before = now();
  EXPECT_NE(before.migrated_ns, 0);
  rebuild();
  const auto client = *backend_->catalog().client_by_name("alice");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->id, client_.id);
  EXPECT_EQ(client->public_key, client_.public_key);
  EXPECT_EQ(now(), before);
  EXPECT_FALSE(*backend_->catalog().legacy_repository(client_.id));
  EXPECT_FALSE(policy_->check(client_.id, "peer"));
}

TEST_F(Policy, a_note_that_a_crash_kept_from_being_written_is_written_at_the_next_start) {
  upload();
  ASSERT_TRUE(backend_->catalog().change_legacy_policy(
      client_.id, [](LegacyPolicy& policy) { policy.ended_ns = 5; }));
  EXPECT_EQ(read_note().policy.ended_ns, 0);
  EXPECT_EQ(policy_->keep_notes().value_or(0), 1U);
  EXPECT_EQ(read_note().policy.ended_ns, 5);
  EXPECT_EQ(policy_->keep_notes().value_or(9), 0U);
  ASSERT_TRUE(backend_->store().remove(note()));
  EXPECT_EQ(policy_->keep_notes().value_or(0), 1U);
  ASSERT_TRUE(backend_->catalog().change_legacy_policy(client_.id,
                                                       [](LegacyPolicy& policy) { policy = {}; }));
  ASSERT_TRUE(backend_->store().remove(note()));
  EXPECT_EQ(policy_->keep_notes().value_or(9), 0U) << "there is nothing to keep";
}

TEST_F(Policy, a_note_about_which_nothing_was_decided_is_of_version_1) {
  V3Note note{client_, {}};
  Bytes plain = encode_v3_note(note);
  EXPECT_EQ(plain[0], std::byte{1});
  EXPECT_EQ(decode_v3_note(plain)->policy, LegacyPolicy{});
  note.policy.min_version = 4;
  note.policy.ended_ns = -1;
  note.policy.key_replaced = true;
  note.policy.migrated_ns = 1;
  plain = encode_v3_note(note);
  EXPECT_EQ(plain[0], std::byte{2});
  EXPECT_EQ(decode_v3_note(plain)->policy, note.policy);
  EXPECT_EQ(decode_v3_note(plain)->client.name, "alice");
  note.policy = {};
  note.policy.lifted_until_ns = 7;  // no note tells that
  plain = encode_v3_note(note);
  EXPECT_EQ(plain[0], std::byte{1});
  plain[0] = std::byte{2};
  plain.insert(plain.end(), {std::byte{3}, std::byte{0}, std::byte{0}});
  EXPECT_EQ(decode_v3_note(plain).error().code, Code::corrupt) << "it decides nothing";
  plain[0] = std::byte{3};
  EXPECT_EQ(decode_v3_note(plain).error().code, Code::unsupported);
}

}  // namespace
}  // namespace cb::server
