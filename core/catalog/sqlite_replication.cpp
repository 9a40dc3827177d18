// SPDX-License-Identifier: Apache-2.0
//
// The SQL of who copies from here, from whom this server copies, and what came of it.
#include "core/catalog/sqlite_replication.h"

namespace cb::catalog {
namespace {

#define CB_TOKEN_COLUMNS \
  "number, id, secret_hash, name, all_accounts, created_ns, last_seen_ns, last_address"

constexpr const char* kAddToken =
    "INSERT INTO replica_token"
    " (id, secret_hash, name, all_accounts, created_ns, last_seen_ns, last_address)"
    " VALUES (?, ?, ?, ?, ?, 0, x'') RETURNING number";
constexpr const char* kGrant = "INSERT INTO replica_grant (token, account) VALUES (?, ?)";
constexpr const char* kToken = "SELECT " CB_TOKEN_COLUMNS " FROM replica_token WHERE id = ?";
constexpr const char* kTokens = "SELECT " CB_TOKEN_COLUMNS " FROM replica_token ORDER BY number";
constexpr const char* kGranted =
    "SELECT account FROM replica_grant WHERE token = ? ORDER BY account";
constexpr const char* kTouchToken =
    "UPDATE replica_token SET last_seen_ns = ?2, last_address = ?3 WHERE id = ?1";
constexpr const char* kDropGrants =
    "DELETE FROM replica_grant WHERE token = (SELECT number FROM replica_token WHERE id = ?)";
constexpr const char* kDropToken = "DELETE FROM replica_token WHERE id = ?";
constexpr const char* kAddSource =
    "INSERT INTO replica_source"
    " (name, servers, pin, accounts, removes_vanished, heals_only, added_ns)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kSources =
    "SELECT name, servers, pin, accounts, removes_vanished, heals_only, added_ns"
    " FROM replica_source ORDER BY name";
constexpr const char* kDropPulls = "DELETE FROM replica_pull WHERE source = ?";
constexpr const char* kDropSource = "DELETE FROM replica_source WHERE name = ?";
constexpr const char* kNotePull =
    "INSERT INTO replica_pull"
    " (source, account, tried_ns, good_ns, head, blobs, bytes, healed, trouble)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, account) DO UPDATE SET"
    " tried_ns = excluded.tried_ns, head = excluded.head, trouble = excluded.trouble,"
    " good_ns = CASE excluded.good_ns WHEN 0 THEN good_ns ELSE excluded.good_ns END,"
    " blobs = blobs + excluded.blobs, bytes = bytes + excluded.bytes,"
    " healed = healed + excluded.healed";
constexpr const char* kPulls =
    "SELECT source, account, tried_ns, good_ns, head, blobs, bytes, healed, trouble"
    " FROM replica_pull ORDER BY source, account";

std::string text_at(const Statement& row, int column) {
  return std::string(as_text(row.blob(column)));
}

// Neither names of accounts nor addresses have line feeds.
std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += one + "\n";
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> all;
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1))
    all.emplace_back(text.substr(0, end));
  return all;
}

Status grant(Connection& connection, int64_t token, const std::vector<int64_t>& accounts) {
  for (const int64_t account : accounts) {
    CB_ASSIGN(Statement insert, connection.prepare(kGrant));
    const Status done = insert.bind(token).bind(account).run();
    if (!done && done.error().code == Code::exists)
      return failed(Code::not_found, "account " + std::to_string(account), "is not known");
    CB_TRY(done);
  }
  return {};
}

// A row, and its number.
using NumberedToken = std::pair<int64_t, ReplicaToken>;

Result<NumberedToken> read_token(const Statement& row, const Connection& connection) {
  ReplicaToken token;
  CB_ASSIGN(token.id, fixed_bytes<16>(row, 1, connection));
  CB_ASSIGN(token.secret_hash, fixed_bytes<32>(row, 2, connection));
  token.name = text_at(row, 3);
  token.all_accounts = row.integer(4) != 0;
  token.created_ns = row.integer(5);
  token.last_seen_ns = row.integer(6);
  token.last_address = text_at(row, 7);
  return NumberedToken{row.integer(0), std::move(token)};
}

Status read_grants(Connection& connection, int64_t number, ReplicaToken& token) {
  CB_ASSIGN(Statement select, connection.prepare(kGranted));
  select.bind(number);
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return {};
    token.accounts.push_back(select.integer(0));
  }
}

// What a select of kToken or kTokens finds, with what each may see.
Result<std::vector<ReplicaToken>> read_tokens(Connection& connection, Statement select) {
  std::vector<NumberedToken> found;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) break;
    CB_ASSIGN(NumberedToken one, read_token(select, connection));
    found.push_back(std::move(one));
  }
  std::vector<ReplicaToken> tokens;
  for (auto& [number, token] : found) {
    CB_TRY(read_grants(connection, number, token));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Error no_token(const Bytes16& id) {
  return fail(Code::not_found, "replica token " + to_hex(id), "is not known");
}

Error no_source(const std::string& name) {
  return fail(Code::not_found, "source " + name, "is not noted here");
}

}  // namespace

