// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/objects.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "tests/damage/program.h"

namespace cb::damage {
namespace {

namespace fs = std::filesystem;

// plugins/store-fs/README.md, "Layout".
class FileObjects final : public Objects {
 public:
  explicit FileObjects(fs::path folder) : folder_(std::move(folder)) {}

  std::vector<std::string> list(const std::string& prefix) override {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      std::string name = name_of(entry.path().lexically_relative(folder_));
      if (name.starts_with(prefix)) names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string read(const std::string& name) override { return content_of(path_of(name)); }
  void spoil(const std::string& name, const std::string& content) override {
    write_file(path_of(name), content);
  }
  void put(const std::string& name, const std::string& content) override {
    const fs::path path = path_of(name);
    fs::create_directories(path.parent_path());
    write_file(path, content);
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  }
  void remove(const std::string& name) override { fs::remove(path_of(name)); }

 private:
  static constexpr size_t kFanOut = 2;

  static std::string name_of(const fs::path& below) {
    std::string name;
    for (const fs::path& part : below) {
      std::string text = part.string();
      if (text.ends_with('=')) continue;
      if (text.ends_with(',')) text.back() = '/';
      name += text;
    }
    return name;
  }
  [[nodiscard]] fs::path path_of(std::string name) const {
    fs::path path = folder_;
    for (;;) {
      const size_t slash = name.find('/');
      const bool is_last = slash == std::string::npos;
      std::string key = is_last ? name : name.substr(0, slash) + ",";
      path /= key.substr(0, kFanOut) + "=";
      path /= key;
      if (is_last) return path;
      name.erase(0, slash + 1);
    }
  }

  const fs::path folder_;
};

// plugins/store-sqlite/README.md, "Layout".
class RowObjects final : public Objects {
 public:
  explicit RowObjects(const std::string& file) {
    if (sqlite3_open(file.c_str(), &handle_) != SQLITE_OK)
      throw std::runtime_error("cannot open " + file);
  }
  RowObjects(const RowObjects&) = delete;
  RowObjects& operator=(const RowObjects&) = delete;
  ~RowObjects() override { sqlite3_close(handle_); }

  std::vector<std::string> list(const std::string& prefix) override {
    std::vector<std::string> names;
    for (std::string& name : ask("SELECT name FROM object ORDER BY name", {}))
      if (name.starts_with(prefix)) names.push_back(std::move(name));
    return names;
  }
  std::string read(const std::string& name) override {
    std::string all;
    for (const std::string& part :
         ask("SELECT data FROM segment JOIN object ON name = ?1 WHERE segment.id / 16777216 ="
             " content ORDER BY segment.id",
             {name}))
      all += part;
    return all;
  }
  void spoil(const std::string& name, const std::string& content) override {
    const std::string id = content_id(name);
    ask("DELETE FROM segment WHERE id / 16777216 = CAST(?1 AS INTEGER)", {id});
    add_segments(id, content);
  }
  void put(const std::string& name, const std::string& content) override {
    ask("DELETE FROM object WHERE name = ?1", {name});
    ask("INSERT INTO content (state, owner, segment_size) VALUES (1, 0, 262144)", {});
    const std::string id = std::to_string(sqlite3_last_insert_rowid(handle_));
    ask("INSERT INTO object (name, content, length, modified_ns)"
        " VALUES (?1, CAST(?2 AS INTEGER), CAST(?3 AS INTEGER), 1)",
        {name, id, std::to_string(content.size())});
    add_segments(id, content);
  }
  void remove(const std::string& name) override {
    ask("DELETE FROM object WHERE name = ?1", {name});
  }

 private:
  static constexpr size_t kSegment = 262144;

  // The first column of what it answers.
  std::vector<std::string> ask(const std::string& sql, const std::vector<std::string>& texts,
                               const std::string* blob = nullptr) {
    sqlite3_stmt* rows = nullptr;
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &rows, nullptr) != SQLITE_OK)
      throw std::runtime_error(sql + ": " + sqlite3_errmsg(handle_));
    int at = 0;
    for (const std::string& text : texts)
      sqlite3_bind_text(rows, ++at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    if (blob != nullptr)
      sqlite3_bind_blob(rows, ++at, blob->data(), static_cast<int>(blob->size()), SQLITE_TRANSIENT);
    std::vector<std::string> values;
    int step = SQLITE_ROW;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW)
      values.emplace_back(static_cast<const char*>(sqlite3_column_blob(rows, 0)),
                          static_cast<size_t>(sqlite3_column_bytes(rows, 0)));
    sqlite3_finalize(rows);
    if (step != SQLITE_DONE) throw std::runtime_error(sql + ": " + sqlite3_errmsg(handle_));
    return values;
  }
  std::string content_id(const std::string& name) {
    const auto ids = ask("SELECT content FROM object WHERE name = ?1", {name});
    if (ids.size() != 1) throw std::runtime_error("no object " + name);
    return ids.front();
  }
  void add_segments(const std::string& id, const std::string& content) {
    for (size_t at = 0; at < content.size(); at += kSegment) {
      const std::string part = content.substr(at, kSegment);
      ask("INSERT INTO segment (id, data) VALUES"
          " (CAST(?1 AS INTEGER) * 16777216 + CAST(?2 AS INTEGER), ?3)",
          {id, std::to_string(at / kSegment)}, &part);
    }
  }

  sqlite3* handle_ = nullptr;
};

}  // namespace

std::unique_ptr<Objects> objects_in(const std::string& daemon_folder) {
  const fs::path folder = daemon_folder;
  if (fs::exists(folder / "store.sqlite"))
    return std::make_unique<RowObjects>((folder / "store.sqlite").string());
  return std::make_unique<FileObjects>(folder / "store" / "objects");
}

}  // namespace cb::damage
