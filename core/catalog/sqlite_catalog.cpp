// SPDX-License-Identifier: Apache-2.0
//
// The catalog in one SQLite file: WAL with synchronous=FULL, one connection that writes, one that
// reads, one that reads the index and one for collection, each behind its mutex, so that a log-in
// waits neither for another client's fsync nor for its look-ups.
// Several processes may have the file open. Thread-safe.
#include <algorithm>
#include <mutex>
#include <utility>

#include "core/catalog/catalog.h"
#include "core/catalog/catalog_file.h"
#include "core/catalog/guarded.h"
#include "core/catalog/migrations.h"
#include "core/catalog/sqlite_accounts.h"
#include "core/catalog/sqlite_audit.h"
#include "core/catalog/sqlite_collection.h"
#include "core/catalog/sqlite_drills.h"
#include "core/catalog/sqlite_index.h"
#include "core/catalog/sqlite_jobs.h"
#include "core/catalog/sqlite_legacy.h"
#include "core/catalog/sqlite_limits.h"
#include "core/catalog/sqlite_replication.h"
#include "core/catalog/sqlite_retention.h"
#include "core/catalog/sqlite_sources.h"
#include "core/catalog/sqlite_verification.h"

namespace cb::catalog {
namespace {

constexpr int kBusyMs = 10'000;

#define CB_CLIENT_COLUMNS \
  "id, name, public_key, oaep, oaep_proven, created_ns, last_seen_ns, last_address"

constexpr const char* kAddClient =
    "INSERT INTO legacy_client (" CB_CLIENT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kClientById = "SELECT " CB_CLIENT_COLUMNS " FROM legacy_client WHERE id = ?";
constexpr const char* kClientByName =
    "SELECT " CB_CLIENT_COLUMNS " FROM legacy_client WHERE name = ?";
constexpr const char* kClients = "SELECT " CB_CLIENT_COLUMNS " FROM legacy_client ORDER BY name";
constexpr const char* kSetPublicKey = "UPDATE legacy_client SET public_key = ? WHERE id = ?";
constexpr const char* kSetOaep = "UPDATE legacy_client SET oaep = ?, oaep_proven = ? WHERE id = ?";
constexpr const char* kTouch =
    "UPDATE legacy_client SET last_seen_ns = ?, last_address = ? WHERE id = ?";
// One statement, so that reading the last number and taking the next cannot be parted.
constexpr const char* kAddVersion =
    "INSERT INTO legacy_version"
    " (client, file_name, version, size, cksum, snapshot, sequence, stored_size, created_ns)"
    " SELECT number, ?2, 1 + coalesce((SELECT max(version) FROM legacy_version"
    "   WHERE client = number AND file_name = ?2), 0), ?3, ?4, ?5, ?6, ?7, ?8"
    " FROM legacy_client WHERE id = ?1 RETURNING version";
#define CB_SELECT_VERSION                                                                  \
  "SELECT file_name, version, size, cksum, snapshot, sequence, stored_size, v.created_ns," \
  " taken_over FROM legacy_version v JOIN legacy_client c ON c.number = v.client WHERE c.id = ?"
constexpr const char* kVersions = CB_SELECT_VERSION " ORDER BY file_name, version";
constexpr const char* kNewestVersion =
    CB_SELECT_VERSION " AND taken_over = 0 ORDER BY sequence DESC LIMIT 1";
constexpr const char* kAddRepository =
    "INSERT INTO legacy_repository (client, record, slot)"
    " SELECT number, ?2, ?3 FROM legacy_client WHERE id = ?1";
constexpr const char* kRepository =
    "SELECT record, slot FROM legacy_repository r JOIN legacy_client c ON c.number = r.client"
    " WHERE c.id = ?";
constexpr const char* kTotals =
    "SELECT (SELECT count(*) FROM legacy_client), count(*), coalesce(sum(size), 0),"
    " coalesce(sum(stored_size), 0) FROM legacy_version";

Result<LegacyClient> read_client(const Statement& row, const std::string& file) {
  auto id = ClientId::from_bytes(row.blob(0));
  if (!id) return failed(Code::corrupt, file, "holds a client id of a wrong size");
  LegacyClient client;
  client.id = *id;
  client.name = row.text(1);
  client.public_key = to_bytes(row.blob(2));
  client.oaep = static_cast<OaepHash>(row.integer(3));
  client.oaep_proven = row.integer(4) != 0;
  client.created_ns = row.integer(5);
  client.last_seen_ns = row.integer(6);
  client.last_address = row.text(7);
  return client;
}

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(std::unique_ptr<Connection> writer, std::unique_ptr<Connection> reader,
                std::unique_ptr<Connection> index_reader,
                std::unique_ptr<Connection> collection_reader)
      : accounts_(writer_, reader_),
        index_(writer_, index_reader_),
        audit_(writer_, reader_),
        collection_(writer_, collection_reader_),
        drills_(writer_, reader_),
        jobs_(writer_, reader_),
        legacy_(writer_, reader_),
        limits_(writer_, reader_),
        replication_(writer_, reader_),
        retention_(writer_, reader_),
        sources_(writer_, reader_),
        verification_(writer_, reader_) {
    writer_.connection = std::move(writer);
    reader_.connection = std::move(reader);
    index_reader_.connection = std::move(index_reader);
    collection_reader_.connection = std::move(collection_reader);
  }

