// SPDX-License-Identifier: Apache-2.0
//
// Column names differ in case and underscores; what they mean is the same everywhere, but that
// files.id is the client where no other column tells him.
#include "core/catalog/legacy_source.h"

#include <algorithm>
#include <list>
#include <map>

#include "core/catalog/legacy_source_copy.h"
#include "core/catalog/statement.h"

namespace cb::catalog {
namespace {

constexpr int kBusyMs = 1'000;
constexpr size_t kMostDoubts = 1'000;

// Real names by folded ones.
using Columns = std::map<std::string, std::string>;

std::string folded(std::string_view name) {
  std::string text;
  for (const char c : name)
    if (c != '_') text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string as_identifier(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

// Text of a C program: what follows a zero byte is padding.
std::string unpadded(std::string_view text) { return std::string(text.substr(0, text.find('\0'))); }

class Reader {
 public:
  Reader(std::unique_ptr<Connection> connection, std::string name)
      : connection_(std::move(connection)), name_(std::move(name)) {}

  Result<LegacySource> read();

 private:
  Status check();
  Status find_tables();
  Result<Columns> columns_of(const std::string& table);
  // A statement that gives the columns with these names, each the first that there is of its
  // choices, or NULL.
  Result<Statement> select(const std::string& table, const Columns& columns,
                           const std::vector<std::vector<std::string>>& choices);
  Status read_clients(const Columns& columns);
  Status read_rows(const Columns& columns);
  void doubt(const std::string& table, int64_t rowid, const std::string& what);

  std::list<std::string> sql_;  // statements are kept under their text's address
  std::unique_ptr<Connection> connection_;
  std::string name_;  // of the original
  std::map<std::string, std::string> tables_;
  LegacySource source_;
};

Status Reader::check() {
  CB_TRY(connection_->execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
  CB_ASSIGN(Statement check, connection_->prepare("PRAGMA quick_check(1)"));
  CB_ASSIGN(const bool row, check.step());
  if (row && check.text(0) == "ok") return {};
  return failed(Code::corrupt, name_, "is damaged: " + std::string(row ? check.text(0) : ""));
}

Result<Columns> Reader::columns_of(const std::string& table) {
  CB_ASSIGN(Statement select, connection_->prepare("SELECT name FROM pragma_table_info(?)"));
  select.bind_text(tables_[table]);
  Columns columns;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return columns;
    columns.emplace(folded(select.text(0)), select.text(0));
  }
}

Result<Statement> Reader::select(const std::string& table, const Columns& columns,
                                 const std::vector<std::vector<std::string>>& choices) {
  std::string sql;
  for (const auto& names : choices) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return columns.contains(name);
    });
    sql += found == names.end() ? ", NULL" : ", " + as_identifier(columns.at(*found));
  }
  sql += " FROM " + as_identifier(tables_[table]);
  sql_.push_back("SELECT rowid" + sql + " ORDER BY rowid");
  auto made = connection_->prepare(sql_.back().c_str());
  if (made || made.error().code != Code::internal) return made;
  sql_.push_back("SELECT 0" + sql);  // a table without row numbers
  return connection_->prepare(sql_.back().c_str());
}

void Reader::doubt(const std::string& table, int64_t rowid, const std::string& what) {
  if (source_.doubts.size() < kMostDoubts)
    source_.doubts.push_back("row " + std::to_string(rowid) + " of " + table + " " + what);
}

Status Reader::read_clients(const Columns& columns) {
  CB_ASSIGN(Statement select,
            this->select("clients", columns,
                         {{"id", "clientid"}, {"name", "username"}, {"publickey"}, {"lastseen"}}));
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return {};
    const auto id = parse_source_id(select.text(1));
    if (!id) {
      doubt("clients", select.integer(0), "has an id that is none");
      continue;
    }
    SourceClient client;
    client.id = *id;
    client.name = unpadded(select.text(2));
    client.public_key = to_bytes(select.blob(3));
    client.last_seen = unpadded(select.text(4));
    source_.clients.push_back(std::move(client));
  }
}

