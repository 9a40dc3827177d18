// SPDX-License-Identifier: Apache-2.0
//
// The SQL of what is decided about v3 clients, and of how they used their protocol.
#include "core/catalog/sqlite_legacy.h"

namespace cb::catalog {
namespace {

// In the order of the columns, from 1: a client without a row gives nothing but its number.
constexpr const char* kPolicy =
    "SELECT number, p.client IS NOT NULL, min_version, ratchet, ended_ns, lifted_until_ns,"
    " allowed_until_ns, key_replaced, imported_ns, migrated_ns"
    " FROM legacy_client LEFT JOIN legacy_policy p ON p.client = number WHERE id = ?";
constexpr const char* kSetPolicy =
    "INSERT OR REPLACE INTO legacy_policy (client, min_version, ratchet, ended_ns, lifted_until_ns,"
    " allowed_until_ns, key_replaced, imported_ns, migrated_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kNumber = "SELECT number FROM legacy_client WHERE id = ?";
constexpr const char* kNoteUse =
    "INSERT INTO legacy_use (client, listener, address, first_ns, last_ns, logins, uploads, bytes)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " first_ns = min(first_ns, excluded.first_ns), last_ns = max(last_ns, excluded.last_ns),"
    " logins = logins + excluded.logins, uploads = uploads + excluded.uploads,"
    " bytes = bytes + excluded.bytes";
// The oldest address beyond so many.
constexpr const char* kOneTooMany =
    "SELECT address, first_ns, last_ns, logins, uploads, bytes FROM legacy_use"
    " WHERE client = ? AND listener = ? AND address <> x''"
    " ORDER BY last_ns DESC, address LIMIT 1 OFFSET ?";
constexpr const char* kDropUse =
    "DELETE FROM legacy_use WHERE client = ? AND listener = ? AND address = ?";
constexpr const char* kUses =
    "SELECT listener, address, first_ns, last_ns, logins, uploads, bytes FROM legacy_use"
    " JOIN legacy_client ON number = client WHERE id = ? ORDER BY listener, address";
constexpr const char* kDropRepository = "DELETE FROM legacy_repository WHERE client = ?";
constexpr const char* kTakeVersions =
    "UPDATE legacy_version SET taken_over = 1 WHERE client = ? AND taken_over = 0";

// legacy_policy.ratchet.
enum Ratchet : int64_t { as_set = -1, off = 0, on = 1 };

struct Known {
  int64_t number = 0;
  LegacyPolicy policy;
};

Error unknown(const ClientId& id) {
  return fail(Code::not_found, "client " + id.hex(), "is not in the catalog");
}

Result<Known> find(Connection& connection, const ClientId& client) {
  CB_ASSIGN(Statement select, connection.prepare(kPolicy));
  CB_ASSIGN(const bool row, select.bind(client.view()).step());
  if (!row) return failed(unknown(client));
  Known known{select.integer(0), {}};
  if (select.integer(1) == 0) return known;
  LegacyPolicy& policy = known.policy;
  policy.min_version = static_cast<int>(select.integer(2));
  if (const int64_t ratchet = select.integer(3); ratchet != Ratchet::as_set)
    policy.ratchet = ratchet == Ratchet::on;
  policy.ended_ns = select.integer(4);
  policy.lifted_until_ns = select.integer(5);
  policy.allowed_until_ns = select.integer(6);
  policy.key_replaced = select.integer(7) != 0;
  policy.imported_ns = select.integer(8);
  policy.migrated_ns = select.integer(9);
  return known;
}

Status store(Connection& connection, const Known& known) {
  const LegacyPolicy& policy = known.policy;
  const int64_t ratchet =
      policy.ratchet ? (*policy.ratchet ? Ratchet::on : Ratchet::off) : Ratchet::as_set;
  CB_ASSIGN(Statement set, connection.prepare(kSetPolicy));
  set.bind(known.number).bind(policy.min_version).bind(ratchet);
  set.bind(policy.ended_ns).bind(policy.lifted_until_ns).bind(policy.allowed_until_ns);
  set.bind(policy.key_replaced ? 1 : 0).bind(policy.imported_ns).bind(policy.migrated_ns);
  return set.run();
}

Status add_use(Connection& connection, int64_t client, const LegacyUse& use) {
  CB_ASSIGN(Statement note, connection.prepare(kNoteUse));
  note.bind(client).bind(as_bytes(use.listener)).bind(as_bytes(use.address));
  note.bind(use.first_ns).bind(use.last_ns).bind(static_cast<int64_t>(use.logins));
  note.bind(static_cast<int64_t>(use.uploads)).bind(static_cast<int64_t>(use.bytes));
  return note.run();
}

// From column `from` on: address, times and counts.
LegacyUse read_use(const Statement& row, int from) {
  LegacyUse use;
  use.address = row.text(from);
  use.first_ns = row.integer(from + 1);
  use.last_ns = row.integer(from + 2);
  use.logins = static_cast<uint64_t>(row.integer(from + 3));
  use.uploads = static_cast<uint64_t>(row.integer(from + 4));
  use.bytes = static_cast<uint64_t>(row.integer(from + 5));
  return use;
}

Result<std::optional<LegacyUse>> one_too_many(Connection& connection, int64_t client,
                                              const std::string& listener) {
  CB_ASSIGN(Statement select, connection.prepare(kOneTooMany));
  CB_ASSIGN(const bool row,
            select.bind(client).bind(as_bytes(listener)).bind(kLegacyAddresses).step());
  if (!row) return std::nullopt;
  return read_use(select, 0);
}

Status drop_use(Connection& connection, int64_t client, const std::string& listener,
                const std::string& address) {
  CB_ASSIGN(Statement drop, connection.prepare(kDropUse));
  return drop.bind(client).bind(as_bytes(listener)).bind(as_bytes(address)).run();
}

Status note(Connection& connection, int64_t client, const LegacyUse& more) {
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_TRY(add_use(connection, client, more));
  CB_ASSIGN(std::optional<LegacyUse> old, one_too_many(connection, client, more.listener));
  if (old) {
    CB_TRY(drop_use(connection, client, more.listener, old->address));
    old->listener = more.listener;
    old->address.clear();
    CB_TRY(add_use(connection, client, *old));
  }
  return transaction.commit();
}

Status run_for(Connection& connection, const char* sql, int64_t client) {
  CB_ASSIGN(Statement statement, connection.prepare(sql));
  return statement.bind(client).run();
}

Result<int64_t> number_of(Connection& connection, const ClientId& client) {
  CB_ASSIGN(Statement select, connection.prepare(kNumber));
  CB_ASSIGN(const bool row, select.bind(client.view()).step());
  if (!row) return failed(unknown(client));
  return select.integer(0);
}

}  // namespace

Result<LegacyPolicy> SqliteLegacy::policy(const ClientId& client) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Known known, find(*reader_.connection, client));
  return known.policy;
}

