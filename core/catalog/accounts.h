// SPDX-License-Identifier: Apache-2.0
//
// Who may come in: accounts, the tokens that pair a first device, and devices. Abstract;
// thread-safe; functions block and belong on a worker. Every change is durable when the function
// returns.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace cb::catalog {

using Bytes16 = std::array<std::byte, 16>;
using Bytes32 = std::array<std::byte, 32>;

enum class AccountKind { v3 = 3, v4 = 4 };

struct Account {
  int64_t number = 0;  // set by add_account
  std::string name;    // unique
  AccountKind kind = AccountKind::v4;
  bool disabled = false;
  int64_t created_ns = 0;          // since 1970 UTC, as all times here
  std::string password_hash = {};  // Argon2id text; empty: nobody may log in with a password
};

struct PairingToken {
  Bytes16 id{};
  Bytes32 secret_hash{};  // SHA-256 of the secret
  int64_t account = 0;
  int64_t expires_ns = 0;
  std::optional<Bytes16> used_by;  // the device that it paired
};

// An invite of an owner's, for one device.
struct InviteRow {
  Bytes16 id{};
  int64_t account = 0;
  Bytes record;          // as signed
  Bytes32 proof_hash{};  // SHA-256 of the proof
  Bytes sealed_keys;     // emptied when it is used
  int64_t expires_ns = 0;
  std::optional<Bytes16> used_by;
};

enum class DeviceState { active = 0, disabled = 1, revoked = 2 };

struct Device {
  Bytes16 id{};
  int64_t account = 0;
  Bytes32 public_key{};
  Bytes certificate;  // the record, as signed
  uint64_t role = 0;  // of the certificate
  DeviceState state = DeviceState::active;
  int64_t created_ns = 0;
  int64_t last_seen_ns = 0;
};

// A device and the moment when it was last seen.
struct DeviceSeen {
  Bytes16 id{};
  int64_t seen_ns = 0;
};

class Accounts {
 public:
  virtual ~Accounts() = default;

  // Returns the number. Code::exists when the name is taken.
  virtual Result<int64_t> add_account(const Account& account) = 0;
  // Nothing when there is none.
  virtual Result<std::optional<Account>> account_by_name(const std::string& name) = 0;
  virtual Result<std::optional<Account>> account_by_number(int64_t number) = 0;
  // By name.
  virtual Result<std::vector<Account>> accounts() = 0;
  // Each Code::not_found when there is none.
  virtual Status set_account_disabled(int64_t number, bool disabled) = 0;
  virtual Status set_account_kind(int64_t number, AccountKind kind) = 0;

  // `used_by` is not looked at. Code::exists when the id is taken, Code::not_found without the
  // account.
  virtual Status add_token(const PairingToken& token) = 0;
  virtual Result<std::optional<PairingToken>> token_by_id(const Bytes16& id) = 0;
  // Spends a token for a device, at most once ever, whoever tries at the same time. Code::not_found
  // when it is unknown, Code::denied when it is used or `now_ns` is not before its end. The caller
  // has compared the secret.
  virtual Status use_token(const Bytes16& id, const Bytes16& device, int64_t now_ns) = 0;

  // Code::not_found when there is none. Empty takes the password away.
  virtual Status set_password_hash(int64_t number, const std::string& hash) = 0;

  // `used_by` is not looked at. Code::exists when the id is taken, Code::not_found without the
  // account.
  virtual Status add_invite(const InviteRow& invite) = 0;
  virtual Result<std::optional<InviteRow>> invite_by_id(const Bytes16& id) = 0;
  // Of one account, oldest first.
  virtual Result<std::vector<InviteRow>> invites(int64_t account) = 0;
  // As use_token.
  virtual Status use_invite(const Bytes16& id, const Bytes16& device, int64_t now_ns) = 0;
  // Its sealed keys are of no use any more.
  virtual Status finish_invite(const Bytes16& id) = 0;
  // Code::not_found.
  virtual Status remove_invite(const Bytes16& id) = 0;

  // Code::exists when the id is taken, Code::not_found without the account.
  virtual Status add_device(const Device& device) = 0;
  virtual Result<std::optional<Device>> device_by_id(const Bytes16& id) = 0;
  // Of one account, oldest first.
  virtual Result<std::vector<Device>> devices(int64_t account) = 0;
  // Code::not_found when the device is unknown. What is revoked stays so (Code::denied).
  virtual Status set_device_state(const Bytes16& id, DeviceState state) = 0;
  // Notes when devices were last seen, in one go and without waiting for the disk. Those that are
  // unknown are passed over.
  virtual Status touch_devices(std::span<const DeviceSeen> all) = 0;
};

}  // namespace cb::catalog