Status Reader::read_rows(const Columns& columns) {
  CB_ASSIGN(Statement select, this->select("files", columns,
                                           {{"clientid", "id"},
                                            {"filename", "name"},
                                            {"pathname", "path", "filepath"},
                                            {"verified"},
                                            {"filesize", "size"},
                                            {"modificationdate"},
                                            {"crc", "cksum", "checksum"}}));
  for (;;) {
    CB_ASSIGN(const bool more, select.step());
    if (!more) return {};
    const auto client = parse_source_id(select.text(1));
    if (!client) {
      doubt("files", select.integer(0), "names a client by an id that is none");
      continue;
    }
    SourceRow row;
    row.client = *client;
    row.file_name = unpadded(select.text(2));
    row.path = unpadded(select.text(3));
    row.verified = select.integer(4) != 0 || folded(select.text(4)) == "true";
    if (!select.is_null(5) && select.integer(5) >= 0)
      row.size = static_cast<uint64_t>(select.integer(5));
    row.date = unpadded(select.text(6));
    if (!select.is_null(7)) row.crc = static_cast<uint32_t>(select.integer(7));
    source_.rows.push_back(std::move(row));
  }
}

Status Reader::find_tables() {
  CB_ASSIGN(Statement select,
            connection_->prepare("SELECT name FROM sqlite_master WHERE type = 'table'"));
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return {};
    tables_.emplace(folded(select.text(0)), select.text(0));
  }
}

Result<LegacySource> Reader::read() {
  CB_TRY(check());
  CB_TRY(find_tables());
  Columns clients;
  Columns rows;
  if (tables_.contains("clients") && tables_.contains("files")) {
    CB_ASSIGN(clients, columns_of("clients"));
    CB_ASSIGN(rows, columns_of("files"));
  }
  const bool has_name = rows.contains("filename") || rows.contains("name");
  if (!clients.contains("id") || !clients.contains("name") || !has_name)
    return failed(Code::invalid, name_,
                  "has no tables clients and files of an old server's database",
                  "name its defensive.db or db.defensive; without one, --files alone");
  CB_TRY(read_clients(clients));
  CB_TRY(read_rows(rows));
  return std::move(source_);
}

// Errors speak of the original, not of the copy.
Error error_of(Error error, const os::Path& file) {
  error.object = file.string();
  if (error.code == Code::corrupt)
    error.advice =
        "keep it as it is, and try a copy that the program sqlite3 makes of it: sqlite3 " +
        file.string() + " .recover | sqlite3 recovered.db";
  return error;
}

}  // namespace

std::optional<ClientId> parse_source_id(std::string_view bytes) {
  if (bytes.size() == ClientId::kSize) return ClientId::from_bytes(as_bytes(bytes)).value();
  std::string hex(bytes);
  constexpr size_t kUuid = 36;
  if (bytes.size() == kUuid) {
    for (const size_t at : {23U, 18U, 13U, 8U}) {
      if (hex[at] != '-') return std::nullopt;
      hex.erase(at, 1);
    }
  }
  const auto id = ClientId::from_hex_text(hex);
  return id ? std::optional(*id) : std::nullopt;
}

Result<LegacySource> read_legacy_source(const os::Path& file, const os::Path& scratch,
                                        os::FileSystem& files) {
  CB_ASSIGN(const LegacySourceCopy copy, LegacySourceCopy::make(file, scratch, files));
  auto connection = Connection::open(copy.file().string(), kBusyMs);
  if (!connection) return failed(error_of(std::move(connection).error(), file));
  auto source = Reader(std::move(*connection), file.string()).read();
  if (!source) return failed(error_of(std::move(source).error(), file));
  return source;
}

}  // namespace cb::catalog
