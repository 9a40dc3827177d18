// SPDX-License-Identifier: Apache-2.0
//
// Whether protocol 3 is served to a client, and what ends it: the settings, the operator's decision
// about the client, and the ratchet, which the client's first login of protocol 4 closes
// (docs/protocol-v3.md, "How it ends"). Refusals and decisions are lines of the log. Thread-safe;
// functions block unless they say otherwise.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "core/catalog/catalog.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/server/audit.h"
#include "core/server/v3_keys.h"
#include "core/server/v3_settings.h"

namespace cb::server {

// Why protocol 3 is refused to a client about which `policy` was decided; nothing when it is
// served.
std::optional<std::string> v3_refusal(const catalog::LegacyPolicy& policy,
                                      const V3Settings& settings, int64_t now_ns);

// The v3 client of this name, or of an account of this name ("v3/<hex>"). Code::not_found.
Result<catalog::LegacyClient> find_v3_client(catalog::Catalog& catalog, const std::string& name);

// Where a client came in.
struct V3Entrance {
  std::string listener;  // its name
  std::string address;   // the client's, without port
};

class V3Policy {
 public:
  // All outlive it.
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    const V3Keys* keys = nullptr;  // for the store's notes
    const os::Clock* clock = nullptr;
    log::Log* log = nullptr;
    Audit* audit = nullptr;  // null: nothing is audited
  };
  V3Policy(const Parts& parts, const V3Settings& settings) : parts_(parts), settings_(settings) {}

  // Takes new settings, for running sessions too. Neither blocks.
  void reconfigure(const V3Settings& settings);
  [[nodiscard]] V3Settings settings() const;

  // May this client speak protocol 3 now? Code::denied when not, with an audit line
  // "v3.refused.ended". Of an unknown client the settings alone decide.
  Status check(const ClientId& client, const std::string& peer) const;
  // May a name that nobody has register? Code::denied when not, with the same line.
  Status check_new(const std::string& name, const std::string& peer) const;

  // Decides something about a client: in the catalog, then in the store's note, so that a rebuilt
  // catalog knows it. Code::not_found when the client is unknown. A note that cannot be written is
  // an error line alone, since the decision holds without it; the next start tries again.
  Status change(const ClientId& client,
                const std::function<void(catalog::LegacyPolicy&)>& change) const;

  // Somebody of this account has logged in with protocol 4, or adopted its repository: closes the
  // ratchet of the v3 client whose account it is, if it has one and nothing says otherwise, with a
  // line "v3.ratchet.closed". Does nothing for other accounts. A failure is an error line, since
  // the login holds without it; the next one tries again.
  void close_ratchet(const std::string& account, const std::string& peer) const;

  // The client sends another public key than the one before, or its first. If it has something to
  // lose, the policy says so from now on, with a line "v3.key.replaced".
  Status note_key_replaced(const ClientId& client, const std::string& address) const;

  // Adds to the record of how protocol 3 is used. A failure is a warning line.
  void note_login(const ClientId& client, const V3Entrance& at) const;
  void note_upload(const ClientId& client, const V3Entrance& at, uint64_t plain_bytes) const;

  // Writes the notes of clients about whom something was decided that a note tells, where a crash
  // kept it from being written. How many.
  Result<uint64_t> keep_notes() const;

 private:
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }
  void note_use(const ClientId& client, catalog::LegacyUse more) const;
  [[nodiscard]] Result<bool> has_something_to_lose(const ClientId& client) const;
  Error refused(const ClientId& client, const std::string& name, const std::string& peer,
                const std::string& why) const;

  Parts parts_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  V3Settings settings_;
};

}  // namespace cb::server