Status SqliteLegacy::change_policy(const ClientId& client,
                                   const std::function<void(LegacyPolicy&)>& change) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Transaction transaction, Transaction::begin(*writer_.connection));
  CB_ASSIGN(Known known, find(*writer_.connection, client));
  const LegacyPolicy before = known.policy;
  change(known.policy);
  if (known.policy == before) return {};
  CB_TRY(store(*writer_.connection, known));
  return transaction.commit();
}

Status SqliteLegacy::note_use(const ClientId& client, const LegacyUse& more) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(const int64_t number, number_of(connection, client));
  return make_unhurried(connection, [&] { return note(connection, number, more); });
}

Result<std::vector<LegacyUse>> SqliteLegacy::uses(const ClientId& client) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kUses));
  select.bind(client.view());
  std::vector<LegacyUse> found;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return found;
    found.push_back(read_use(select, 1));
    found.back().listener = select.text(0);
  }
}

Status SqliteLegacy::take_over(const ClientId& client, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_ASSIGN(Known known, find(connection, client));
  // What came after that is another repository, whose only keys these may be.
  if (known.policy.migrated_ns != 0) return {};
  CB_TRY(run_for(connection, kDropRepository, known.number));
  CB_TRY(run_for(connection, kTakeVersions, known.number));
  known.policy.migrated_ns = now_ns;
  CB_TRY(store(connection, known));
  return transaction.commit();
}

}  // namespace cb::catalog