Status SqliteReplication::add_token(const ReplicaToken& token) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  int64_t number = 0;
  {
    CB_ASSIGN(Statement insert, connection.prepare(kAddToken));
    insert.bind(ByteView(token.id)).bind(ByteView(token.secret_hash)).bind(as_bytes(token.name));
    insert.bind(int64_t{token.all_accounts ? 1 : 0}).bind(token.created_ns);
    const Result<bool> row = insert.step();
    if (!row && row.error().code == Code::exists)
      return failed(Code::exists, "replica token " + to_hex(token.id), "is there already");
    if (!row) return failed(row.error());
    number = insert.integer(0);
  }
  if (!token.all_accounts) CB_TRY(grant(connection, number, token.accounts));
  return transaction.commit();
}

Result<std::optional<ReplicaToken>> SqliteReplication::token_by_id(const Bytes16& id) {
  const std::lock_guard lock(reader_.mutex);
  Connection& connection = *reader_.connection;
  CB_ASSIGN(const ReadTransaction transaction, ReadTransaction::begin(connection));
  CB_ASSIGN(Statement select, connection.prepare(kToken));
  select.bind(ByteView(id));
  CB_ASSIGN(auto found, read_tokens(connection, std::move(select)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<ReplicaToken>> SqliteReplication::tokens() {
  const std::lock_guard lock(reader_.mutex);
  Connection& connection = *reader_.connection;
  CB_ASSIGN(const ReadTransaction transaction, ReadTransaction::begin(connection));
  CB_ASSIGN(Statement select, connection.prepare(kTokens));
  return read_tokens(connection, std::move(select));
}

Status SqliteReplication::touch_token(const Bytes16& id, int64_t seen_ns,
                                      const std::string& address) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement touch, writer_.connection->prepare(kTouchToken));
  CB_TRY(touch.bind(ByteView(id)).bind(seen_ns).bind(as_bytes(address)).run());
  return writer_.connection->changes() > 0 ? Status() : failed(no_token(id));
}

Status SqliteReplication::remove_token(const Bytes16& id) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  for (const char* sql : {kDropGrants, kDropToken}) {
    CB_ASSIGN(Statement drop, connection.prepare(sql));
    CB_TRY(drop.bind(ByteView(id)).run());
  }
  if (connection.changes() == 0) return failed(no_token(id));
  return transaction.commit();
}

Status SqliteReplication::add_source(const ReplicaSource& source) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddSource));
  insert.bind(as_bytes(source.name)).bind(as_bytes(joined(source.servers)));
  insert.bind(ByteView(source.pin)).bind(as_bytes(joined(source.accounts)));
  insert.bind(int64_t{source.removes_vanished ? 1 : 0}).bind(int64_t{source.heals_only ? 1 : 0});
  Status done = insert.bind(source.added_ns).run();
  if (!done && done.error().code == Code::exists)
    return failed(Code::exists, "source " + source.name, "is noted already");
  return done;
}

Result<std::vector<ReplicaSource>> SqliteReplication::sources() {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kSources));
  std::vector<ReplicaSource> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    ReplicaSource source;
    source.name = text_at(select, 0);
    source.servers = split(as_text(select.blob(1)));
    CB_ASSIGN(source.pin, fixed_bytes<32>(select, 2, *reader_.connection));
    source.accounts = split(as_text(select.blob(3)));
    source.removes_vanished = select.integer(4) != 0;
    source.heals_only = select.integer(5) != 0;
    source.added_ns = select.integer(6);
    all.push_back(std::move(source));
  }
}

Status SqliteReplication::remove_source(const std::string& name) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  for (const char* sql : {kDropPulls, kDropSource}) {
    CB_ASSIGN(Statement drop, connection.prepare(sql));
    CB_TRY(drop.bind(as_bytes(name)).run());
  }
  if (connection.changes() == 0) return failed(no_source(name));
  return transaction.commit();
}

Status SqliteReplication::note_pull(const ReplicaPull& pull) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement note, writer_.connection->prepare(kNotePull));
  note.bind(as_bytes(pull.source)).bind(as_bytes(pull.account)).bind(pull.tried_ns);
  note.bind(pull.good_ns).bind(static_cast<int64_t>(pull.head));
  note.bind(static_cast<int64_t>(pull.blobs)).bind(static_cast<int64_t>(pull.bytes));
  return note.bind(static_cast<int64_t>(pull.healed)).bind(as_bytes(pull.trouble)).run();
}

Result<std::vector<ReplicaPull>> SqliteReplication::pulls() {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kPulls));
  std::vector<ReplicaPull> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    ReplicaPull& pull = all.emplace_back();
    pull.source = text_at(select, 0);
    pull.account = text_at(select, 1);
    pull.tried_ns = select.integer(2);
    pull.good_ns = select.integer(3);
    pull.head = static_cast<uint64_t>(select.integer(4));
    pull.blobs = static_cast<uint64_t>(select.integer(5));
    pull.bytes = static_cast<uint64_t>(select.integer(6));
    pull.healed = static_cast<uint64_t>(select.integer(7));
    pull.trouble = text_at(select, 8);
  }
}

}  // namespace cb::catalog
