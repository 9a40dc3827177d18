// SPDX-License-Identifier: Apache-2.0
//
// The SQL of weak rows, signatures and recipes, in collections.
#include "core/catalog/sqlite_collection.h"

namespace cb::catalog {
namespace {

constexpr size_t kMostChildren = 4096;  // that are looked at in one transaction, about

#define CB_IS_WANTED                                                                 \
  "EXISTS (SELECT 1 FROM wanted w WHERE w.repository = b.repository AND w.id = b.id" \
  " AND w.domain = b.owner)"
constexpr const char* kWeakRow =
    "SELECT owner, children FROM blob b WHERE number = ? AND kind IN (2, 3) AND NOT " CB_IS_WANTED;
constexpr const char* kDataRow =
    "SELECT number, pack FROM blob WHERE repository = ? AND id = ? AND owner = ? AND kind = 1"
    " AND condemned_ns = 0";
constexpr const char* kTakeBack =
    "UPDATE blob AS b SET condemned = 0, condemned_ns = 0 WHERE number = ? AND pack = ?"
    " AND kind IN (2, 3) AND condemned_ns > 0 AND NOT " CB_IS_WANTED;

// Looks whether weak rows describe what lives, within a transaction.
class Describing {
 public:
  Describing(Connection& connection, int64_t repository, const Collection::Lives& lives)
      : connection_(connection), repository_(repository), lives_(lives) {}

  Result<bool> describes_live(int64_t number) {
    int64_t domain = 0;
    Bytes children;
    {
      CB_ASSIGN(Statement select, connection_.prepare(kWeakRow));
      CB_ASSIGN(const bool there, select.bind(number).step());
      if (!there) return false;
      domain = select.integer(0);
      children = to_bytes(select.blob(1));
    }
    for (size_t at = 0; at < children.size(); at += sizeof(Bytes32)) {
      CB_ASSIGN(const bool lives,
                lives_there(ByteView(children).subspan(at, sizeof(Bytes32)), domain));
      if (!lives) return false;
    }
    return !children.empty();
  }

  [[nodiscard]] size_t looked_up() const { return looked_up_; }

 private:
  Result<bool> lives_there(ByteView id, int64_t domain) {
    ++looked_up_;
    CB_ASSIGN(const bool is_open, lives_in(id, kOpenDomain));
    if (is_open || domain == kOpenDomain) return is_open;
    return lives_in(id, domain);
  }

  Result<bool> lives_in(ByteView id, int64_t domain) {
    CB_ASSIGN(Statement select, connection_.prepare(kDataRow));
    CB_ASSIGN(const bool there, select.bind(repository_).bind(id).bind(domain).step());
    MarkedRow row;
    row.number = there ? select.integer(0) : 0;
    row.pack = there ? select.integer(1) : 0;
    return there && lives_(row);
  }

  Connection& connection_;
  int64_t repository_;
  const Collection::Lives& lives_;
  size_t looked_up_ = 0;
};

}  // namespace

Result<std::vector<bool>> SqliteCollection::describe_live(int64_t repository,
                                                          std::span<const int64_t> rows,
                                                          const Lives& lives) {
  const std::lock_guard lock(reader_.mutex);
  Connection& connection = *reader_.connection;
  CB_ASSIGN(const ReadTransaction transaction, ReadTransaction::begin(connection));
  Describing describing(connection, repository, lives);
  std::vector<bool> answers;
  for (const int64_t row : rows) {
    CB_ASSIGN(const bool is_live, describing.describes_live(row));
    answers.push_back(is_live);
    if (describing.looked_up() >= kMostChildren) break;
  }
  return answers;
}

Result<uint64_t> SqliteCollection::take_back(std::span<const DeadRow> rows) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  uint64_t came = 0;
  for (const DeadRow& row : rows) {
    CB_ASSIGN(Statement update, connection.prepare(kTakeBack));
    CB_TRY(update.bind(row.number).bind(row.pack).run());
    came += static_cast<uint64_t>(connection.changes());
  }
  CB_TRY(transaction.commit());
  return came;
}

}  // namespace cb::catalog
