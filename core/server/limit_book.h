// SPDX-License-Identifier: Apache-2.0
//
// Who stores how much, and who may store more: the limits of accounts and devices (docs/limits.md).
// Keeps the sums of the catalog in memory, with what open packs have set aside, so that asking
// costs no more than a lock; reads them anew before it refuses. Thread-safe; functions may read the
// catalog and belong on a worker.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/repository/quota.h"
#include "core/server/limit_set.h"

namespace cb::server {

// What somebody stores, and may.
struct QuotaUse {
  uint64_t stored = 0;   // bytes, with what open packs have set aside
  uint64_t limit = 0;    // 0: none
  uint64_t soft = 0;     // 0: none
  int64_t until_ns = 0;  // above the soft limit, which is tolerated until then; 0: it is not above
  bool is_over = false;  // nothing more may be stored
  uint64_t growth = 0;   // what the last backup stored

  // Bytes that may still be stored; nothing: as many as there is room for.
  [[nodiscard]] std::optional<uint64_t> room() const;
};

// What one session may do.
struct Allowance {
  QuotaUse account, device;
  LimitSet of_session;            // the device's
  uint64_t account_sessions = 0;  // 0: any number
};

// An account as `limits show` has it.
struct LimitAccount {
  LimitSet limits;
  std::vector<catalog::LimitRow> rows;
  QuotaUse use;
  struct OfDevice {
    repository::DeviceId id;
    LimitSet limits;
    QuotaUse use;
  };
  std::vector<OfDevice> devices;  // that stored something, or have limits of their own
  uint64_t unassigned = 0;        // bytes that no device put, or nobody knows of which
};

// Which refusals are counted.
enum class Refusal : uint8_t { stored, soft, sessions, upload, snapshot };
constexpr size_t kRefusals = 5;
std::string_view name_of(Refusal kind);

class LimitBook final : public repository::Quota {
 public:
  // All outlive it.
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    const os::Clock* clock = nullptr;
    log::Log* log = nullptr;
  };
  LimitBook(const Parts& parts, const LimitDefaults& defaults);
  ~LimitBook() override;

  Status take(const repository::QuotaKey& whose, uint64_t bytes) override;
  void settle(const repository::QuotaKey& whose, uint64_t taken, uint64_t stored) override;

  // As it is now, for a session of this device that begins. A zero device is none's: a person's.
  Result<Allowance> allowance(int64_t account, const repository::DeviceId& device);
  // Requests a second of a session that is no account's: what the settings say.
  uint64_t usual_requests();
  Result<LimitAccount> describe(int64_t account);

  // Of a limit's name what is to be its value from now on; nothing: what the settings say.
  using Changes = std::map<std::string, std::optional<uint64_t>>;
  // For an account (zero device), or for one of its devices; at once, for running sessions too as
  // far as what they store goes. Code::invalid for unknown names and what check_limits refuses:
  // then nothing has changed.
  Status set(int64_t account, const repository::DeviceId& device, const Changes& changes,
             const std::string& who);

  // Takes other defaults, at once.
  void reconfigure(const LimitDefaults& defaults);

  void count(Refusal kind) { ++refused_.at(static_cast<size_t>(kind)); }
  [[nodiscard]] uint64_t refused(Refusal kind) const {
    return refused_.at(static_cast<size_t>(kind));
  }

 private:
  struct Use;
  struct Kept;

  Result<Kept*> kept(int64_t account);
  Result<int64_t> account_of(int64_t repository);
  Status read(Kept& kept);
  void note_soft(Kept& kept, const repository::DeviceId& device, Use& use);
  Status admits(const Kept& kept, const repository::DeviceId& device, const Use& use,
                uint64_t bytes) const;
  Status admits(Kept& kept, const repository::DeviceId& device, uint64_t bytes) const;
  [[nodiscard]] LimitSet limits_for(const Kept& kept, const repository::DeviceId& device) const;
  [[nodiscard]] QuotaUse use_of(const Kept& kept, const repository::DeviceId& device,
                                const Use& use) const;
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }
  [[nodiscard]] bool is_late_now(const QuotaUse& use) const {
    return use.until_ns != 0 && now() >= use.until_ns;
  }

  Parts parts_;
  mutable std::array<std::atomic<uint64_t>, kRefusals> refused_{};
  std::mutex mutex_;
  // Guarded by mutex_:
  LimitDefaults defaults_;
  std::map<int64_t, std::unique_ptr<Kept>> accounts_;
  std::map<int64_t, int64_t> account_of_;  // by repository
};

}  // namespace cb::server
