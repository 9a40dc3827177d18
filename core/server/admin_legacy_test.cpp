// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/server/admin_commands.h"
#include "core/server/daemon_fixture.h"
#include "core/server/legacy_ratchet.h"
#include "core/server/stopped_clock.h"

namespace cb::server {
namespace {

using catalog::LegacyPolicy;
using report::Json;

constexpr int64_t kDay = 24 * 3600 * int64_t{1'000'000'000};

class AdminLegacy : public DaemonFolder {
 protected:
  void SetUp() override {
    const auto made = init("fs", "127.0.0.1:0", "127.0.0.1:4747");
    ASSERT_TRUE(made) << made.error().text();
    settings_ = settings();
    seams_.clock = &clock_;
    ASSERT_TRUE(ensure_signing_key(settings_, seams_));
    registry_ = make_registry(settings_, seams_, log_);
    ASSERT_TRUE(prepare_plugins(settings_, *registry_));
    auto backend = Backend::open(settings_, *registry_, seams_);
    ASSERT_TRUE(backend) << backend.error().text();
    backend_ = std::move(*backend);
    policy_ = std::make_unique<V3Policy>(
        V3Policy::Parts{&backend_->catalog(), &backend_->archive().keys(), &clock_, &log_},
        settings_.v3);
    alice_ = add("alice", true);
  }
  void TearDown() override {
    policy_.reset();
    backend_.reset();
    registry_.reset();
  }

  // An account that there is not has none.
  bool has_repository(const ClientId& client) {
    const auto found = backend_->engine().of_account(V3Keys::account_of(client));
    return found && found->has_value();
  }
  ClientId add(const std::string& name, bool with_key) {
    catalog::LegacyClient client;
    client.id.bytes[0] = static_cast<std::byte>(++clients_);
    client.name = name;
    if (with_key) client.public_key = Bytes(162, std::byte{0x30});
    EXPECT_TRUE(backend_->catalog().add_client(client));
    return client.id;
  }
  void decide(const std::function<void(LegacyPolicy&)>& change) {
    ASSERT_TRUE(backend_->catalog().change_legacy_policy(alice_, change));
  }
  [[nodiscard]] LegacyPolicy policy() const {
    const auto policy = backend_->catalog().legacy_policy(alice_);
    EXPECT_TRUE(policy);
    return policy.value_or(LegacyPolicy{});
  }
  [[nodiscard]] int64_t now() const { return clock_.wall().count(); }

  Result<Json> run(const Json& request) {
    AdminCommands::Parts parts;
    parts.catalog = &backend_->catalog();
    parts.v3_policy = policy_.get();
    parts.accounts = &backend_->catalog().accounts();
    parts.engine = &backend_->engine();
    parts.notes = &backend_->notes();
    parts.v3_keys = &backend_->archive().keys();
    parts.clock = &clock_;
    parts.random = &os::system_random();
    parts.log = &log_;
    parts.reach = [this] { return reach_of(settings_, {}, *seams_.files); };
    return AdminCommands(std::move(parts)).run(request, {});
  }
  Result<Json> ratchet(const std::string& action, const std::string& name = "alice") {
    return run({{"command", "legacy.ratchet"},
                {"account", name},
                {"action", action},
                {"for_ns", 7 * kDay}});
  }
  Result<Json> allow(const std::string& action = "allow", const std::string& name = "alice") {
    return run({{"command", "legacy.allow"},
                {"account", name},
                {"action", action},
                {"expires_ns", 7 * kDay}});
  }
  Result<Json> token(const std::string& name, bool legacy = true) {
    return run({{"command", "token.create"}, {"account", name}, {"legacy", legacy}});
  }

  Settings settings_;
  StoppedClock clock_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<V3Policy> policy_;
  ClientId alice_;
  uint8_t clients_ = 0;
};

TEST_F(AdminLegacy, a_closed_ratchet_is_lifted_for_a_while_and_closed_again) {
  const int64_t ended = now() - kDay;
  decide([&](LegacyPolicy& policy) { policy.ended_ns = ended; });
  const auto lifted = ratchet("lift");
  ASSERT_TRUE(lifted) << lifted.error().text();
  EXPECT_EQ(policy().lifted_until_ns, now() + 7 * kDay);
  EXPECT_EQ(policy().ended_ns, ended);
  EXPECT_EQ((*lifted)["ratchet"], "lifted");
  EXPECT_EQ((*lifted)["served"], true);
  const auto closed = ratchet("close", V3Keys::account_of(alice_));
  ASSERT_TRUE(closed) << closed.error().text();
  EXPECT_EQ(policy().lifted_until_ns, 0);
  EXPECT_EQ(policy().ended_ns, ended);
  EXPECT_EQ((*closed)["ratchet"], "closed");
  EXPECT_FALSE(report::text_of(*closed, "refusal").empty());
  EXPECT_TRUE(
      log_.contains("event=admin.legacy.ratchet account=alice action=lift by=\"\" result=done"))
      << log_.text();
  EXPECT_TRUE(log_.contains("action=close by=\"\" result=done")) << log_.text();
}

TEST_F(AdminLegacy, an_open_ratchet_can_be_closed_by_hand_and_not_lifted) {
  const auto lifted = ratchet("lift");
  ASSERT_FALSE(lifted);
  EXPECT_EQ(lifted.error().code, Code::state);
  EXPECT_EQ(policy(), LegacyPolicy{});
  ASSERT_TRUE(ratchet("close"));
  EXPECT_EQ(policy().ended_ns, now());
  EXPECT_TRUE(log_.contains("has no closed ratchet")) << log_.text();
}

TEST_F(AdminLegacy, a_lift_of_a_client_that_is_refused_otherwise_says_so) {
  decide([&](LegacyPolicy& policy) {
    policy.ended_ns = now();
    policy.min_version = 4;
  });
  const auto lifted = ratchet("lift");
  ASSERT_TRUE(lifted) << lifted.error().text();
  EXPECT_EQ((*lifted)["served"], false);
  EXPECT_FALSE(report::text_of(*lifted, "refusal").empty());
}

TEST_F(AdminLegacy, wrong_requests_change_nothing) {
  decide([&](LegacyPolicy& policy) { policy.ended_ns = now(); });
  EXPECT_EQ(ratchet("lift", "bob").error().code, Code::not_found);
  EXPECT_EQ(ratchet("open").error().code, Code::invalid);
  for (const int64_t life : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::max()})
    EXPECT_EQ(run({{"command", "legacy.ratchet"},
                   {"account", "alice"},
                   {"action", "lift"},
                   {"for_ns", life}})
                  .error()
                  .code,
              Code::invalid)
        << life;
  EXPECT_EQ(policy().lifted_until_ns, 0);
}

TEST_F(AdminLegacy, ratchets_are_listed_as_they_are_now) {
  const auto state = [&](const std::function<void(LegacyPolicy&)>& change) {
    decide([&](LegacyPolicy& policy) {
      policy = {};
      change(policy);
    });
    const auto all = list_ratchets(backend_->catalog(), settings_.v3, now(), "alice");
    return all ? report::text_of((*all)[0], "ratchet") : all.error().text();
  };
  EXPECT_EQ(state([](LegacyPolicy&) {}), "armed");
  EXPECT_EQ(state([](LegacyPolicy& p) { p.ratchet = false; }), "off");
  EXPECT_EQ(state([&](LegacyPolicy& p) { p.ended_ns = now(); }), "closed");
  EXPECT_EQ(state([&](LegacyPolicy& p) { p.ended_ns = p.lifted_until_ns = now(); }), "closed");
  EXPECT_EQ(state([&](LegacyPolicy& p) {
              p.ended_ns = now();
              p.lifted_until_ns = now() + 1;
            }),
            "lifted");
  add("bob", true);
  EXPECT_EQ(list_ratchets(backend_->catalog(), settings_.v3, now(), "")->size(), 2u);
  EXPECT_EQ(list_ratchets(backend_->catalog(), settings_.v3, now(), "carol").error().code,
            Code::not_found);
  settings_.v3.ratchet = false;
  EXPECT_EQ(state([](LegacyPolicy&) {}), "off");
  EXPECT_EQ(state([](LegacyPolicy& p) { p.ratchet = true; }), "armed");
}

TEST_F(AdminLegacy, a_client_may_migrate_for_a_while_until_that_is_revoked) {
  const auto allowed = allow();
  ASSERT_TRUE(allowed) << allowed.error().text();
  EXPECT_EQ((*allowed)["allowed_until_ns"], now() + 7 * kDay);
  EXPECT_EQ(policy().allowed_until_ns, now() + 7 * kDay);
  ASSERT_TRUE(allow("revoke"));
  EXPECT_EQ(policy().allowed_until_ns, 0);
  EXPECT_TRUE(
      log_.contains("event=admin.legacy.allow account=alice action=allow by=\"\" result=done"));
  EXPECT_TRUE(
      log_.contains("event=admin.legacy.allow account=alice action=revoke by=\"\" result=done"));
}

TEST_F(AdminLegacy, who_could_not_migrate_all_the_same_is_not_allowed_to) {
  add("keyless", false);
  EXPECT_EQ(allow("allow", "keyless").error().code, Code::denied);
  EXPECT_EQ(allow("allow", "nobody").error().code, Code::not_found);
  decide([](LegacyPolicy& policy) { policy.key_replaced = true; });
  EXPECT_EQ(allow().error().cause, "has sent another public key than before");
  EXPECT_TRUE(token("alice"));  // the operator has found out who did
  decide([&](LegacyPolicy& policy) {
    policy = {};
    policy.migrated_ns = now();
  });
  EXPECT_EQ(allow().error().code, Code::exists);
  decide([](LegacyPolicy& policy) { policy = {}; });
  settings_.v3.migrate = V3Migration::token;
  policy_->reconfigure(settings_.v3);
  EXPECT_EQ(allow().error().code, Code::state);
  EXPECT_EQ(policy().allowed_until_ns, 0);
  EXPECT_TRUE(allow("revoke"));
}

TEST_F(AdminLegacy, a_token_for_a_client_that_never_uploaded_makes_its_repository) {
  const std::string account = V3Keys::account_of(alice_);
  EXPECT_FALSE(has_repository(alice_));
  const auto created = token("alice");
  ASSERT_TRUE(created) << created.error().text();
  EXPECT_EQ((*created)["account"], account);
  EXPECT_TRUE(has_repository(alice_));
  EXPECT_TRUE(backend_->archive().keys().open(alice_));
  const auto again = token(account);  // another token of the same account
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_NE((*again)["token"], (*created)["token"]);
  EXPECT_TRUE(log_.contains("event=admin.token.create account=alice")) << log_.text();
}

TEST_F(AdminLegacy, a_client_that_has_an_owner_gets_no_token) {
  ASSERT_TRUE(token("alice"));
  decide([&](LegacyPolicy& policy) { policy.migrated_ns = now(); });
  const auto migrated = token("alice");
  ASSERT_FALSE(migrated);
  EXPECT_EQ(migrated.error().code, Code::exists);
  EXPECT_NE(migrated.error().cause.find("migrated already"), std::string::npos);
  decide([](LegacyPolicy& policy) { policy.migrated_ns = 0; });
  const auto account = backend_->catalog().accounts().account_by_name(V3Keys::account_of(alice_));
  ASSERT_TRUE(account && *account);
  catalog::Device device;  // it is about to be taken over
  device.account = (*account)->number;
  ASSERT_TRUE(backend_->catalog().accounts().add_device(device));
  EXPECT_EQ(token("alice").error().code, Code::exists);
}

TEST_F(AdminLegacy, a_client_without_a_key_and_a_name_that_is_not_known_get_no_token) {
  const ClientId keyless = add("keyless", false);
  EXPECT_EQ(token("keyless").error().code, Code::denied);
  EXPECT_FALSE(has_repository(keyless));
  EXPECT_EQ(token("nobody").error().code, Code::not_found);
}

TEST_F(AdminLegacy, the_account_of_a_client_gets_no_token_for_a_repository_of_its_own) {
  ASSERT_TRUE(token("alice"));
  const auto plain = token(V3Keys::account_of(alice_), false);
  ASSERT_FALSE(plain);
  EXPECT_NE(plain.error().advice.find("--legacy"), std::string::npos) << plain.error().text();
}

}  // namespace
}  // namespace cb::server
