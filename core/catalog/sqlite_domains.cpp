// SPDX-License-Identifier: Apache-2.0
//
// The SQL of domains: whose they are, what lies in them, and what leaves them.
#include <algorithm>
#include <limits>
#include <set>

#include "core/catalog/sqlite_index.h"

namespace cb::catalog {
namespace {

constexpr const char* kDomainOf = "SELECT number FROM domain WHERE repository = ? AND device = ?";
constexpr const char* kDrawDomain =
    "INSERT INTO domain (number, repository, device)"
    " SELECT coalesce((SELECT min(number) FROM domain), -1) - 1, number, ?2"
    " FROM repository WHERE number = ?1 ON CONFLICT (repository, device) DO NOTHING";
constexpr const char* kDeviceOf = "SELECT device FROM domain WHERE number = ?";
constexpr const char* kCondemn =
    "UPDATE blob SET condemned = 1"
    " WHERE repository = ? AND id = ? AND owner = ? AND condemned = 0";
constexpr const char* kReopen =
    "UPDATE blob INDEXED BY blob_closed SET closed = 0"
    " WHERE repository = ? AND owner = ? AND closed = 1 AND children <> x''";
constexpr const char* kReopenAll =
    "UPDATE blob INDEXED BY blob_closed SET closed = 0"
    " WHERE repository = ? AND closed = 1 AND children <> x''";
constexpr const char* kCopies =
    "SELECT number, id, kind, owner, session FROM blob INDEXED BY blob_foreign"
    " WHERE repository = ? AND owner < 0 AND condemned = 0 AND kind NOT IN (2, 3) AND number > ?"
    " ORDER BY number LIMIT ?";
constexpr const char* kWeakBlobs =
    "SELECT number, id FROM blob INDEXED BY blob_weak WHERE repository = ? AND owner = ?"
    " AND kind IN (2, 3) AND condemned = 0 AND number < ? ORDER BY number DESC LIMIT ?";
constexpr const char* kFind =
    "SELECT number, condemned, pack, size, session, children, kind IN (2, 3) FROM blob"
    " WHERE repository = ? AND id = ? AND owner = ?";
constexpr const char* kIsClosed =
    "SELECT closed FROM blob WHERE repository = ? AND id = ? AND owner = 0 AND condemned = 0"
    " AND kind NOT IN (2, 3)";
constexpr const char* kOpenUp = "UPDATE blob SET owner = 0, closed = ? WHERE number = ?";
constexpr const char* kDelete = "DELETE FROM blob WHERE number = ?";
constexpr const char* kToGarbage =
    "UPDATE pack SET blobs = blobs - 1, garbage = garbage + ? WHERE number = ?";

Result<std::optional<int64_t>> find_domain(Connection& connection, int64_t repository,
                                           const Bytes16& device) {
  CB_ASSIGN(Statement select, connection.prepare(kDomainOf));
  CB_ASSIGN(const bool row, select.bind(repository).bind(ByteView(device)).step());
  if (!row) return std::nullopt;
  return select.integer(0);
}

struct Found {
  int64_t number = 0, pack = 0, size = 0;
  bool condemned = false, is_weak = false;
  Bytes16 session{};
  Bytes children;
};

// Moves blobs of one domain to the open one, within a transaction.
class OpeningUp {
 public:
  OpeningUp(Connection& connection, int64_t repository, int64_t domain, bool closes)
      : connection_(connection), repository_(repository), domain_(domain), closes_(closes) {}

  // Goes over the blobs until none is left whose children came: as often as their trees are deep.
  Result<uint64_t> move(std::span<const Bytes32> ids) {
    std::vector<Bytes32> waiting(ids.begin(), ids.end());
    uint64_t came = 0;
    for (size_t before = waiting.size() + 1; waiting.size() < before;) {
      before = waiting.size();
      std::vector<Bytes32> still;
      for (const Bytes32& id : waiting) {
        CB_ASSIGN(const Outcome outcome, move_one(id));
        if (outcome == Outcome::came) ++came;
        if (outcome == Outcome::waits) still.push_back(id);
      }
      waiting = std::move(still);
    }
    return came;
  }

