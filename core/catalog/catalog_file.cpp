// SPDX-License-Identifier: Apache-2.0
#include "core/catalog/catalog_file.h"

#include "core/catalog/statement.h"
#include "core/os/file_system.h"

namespace cb::catalog {
namespace {

constexpr int kPatienceMs = 10'000;

}  // namespace

// WAL files take after it.
Status make_catalog_file(const std::string& file) {
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

Status check_catalog_file(const std::string& file) {
  auto found = os::real_file_system().info(file);
  if (!found && found.error().code == Code::not_found)
    return failed(std::move(found).error().with_advice(
        "if it is lost, run cyberbackupd rebuild-catalog; make a new one with cyberbackupd init"));
  if (!found) return failed(std::move(found).error());
  if (!found->is_regular())
    return failed(Code::invalid, file, "is not a file", "name the catalog's own file");
  return {};
}

Result<std::vector<std::string>> damage_of_catalog_file(const std::string& file, bool thorough) {
  CB_ASSIGN(const auto connection, Connection::open(file, kPatienceMs));
  CB_ASSIGN(Statement check, connection->prepare(thorough ? "PRAGMA integrity_check(100)"
                                                          : "PRAGMA quick_check(100)"));
  std::vector<std::string> found;
  for (;;) {
    const auto row = check.step();
    if (!row && row.error().code == Code::corrupt) {
      found.push_back(row.error().cause);
      return found;
    }
    if (!row) return failed(row.error());
    if (!*row) return found;
    if (check.text(0) != "ok") found.emplace_back(check.text(0));
  }
}

}  // namespace cb::catalog