  Accounts& accounts() override { return accounts_; }
  Index& index() override { return index_; }
  Audit& audit() override { return audit_; }
  Retention& retention() override { return retention_; }
  Collection& collection() override { return collection_; }
  Jobs& jobs() override { return jobs_; }
  Sources& sources() override { return sources_; }
  Drills& drills() override { return drills_; }
  Verification& verification() override { return verification_; }
  Limits& limits() override { return limits_; }
  Replication& replication() override { return replication_; }

  // Over a connection of its own: it takes long, and nobody is to wait for it.
  Result<std::vector<std::string>> damage(bool thorough) override {
    return damage_of_catalog_file(reader_.connection->file(), thorough);
  }

  Status add_client(const LegacyClient& client) override {
    const std::lock_guard lock(writer_.mutex);
    CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddClient));
    insert.bind(client.id.view()).bind(as_bytes(client.name)).bind(ByteView(client.public_key));
    insert.bind(static_cast<int64_t>(client.oaep)).bind(client.oaep_proven ? 1 : 0);
    insert.bind(client.created_ns).bind(client.last_seen_ns).bind(as_bytes(client.last_address));
    Status done = insert.run();
    if (!done && done.error().code == Code::exists)
      return failed(Code::exists, "client " + client.id.hex(), "name or id is taken");
    return done;
  }

  Result<std::optional<LegacyClient>> client_by_id(const ClientId& id) override {
    return find_client(kClientById, id.view());
  }

  Result<std::optional<LegacyClient>> client_by_name(const std::string& name) override {
    return find_client(kClientByName, as_bytes(name));
  }

  Result<std::vector<LegacyClient>> clients() override {
    const std::lock_guard lock(reader_.mutex);
    CB_ASSIGN(Statement select, reader_.connection->prepare(kClients));
    std::vector<LegacyClient> found;
    for (;;) {
      CB_ASSIGN(const bool row, select.step());
      if (!row) return found;
      CB_ASSIGN(LegacyClient client, read_client(select, reader_.connection->file()));
      found.push_back(std::move(client));
    }
  }

  Status set_public_key(const ClientId& id, ByteView public_key) override {
    return update(kSetPublicKey, id, [&](Statement& set) { set.bind(public_key); });
  }

  Status set_oaep(const ClientId& id, OaepHash hash, bool proven) override {
    return update(kSetOaep, id, [&](Statement& set) {
      set.bind(static_cast<int64_t>(hash)).bind(proven ? 1 : 0);
    });
  }

  Status touch(const ClientId& id, int64_t seen_ns, const std::string& address) override {
    return update(kTouch, id, [&](Statement& set) { set.bind(seen_ns).bind(as_bytes(address)); });
  }

  Result<uint64_t> add_version(const LegacyVersion& version) override {
    const std::lock_guard lock(writer_.mutex);
    CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddVersion));
    insert.bind(version.client.view()).bind(as_bytes(version.file_name));
    insert.bind(static_cast<int64_t>(version.size)).bind(static_cast<int64_t>(version.cksum));
    insert.bind(ByteView(version.snapshot)).bind(static_cast<int64_t>(version.sequence));
    insert.bind(static_cast<int64_t>(version.stored_size));
    insert.bind(version.created_ns);
    Result<bool> row = insert.step();
    if (!row && row.error().code == Code::exists)
      return failed(Code::exists, version.file_name, "a version of this commit is there already");
    if (!row) return failed(std::move(row).error());
    if (!*row) return failed(unknown(version.client));
    const auto number = static_cast<uint64_t>(insert.integer(0));
    CB_TRY(insert.run());
    return number;
  }

  Result<std::vector<LegacyVersion>> versions(const ClientId& client) override {
    return select_versions(kVersions, client);
  }

  Result<std::optional<LegacyVersion>> newest_version(const ClientId& client) override {
    CB_ASSIGN(std::vector<LegacyVersion> found, select_versions(kNewestVersion, client));
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
  }

  Status add_legacy_repository(const ClientId& client,
                               const LegacyRepository& repository) override {
    const std::lock_guard lock(writer_.mutex);
    CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddRepository));
    insert.bind(client.view()).bind(ByteView(repository.record)).bind(ByteView(repository.slot));
    CB_TRY(insert.run());
    if (writer_.connection->changes() == 0) return failed(unknown(client));
    return {};
  }

  Result<std::optional<LegacyRepository>> legacy_repository(const ClientId& client) override {
    const std::lock_guard lock(reader_.mutex);
    CB_ASSIGN(Statement select, reader_.connection->prepare(kRepository));
    CB_ASSIGN(const bool row, select.bind(client.view()).step());
    if (!row) return std::nullopt;
    return LegacyRepository{to_bytes(select.blob(0)), to_bytes(select.blob(1))};
  }

  Status take_over_legacy(const ClientId& client, int64_t now_ns) override {
    return legacy_.take_over(client, now_ns);
  }

  Result<LegacyPolicy> legacy_policy(const ClientId& client) override {
    return legacy_.policy(client);
  }

  Status change_legacy_policy(const ClientId& client,
                              const std::function<void(LegacyPolicy&)>& change) override {
    return legacy_.change_policy(client, change);
  }

  Status note_legacy_use(const ClientId& client, const LegacyUse& more) override {
    return legacy_.note_use(client, more);
  }

  Result<std::vector<LegacyUse>> legacy_uses(const ClientId& client) override {
    return legacy_.uses(client);
  }

  Result<Totals> totals() override {
    const std::lock_guard lock(reader_.mutex);
    CB_ASSIGN(Statement select, reader_.connection->prepare(kTotals));
    CB_TRY(select.step());
    Totals totals;
    totals.clients = static_cast<uint64_t>(select.integer(0));
    totals.versions = static_cast<uint64_t>(select.integer(1));
    totals.plain_bytes = static_cast<uint64_t>(select.integer(2));
    totals.stored_bytes = static_cast<uint64_t>(select.integer(3));
    return totals;
  }

 private:
  static Error unknown(const ClientId& id) {
    return fail(Code::not_found, "client " + id.hex(), "is not in the catalog");
  }

  Result<std::vector<LegacyVersion>> select_versions(const char* sql, const ClientId& client) {
    const std::lock_guard lock(reader_.mutex);
    CB_ASSIGN(Statement select, reader_.connection->prepare(sql));
    select.bind(client.view());
    std::vector<LegacyVersion> found;
    for (;;) {
      CB_ASSIGN(const bool row, select.step());
      if (!row) return found;
      LegacyVersion& version = found.emplace_back();
      version.client = client;
      version.file_name = select.text(0);
      version.version = static_cast<uint64_t>(select.integer(1));
      version.size = static_cast<uint64_t>(select.integer(2));
      version.cksum = static_cast<uint32_t>(select.integer(3));
      const ByteView snapshot = select.blob(4);
      if (snapshot.size() == version.snapshot.size())
        std::copy(snapshot.begin(), snapshot.end(), version.snapshot.begin());
      version.sequence = static_cast<uint64_t>(select.integer(5));
      version.stored_size = static_cast<uint64_t>(select.integer(6));
      version.created_ns = select.integer(7);
      version.taken_over = select.integer(8) != 0;
    }
  }

  Result<std::optional<LegacyClient>> find_client(const char* sql, ByteView key) {
    const std::lock_guard lock(reader_.mutex);
    CB_ASSIGN(Statement select, reader_.connection->prepare(sql));
    CB_ASSIGN(const bool row, select.bind(key).step());
    if (!row) return std::nullopt;
    CB_ASSIGN(LegacyClient client, read_client(select, reader_.connection->file()));
    return client;
  }

  // `sql` sets what `bind_values` binds, and ends in the client's id.
  template <typename Binder>
  Status update(const char* sql, const ClientId& id, const Binder& bind_values) {
    const std::lock_guard lock(writer_.mutex);
    CB_ASSIGN(Statement set, writer_.connection->prepare(sql));
    bind_values(set);
    CB_TRY(set.bind(id.view()).run());
    if (writer_.connection->changes() == 0) return failed(unknown(id));
    return {};
  }

  Guarded writer_;
  Guarded reader_;
  Guarded index_reader_;
  Guarded collection_reader_;
  SqliteAccounts accounts_;
  SqliteIndex index_;
  SqliteAudit audit_;
  SqliteCollection collection_;
  SqliteDrills drills_;
  SqliteJobs jobs_;
  SqliteLegacy legacy_;
  SqliteLimits limits_;
  SqliteReplication replication_;
  SqliteRetention retention_;
  SqliteSources sources_;
  SqliteVerification verification_;
};