 private:
  enum class Outcome { came, waits, is_not_there };
  enum class Children { missing, there, closed };

  Result<std::optional<Found>> find(const Bytes32& id, int64_t domain) {
    CB_ASSIGN(Statement select, connection_.prepare(kFind));
    CB_ASSIGN(const bool row, select.bind(repository_).bind(ByteView(id)).bind(domain).step());
    if (!row) return std::nullopt;
    Found found;
    found.number = select.integer(0);
    found.condemned = select.integer(1) != 0;
    found.pack = select.integer(2);
    found.size = select.integer(3);
    CB_ASSIGN(found.session, fixed_bytes<16>(select, 4, connection_));
    found.children = to_bytes(select.blob(5));
    found.is_weak = select.integer(6) != 0;
    return found;
  }

  // What the open domain has of a blob's children.
  Result<Children> look_below(const Found& found) {
    bool closed = true;
    for (size_t at = 0; at < found.children.size(); at += sizeof(Bytes32)) {
      CB_ASSIGN(Statement select, connection_.prepare(kIsClosed));
      select.bind(repository_).bind(ByteView(found.children).subspan(at, sizeof(Bytes32)));
      CB_ASSIGN(const bool row, select.step());
      if (!row) return Children::missing;
      closed = closed && select.integer(0) != 0;
    }
    return closed ? Children::closed : Children::there;
  }

  Status remove(const Found& found) {
    {
      CB_ASSIGN(Statement count, connection_.prepare(kToGarbage));
      CB_TRY(count.bind(found.size).bind(found.pack).run());
    }
    CB_ASSIGN(Statement remove, connection_.prepare(kDelete));
    return remove.bind(found.number).run();
  }

  Result<Outcome> move_one(const Bytes32& id) {
    CB_ASSIGN(const auto mine, find(id, domain_));
    if (!mine || mine->condemned || mine->is_weak) return Outcome::is_not_there;
    CB_ASSIGN(const Children below, look_below(*mine));
    if (below == Children::missing) return Outcome::waits;
    const bool may_close = closes_ || mine->children.empty();
    CB_TRY(replace(id, *mine, may_close && below == Children::closed));
    if (mine->session != Bytes16{}) CB_TRY(move_session(mine->session));
    return Outcome::came;
  }

  Status replace(const Bytes32& id, const Found& mine, bool closed) {
    CB_ASSIGN(const auto open, find(id, kOpenDomain));
    if (open && !open->condemned && !open->is_weak) return remove(mine);
    if (open) CB_TRY(remove(*open));
    CB_ASSIGN(Statement move, connection_.prepare(kOpenUp));
    return move.bind(closed ? 1 : 0).bind(mine.number).run();
  }

  // Whoever reads a blob of the open domain finds what unlocks it there.
  Status move_session(const Bytes16& session) {
    Bytes32 id{};
    std::copy(session.begin(), session.end(), id.begin());
    CB_ASSIGN(const auto record, find(id, domain_));
    if (!record || record->condemned) return {};
    return replace(id, *record, true);
  }

  Connection& connection_;
  int64_t repository_;
  int64_t domain_;
  bool closes_;
};

}  // namespace

Result<int64_t> SqliteIndex::domain_of(int64_t repository, const Bytes16& device) {
  {
    const std::lock_guard lock(reader_.mutex);
    CB_ASSIGN(const auto found, find_domain(*reader_.connection, repository, device));
    if (found) return *found;
  }
  const std::lock_guard lock(writer_.mutex);
  {
    CB_ASSIGN(Statement draw, writer_.connection->prepare(kDrawDomain));
    CB_TRY(draw.bind(repository).bind(ByteView(device)).run());
  }
  CB_ASSIGN(const auto drawn, find_domain(*writer_.connection, repository, device));
  if (drawn) return *drawn;
  return failed(Code::not_found, "repository " + std::to_string(repository),
                "is not in the catalog");
}

Result<std::optional<Bytes16>> SqliteIndex::device_of(int64_t domain) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kDeviceOf));
  CB_ASSIGN(const bool row, select.bind(domain).step());
  if (!row) return std::nullopt;
  CB_ASSIGN(const Bytes16 device, fixed_bytes<16>(select, 0, *reader_.connection));
  return device;
}

