// SPDX-License-Identifier: Apache-2.0
//
// The catalog in one SQLite file: WAL with synchronous=FULL, one connection that writes and one
// that reads, each behind its mutex, so that a log-in does not wait for another client's fsync.
// Several processes may have the file open. Thread-safe.
#include <mutex>
#include <utility>

#include "core/catalog/catalog.h"
#include "core/catalog/migrations.h"
#include "core/os/file_system.h"

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
    " (client, file_name, version, size, cksum, object, stored_size, created_ns)"
    " SELECT number, ?2, 1 + coalesce((SELECT max(version) FROM legacy_version"
    "   WHERE client = number AND file_name = ?2), 0), ?3, ?4, ?5, ?6, ?7"
    " FROM legacy_client WHERE id = ?1 RETURNING version";
constexpr const char* kVersions =
    "SELECT file_name, version, size, cksum, object, stored_size, v.created_ns"
    " FROM legacy_version v JOIN legacy_client c ON c.number = v.client"
    " WHERE c.id = ? ORDER BY file_name, version";
constexpr const char* kObjects = "SELECT object FROM legacy_version ORDER BY object";
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

// A connection with the mutex that makes its use one thread's at a time.
struct Guarded {
  std::mutex mutex;
  std::unique_ptr<Connection> connection;
};

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(std::unique_ptr<Connection> writer, std::unique_ptr<Connection> reader) {
    writer_.connection = std::move(writer);
    reader_.connection = std::move(reader);
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
    insert.bind(as_bytes(version.object)).bind(static_cast<int64_t>(version.stored_size));
    insert.bind(version.created_ns);
    Result<bool> row = insert.step();
    if (!row && row.error().code == Code::exists)
      return failed(Code::exists, version.object, "a version refers to this object already");
    if (!row) return failed(std::move(row).error());
    if (!*row) return failed(unknown(version.client));
    const auto number = static_cast<uint64_t>(insert.integer(0));
    CB_TRY(insert.run());
    return number;
  }

  Result<std::vector<LegacyVersion>> versions(const ClientId& client) override {
    const std::lock_guard lock(reader_.mutex);
    CB_ASSIGN(Statement select, reader_.connection->prepare(kVersions));
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
      version.object = select.text(4);
      version.stored_size = static_cast<uint64_t>(select.integer(5));
      version.created_ns = select.integer(6);
    }
  }

  Result<std::vector<std::string>> objects() override {
    const std::lock_guard lock(reader_.mutex);
    CB_ASSIGN(Statement select, reader_.connection->prepare(kObjects));
    std::vector<std::string> found;
    for (;;) {
      CB_ASSIGN(const bool row, select.step());
      if (!row) return found;
      found.emplace_back(select.text(0));
    }
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
};

// Makes the file with the right permissions before SQLite would; WAL files take after it.
Status make_file(const std::string& file) {
  auto& files = os::real_file_system();
  auto made = files.open(file, os::Open::create_new, 0600);
  if (!made) {
    if (made.error().code == Code::exists) return {};
    return failed(std::move(made).error());
  }
  CB_TRY((*made)->sync());
  const os::Path folder = os::Path(file).parent_path();
  return files.sync_folder(folder.empty() ? os::Path(".") : folder);
}

Status check_file(const std::string& file) {
  auto found = os::real_file_system().info(file);
  if (!found && found.error().code == Code::not_found)
    return failed(std::move(found).error().with_advice(
        "make a catalog with cyberbackupd init, or correct the path"));
  if (!found) return failed(std::move(found).error());
  if (!found->is_regular())
    return failed(Code::invalid, file, "is not a file", "name the catalog's own file");
  return {};
}

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
                "restore it from a backup, or run cyberbackupd init for a new one");
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
  if (create) CB_TRY(make_file(file));
  CB_TRY(check_file(file));
  CB_ASSIGN(auto writer, connect(file));
  if (!create) CB_TRY(check_not_empty(*writer));
  // Before WAL: a file that is not ours must not be changed.
  CB_TRY(migrate(*writer, migrations()));
  CB_TRY(use_wal(*writer));
  CB_ASSIGN(auto reader, connect(file));
  return std::make_unique<SqliteCatalog>(std::move(writer), std::move(reader));
}

}  // namespace cb::catalog