Status use_wal(Connection& connection) {
  // The switch needs the file alone for a moment and SQLite does not always wait for that.
  constexpr int kTries = 200;
  constexpr int kPauseMs = 25;
  for (int attempt = 0;; ++attempt) {
    Status done = connection.execute("PRAGMA journal_mode = WAL");
    if (done || done.error().code != Code::busy || attempt == kTries) return done;
    sqlite3_sleep(kPauseMs);
  }
}

// An empty file would silently become a new catalog and forget every backup of the old one.
Status check_not_empty(Connection& connection) {
  CB_ASSIGN(const int64_t version, connection.integer("PRAGMA user_version"));
  if (version > 0) return {};
  return failed(Code::corrupt, connection.file(), "is empty, which no catalog is",
                "restore it from a backup, or run cyberbackupd rebuild-catalog");
}

// Before the repository engine, v3 uploads were objects of a format of their own, in development
// versions alone.
Status check_no_interim_uploads(Connection& connection) {
  CB_ASSIGN(const int64_t version, connection.integer("PRAGMA user_version"));
  if (version != 1 && version != 2) return {};
  CB_ASSIGN(const int64_t application, connection.integer("PRAGMA application_id"));
  if (application != kApplicationId) return {};
  CB_ASSIGN(const int64_t uploads, connection.integer("SELECT count(*) FROM legacy_version"));
  if (uploads == 0) return {};
  return failed(Code::unsupported, connection.file(),
                "holds " + std::to_string(uploads) +
                    " uploads in the interim format of a development version",
                "export them with the program that wrote them (cyberbackupd legacy export), then "
                "begin a new data folder with cyberbackupd init");
}

