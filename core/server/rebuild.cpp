// SPDX-License-Identifier: Apache-2.0
#include "core/server/rebuild.h"

#include "core/catalog/replace_file.h"
#include "core/os/account_names.h"
#include "core/server/admin_server.h"
#include "core/server/audit.h"
#include "core/server/rebuild_limits.h"
#include "core/server/v3_rebuild.h"

namespace cb::server {
namespace {

// The new file, removed unless it took its place.
class FreshCatalog {
 public:
  explicit FreshCatalog(std::string file) : file_(std::move(file)) {}
  FreshCatalog(const FreshCatalog&) = delete;
  FreshCatalog& operator=(const FreshCatalog&) = delete;
  ~FreshCatalog() { (void)catalog::remove_catalog_file(file_); }

  // What a rebuild that was killed left is of no use.
  [[nodiscard]] Status make() const {
    CB_TRY(catalog::remove_catalog_file(file_));
    CB_TRY(catalog::open_sqlite_catalog(file_, true));
    return {};
  }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
};

constexpr size_t kAuditRowsAtOnce = 500;

// Rows as they are, so that their chain stays what it is.
Status copy_audit(catalog::Audit& from, catalog::Audit& to) {
  for (int64_t after = 0;;) {
    CB_ASSIGN(const auto rows, from.rows(after, kAuditRowsAtOnce));
    if (rows.empty()) return {};
    CB_TRY(to.append([&](const std::optional<catalog::AuditRow>&) { return rows; }));
    after = rows.back().sequence;
  }
}

// What the store does not have and the old catalog may still tell.
Status take_over_limits(const std::string& old_file, const std::string& new_file,
                        RebuildResult& result) {
  CB_ASSIGN(const auto fresh, catalog::open_sqlite_catalog(new_file, false));
  const auto old = catalog::open_sqlite_catalog(old_file, false);
  const Status copied = old ? copy_limits(**old, *fresh) : Status(failed(old.error()));
  if (!copied && copied.error().code != Code::not_found)
    result.notes.push_back({"the server",
                            "the limits of accounts and devices are gone, set them "
                            "anew (cyberbackupd limits set): " +
                                copied.error().text()});
  return {};
}

// The audit log of the old catalog as far as it can be read, and that this was done.
Status take_over_audit(const std::string& old_file, const std::string& new_file, const Seams& seams,
                       RebuildResult& result) {
  CB_ASSIGN(const auto fresh, catalog::open_sqlite_catalog(new_file, false));
  Status copied;
  if (auto old = catalog::open_sqlite_catalog(old_file, false))
    copied = copy_audit((*old)->audit(), fresh->audit());
  else if (old.error().code != Code::not_found)
    copied = failed(std::move(old).error());
  if (!copied)
    result.notes.push_back(
        {"the server", "the old audit log ends early: " + copied.error().text()});
  Audit audit({&fresh->audit(), seams.clock, seams.log});
  audit.write({operator_text(os::effective_uid()), "", "catalog.rebuilt", "", "done",
               copied ? "" : copied.error().text()});
  return audit.flush();
}

Status check(Backend& backend, RebuildResult& result) {
  for (const auto& repository : result.rebuilt.repositories) {
    const auto checked = backend.engine().check(repository.id, false, {});
    if (!checked && !repository::is_damage(checked.error().code)) return failed(checked.error());
    if (!checked) {
      result.findings.push_back({repository.account, checked.error().text()});
      continue;
    }
    for (const std::string& finding : checked->findings)
      result.findings.push_back({repository.account, finding});
    for (const std::string& note : checked->notes)
      result.notes.push_back({repository.account, note});
  }
  return {};
}

Result<RebuildResult> fill(Backend& backend, const RebuildRequest& request,
                           const repository::RebuildProgress& progress) {
  V3Rebuild v3(backend.v3_parts());
  repository::RebuildParts parts;
  parts.store = &backend.store();
  parts.catalog = &backend.catalog();
  auto key = backend.signing_public();
  if (!key)
    return failed(std::move(key).error().with_advice(
        "bring it back from your copy: it tells this server's commits from forged ones"));
  parts.server_key = *key;
  parts.name_v3 = [&](const auto& record, const auto& slot) { return v3.account_of(record, slot); };
  parts.scan = request.scan;
  parts.sets_aside = !request.dry_run;
  RebuildResult result;
  CB_ASSIGN(result.rebuilt, repository::rebuild_catalog(parts, progress));
  for (auto& repository : result.rebuilt.repositories) CB_TRY(v3.add_client(repository));
  CB_TRY(v3.check_key());
  result.v3_clients = v3.clients();
  result.v3_versions = v3.versions();
  CB_TRY(check(backend, result));
  return result;
}

}  // namespace

Result<RebuildResult> rebuild_data_folder(const Settings& settings, plugin::Registry& registry,
                                          const Seams& seams, const RebuildRequest& request,
                                          const repository::RebuildProgress& progress) {
  const FreshCatalog fresh(settings.catalog_file().string() + ".rebuilding");
  CB_TRY(fresh.make());
  RebuildResult result;
  {
    Seams over_fresh = seams;
    over_fresh.catalog = fresh.file();
    over_fresh.is_read_only = request.dry_run;
    CB_ASSIGN(const auto backend, Backend::open(settings, registry, over_fresh));
    CB_ASSIGN(result, fill(*backend, request, progress));
  }
  if (request.dry_run) return result;
  CB_TRY(take_over_limits(settings.catalog_file().string(), fresh.file(), result));
  CB_TRY(take_over_audit(settings.catalog_file().string(), fresh.file(), seams, result));
  CB_ASSIGN(result.kept,
            catalog::replace_catalog_file(fresh.file(), settings.catalog_file().string()));
  return result;
}

}  // namespace cb::server
