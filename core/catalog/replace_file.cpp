// SPDX-License-Identifier: Apache-2.0
//
// See replace_file.h.
#include "core/catalog/replace_file.h"

#include <array>
#include <filesystem>

#include "core/base/trial.h"
#include "core/catalog/statement.h"
#include "core/os/file_system.h"

namespace cb::catalog {
namespace {

constexpr std::array<const char*, 2> kBeside = {"-wal", "-shm"};
constexpr int kBusyMs = 5000;

bool exists(const std::string& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

Status remove_if_there(const std::string& file) {
  const Status removed = os::real_file_system().remove(file);
  return !removed && removed.error().code == Code::not_found ? Status() : removed;
}

std::string free_name(const std::string& file) {
  for (int n = 1;; ++n) {
    std::string name = file + ".before-rebuild-" + std::to_string(n);
    if (!exists(name) && !exists(name + kBeside[0])) return name;
  }
}

Status give_second_name(const std::string& file, const std::string& name) {
  std::error_code problem;
  std::filesystem::create_hard_link(file, name, problem);
  if (!problem) return {};
  return failed(fail_errno(problem.value(), name, "keep the old catalog"));
}

// Brings what SQLite keeps beside a file into it. One that it cannot open stays as it is.
void settle(const std::string& file) {
  const auto connection = Connection::open(file, kBusyMs);
  if (connection) (void)(*connection)->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

// A log of the old file must not be taken for one of the new.
Result<std::string> keep_old(const std::string& file) {
  if (exists(file)) settle(file);
  const std::string log = file + kBeside[0];
  if (!exists(file) && !exists(log)) return std::string();
  std::string kept = free_name(file);
  if (exists(log)) CB_TRY(give_second_name(log, kept + kBeside[0]));
  if (exists(file)) CB_TRY(give_second_name(file, kept));
  CB_TRY(os::real_file_system().sync_folder(os::Path(file).parent_path()));
  for (const char* beside : kBeside) CB_TRY(remove_if_there(file + beside));
  return kept;
}

}  // namespace

Status remove_catalog_file(const std::string& file) {
  for (const char* beside : kBeside) CB_TRY(remove_if_there(file + beside));
  return remove_if_there(file);
}

Result<std::string> replace_catalog_file(const std::string& fresh, const std::string& file) {
  auto& files = os::real_file_system();
  settle(fresh);
  if (exists(fresh + kBeside[0]))
    return failed(Code::internal, fresh, "was not closed before it was put in place");
  {
    CB_ASSIGN(const auto opened, files.open(fresh, os::Open::read));
    CB_TRY(opened->sync());
  }
  trial::passed("rebuild.built");
  CB_ASSIGN(std::string kept, keep_old(file));
  trial::passed("rebuild.kept");
  CB_TRY(files.rename(fresh, file));
  CB_TRY(files.sync_folder(os::Path(file).parent_path()));
  trial::passed("rebuild.replaced");
  return kept;
}

}  // namespace cb::catalog