// Which blobs have a condemned one below them is not known, so whatever was found whole is looked
// at again by the next commit that needs it.
Status SqliteIndex::condemn(int64_t repository, int64_t domain, std::span<const Bytes32> ids) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  int64_t condemned = 0;
  for (const Bytes32& id : ids) {
    CB_ASSIGN(Statement update, connection.prepare(kCondemn));
    CB_TRY(update.bind(repository).bind(ByteView(id)).bind(domain).run());
    condemned += connection.changes();
  }
  if (condemned > 0) {
    const bool is_open = domain == kOpenDomain;
    CB_ASSIGN(Statement reopen, connection.prepare(is_open ? kReopenAll : kReopen));
    reopen.bind(repository);
    if (!is_open) reopen.bind(domain);
    CB_TRY(reopen.run());
  }
  return transaction.commit();
}

Result<std::vector<Index::Copy>> SqliteIndex::copies(int64_t repository, int64_t after,
                                                     size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kCopies));
  select.bind(repository).bind(after).bind(static_cast<int64_t>(most));
  std::vector<Copy> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    Copy& copy = all.emplace_back();
    copy.number = select.integer(0);
    CB_ASSIGN(copy.id, fixed_bytes<32>(select, 1, *reader_.connection));
    copy.kind = static_cast<uint8_t>(select.integer(2));
    copy.domain = select.integer(3);
    CB_ASSIGN(copy.session, fixed_bytes<16>(select, 4, *reader_.connection));
  }
}

namespace {

// Those of one domain, behind what is in `all`.
Status add_weak(Connection& connection, Statement select, std::vector<Index::WeakBlob>& all) {
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return {};
    Index::WeakBlob& blob = all.emplace_back();
    blob.number = select.integer(0);
    CB_ASSIGN(blob.id, fixed_bytes<32>(select, 1, connection));
  }
}

}  // namespace

Result<std::vector<Index::WeakBlob>> SqliteIndex::weak_blobs(int64_t repository, const View& view,
                                                             int64_t before, size_t most) {
  const std::lock_guard lock(reader_.mutex);
  Connection& connection = *reader_.connection;
  CB_ASSIGN(const ReadTransaction transaction, ReadTransaction::begin(connection));
  const int64_t below = before > 0 ? before : std::numeric_limits<int64_t>::max();
  std::vector<WeakBlob> all;
  for (const int64_t domain : std::set{kOpenDomain, view.domain}) {
    CB_ASSIGN(Statement select, connection.prepare(kWeakBlobs));
    select.bind(repository).bind(domain).bind(below).bind(static_cast<int64_t>(most));
    CB_TRY(add_weak(connection, std::move(select), all));
  }
  const auto newest_first = [](const WeakBlob& a, const WeakBlob& b) {
    return a.number > b.number;
  };
  std::sort(all.begin(), all.end(), newest_first);
  if (all.size() > most) all.resize(most);
  return all;
}

Result<uint64_t> SqliteIndex::open_up(int64_t repository, int64_t domain,
                                      std::span<const Bytes32> ids, bool closes) {
  const std::lock_guard lock(writer_.mutex);
  if (domain >= kOpenDomain)
    return failed(Code::invalid, "domain " + std::to_string(domain), "is no device's");
  CB_ASSIGN(Transaction transaction, Transaction::begin(*writer_.connection));
  CB_ASSIGN(const uint64_t came,
            OpeningUp(*writer_.connection, repository, domain, closes).move(ids));
  CB_TRY(transaction.commit());
  return came;
}

}  // namespace cb::catalog