Result<std::unique_ptr<Connection>> connect(const std::string& file) {
  CB_ASSIGN(auto connection, Connection::open(file, kBusyMs));
  CB_TRY(connection->execute(
      "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;"
      "PRAGMA trusted_schema = OFF"));
  return connection;
}

}  // namespace

Result<std::unique_ptr<Catalog>> open_sqlite_catalog(const std::string& file, bool create) {
  if (create) CB_TRY(make_catalog_file(file));
  CB_TRY(check_catalog_file(file));
  CB_ASSIGN(auto writer, connect(file));
  if (!create) CB_TRY(check_not_empty(*writer));
  // Before WAL: a file that is not ours must not be changed.
  CB_TRY(check_no_interim_uploads(*writer));
  CB_TRY(migrate(*writer, migrations()));
  CB_TRY(use_wal(*writer));
  CB_ASSIGN(auto reader, connect(file));
  CB_ASSIGN(auto index_reader, connect(file));
  // KiB: thousands of look-ups a batch, all over the index.
  CB_TRY(index_reader->execute("PRAGMA cache_size = -16384"));
  CB_ASSIGN(auto collection_reader, connect(file));
  CB_TRY(collection_reader->execute("PRAGMA cache_size = -8192"));
  return std::make_unique<SqliteCatalog>(std::move(writer), std::move(reader),
                                         std::move(index_reader), std::move(collection_reader));
}

}  // namespace cb::catalog
