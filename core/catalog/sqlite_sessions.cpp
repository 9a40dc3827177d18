// SPDX-License-Identifier: Apache-2.0
//
// The SQL of session records. They lie in no domain: a session's id is its own.
#include "core/catalog/sqlite_index.h"

namespace cb::catalog {
namespace {

constexpr const char* kSession =
    "SELECT record FROM session WHERE repository = ? AND id = ? AND owner = ?";
constexpr const char* kSessions =
    "SELECT id, record FROM session WHERE repository = ? AND id > ? AND owner = 0"
    " ORDER BY id LIMIT ?";
constexpr const char* kSetSession =
    "UPDATE session SET record = ? WHERE repository = ? AND id = ? AND owner = 0";

Result<std::optional<Bytes>> find_session(Connection& connection, int64_t repository, int64_t owner,
                                          const Bytes16& id) {
  CB_ASSIGN(Statement select, connection.prepare(kSession));
  CB_ASSIGN(const bool row, select.bind(repository).bind(ByteView(id)).bind(owner).step());
  if (!row) return std::nullopt;
  return to_bytes(select.blob(0));
}

}  // namespace

Result<std::optional<Bytes>> SqliteIndex::session(int64_t repository, int64_t owner,
                                                  const Bytes16& id) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(auto everybodys, find_session(*reader_.connection, repository, 0, id));
  if (everybodys || owner == 0) return everybodys;
  return find_session(*reader_.connection, repository, owner, id);
}

Result<std::vector<SessionRow>> SqliteIndex::sessions(int64_t repository, const Bytes16& after,
                                                      size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kSessions));
  select.bind(repository).bind(ByteView(after)).bind(static_cast<int64_t>(most));
  std::vector<SessionRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    SessionRow& session = all.emplace_back();
    CB_ASSIGN(session.id, fixed_bytes<16>(select, 0, *reader_.connection));
    session.record = to_bytes(select.blob(1));
  }
}

Status SqliteIndex::set_sessions(int64_t repository, std::span<const SessionRow> sessions) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  for (const SessionRow& session : sessions) {
    CB_ASSIGN(Statement set, connection.prepare(kSetSession));
    CB_TRY(set.bind(ByteView(session.record)).bind(repository).bind(ByteView(session.id)).run());
    if (connection.changes() == 0)
      return failed(Code::not_found, "session " + to_hex(session.id), "is not in the catalog");
  }
  return transaction.commit();
}

}  // namespace cb::catalog
