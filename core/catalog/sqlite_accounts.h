// SPDX-License-Identifier: Apache-2.0
//
// Accounts, tokens and devices in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/accounts.h"
#include "core/catalog/guarded.h"

namespace cb::catalog {

class SqliteAccounts final : public Accounts {
 public:
  SqliteAccounts(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<int64_t> add_account(const Account& account) override;
  Result<std::optional<Account>> account_by_name(const std::string& name) override;
  Result<std::optional<Account>> account_by_number(int64_t number) override;
  Result<std::vector<Account>> accounts() override;
  Status set_account_disabled(int64_t number, bool disabled) override;
  Status set_account_kind(int64_t number, AccountKind kind) override;
  Status add_token(const PairingToken& token) override;
  Result<std::optional<PairingToken>> token_by_id(const Bytes16& id) override;
  Status use_token(const Bytes16& id, const Bytes16& device, int64_t now_ns) override;
  Status set_password_hash(int64_t number, const std::string& hash) override;
  Status add_invite(const InviteRow& invite) override;
  Result<std::optional<InviteRow>> invite_by_id(const Bytes16& id) override;
  Result<std::vector<InviteRow>> invites(int64_t account) override;
  Status use_invite(const Bytes16& id, const Bytes16& device, int64_t now_ns) override;
  Status finish_invite(const Bytes16& id) override;
  Status remove_invite(const Bytes16& id) override;
  Status add_device(const Device& device) override;
  Result<std::optional<Device>> device_by_id(const Bytes16& id) override;
  Result<std::vector<Device>> devices(int64_t account) override;
  Status set_device_state(const Bytes16& id, DeviceState state) override;
  Status touch_devices(std::span<const DeviceSeen> all) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
