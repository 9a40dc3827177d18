// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "check_screen.h"
#include "core/os/account_names.h"
#include "core/os/process.h"
#include "core/server/admin_server.h"
#include "core/server/legacy_import_report.h"
#include "opened.h"

namespace cb::host {
namespace {

using server::ImportResult;

// Without --files: the folder that the database lies in.
os::Path folder_of(const ImportOptions& options) {
  if (!options.folder.empty()) return options.folder;
  const os::Path parent = os::Path(options.database).parent_path();
  return parent.empty() ? os::Path(".") : parent;
}

void note_import(const Opened& opened, log::Log& log, const ImportOptions& options,
                 const Result<ImportResult>& result) {
  server::Audit audit({&opened.backend->catalog().audit(), &os::system_clock(), &log});
  std::string detail = "from " + folder_of(options).string();
  if (result) {
    const server::ImportCounts counts = server::counts_of(result->plan);
    detail += ": " + std::to_string(counts.clients) + " clients, " + std::to_string(counts.files) +
              " files";
  }
  if (result && result->stopped) detail += ", stopped: " + result->stopped->text();
  if (!result) detail += ": " + result.error().text();
  audit.write({server::operator_text(started_by()), "", "legacy.imported", "",
               server::outcome_of(result), std::move(detail)});
}

Result<ImportResult> import_files(const ImportOptions& options) {
  CB_ASSIGN(const server::Settings settings, load_for_files(options.common));
  std::optional<os::FileLock> lock;
  if (!options.dry_run) {
    auto taken = os::FileLock::take(os::real_file_system(), settings.data / "lock");
    if (!taken)
      return failed(std::move(taken).error().with_advice(
          "a daemon runs on this folder, or another command: end it first; --dry-run also works "
          "beside it"));
    lock.emplace(std::move(*taken));
    CB_TRY(server::ensure_signing_key(settings, server::Seams{}));
  }
  CB_ASSIGN(const auto opened, open_files(options.common, options.dry_run));
  CB_ASSIGN(const auto log, log_of(opened->settings));
  CheckScreen screen("import", options.common.json, "bytes");
  server::ImportParts parts;
  parts.backend = opened->backend.get();
  parts.registry = opened->registry.get();
  parts.log = log.get();
  parts.scratch = opened->settings.spool_folder();
  parts.progress = [&](uint64_t done, uint64_t total) { screen.show(done, total); };
  auto result =
      server::import_legacy({options.database, folder_of(options), options.dry_run}, parts);
  screen.finish();
  if (!options.dry_run) note_import(*opened, *log, options, result);
  return result;
}

}  // namespace

report::ExitCode run_legacy_import(const ImportOptions& options) {
  const auto result = import_files(options);
  if (!result) return tell(result.error(), options.common.json);
  const report::Json report = server::json_of(*result);
  std::string text = server::text_of(*result);
  text.pop_back();
  print(options.common.json ? report::json_line(report) : text);
  Status written;
  if (!options.report.empty())
    written = os::write_file_atomically(os::real_file_system(), options.report,
                                        as_bytes(report::json_text(report) + "\n"));
  if (result->stopped) return tell(*result->stopped, options.common.json);
  if (!written) return tell(written.error(), options.common.json);
  return server::counts_of(result->plan).failed > 0 ? report::ExitCode::partial
                                                    : report::ExitCode::done;
}

}  // namespace cb::host
