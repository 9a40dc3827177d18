// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_import.h"

#include <algorithm>

#include "core/base/trial.h"
#include "core/config/check.h"
#include "core/server/kept_notes.h"

namespace cb::server {
namespace {

constexpr const char* kAgain = "run the same import again: it goes on where it stopped";

Result<ImportInput> input_of(const ImportRequest& request, const ImportParts& parts) {
  ImportInput input;
  if (!request.database.empty()) {
    CB_ASSIGN(input.source,
              catalog::read_legacy_source(request.database, parts.scratch, *parts.files));
    const std::string name = request.database.filename().string();
    for (const char* part : {"", "-wal", "-shm", "-journal"}) input.not_files.insert(name + part);
  }
  catalog::Catalog& catalog = parts.backend->catalog();
  CB_ASSIGN(input.clients, catalog.clients());
  for (const catalog::LegacyClient& client : input.clients) {
    CB_ASSIGN(input.versions[client.id], catalog.versions(client.id));
    CB_ASSIGN(const catalog::LegacyPolicy policy, catalog.legacy_policy(client.id));
    if (policy.migrated_ns != 0) input.migrated.insert(client.id);
  }
  input.now_ns = parts.clock->wall().count();
  return input;
}

Result<plugin::Crypto> v3_crypto(plugin::Registry& registry) {
  CB_ASSIGN(const config::Schema* schema, registry.schema("crypto-legacy"));
  CB_ASSIGN(const config::Values values, config::values_from(*schema, {}));
  return registry.make_crypto("crypto-legacy", values);
}

// What an import or a daemon that was killed left, as every start of the daemon does.
Status mend_leftovers(Backend& backend) {
  CB_TRY(backend.engine().remove_leftovers());
  CB_TRY(backend.archive().forget_unnamed());
  CB_ASSIGN(const auto accounts, backend.catalog().accounts().accounts());
  for (const catalog::Account& account : accounts) CB_TRY(keep_notes(backend, account));
  return {};
}

// Carries a plan out. An error stops it; what cannot be read is told in the plan alone.
class Importer {
 public:
  Importer(const ImportParts& parts, LegacyFiles& files, ImportPlan& plan)
      : parts_(parts), files_(files), plan_(plan) {}
  Status run();

 private:
  Status add(const PlannedClient& client);
  Status take(PlannedFile& file);
  void step(const char* name) const {
    if (parts_.step) parts_.step(name);
  }
  void tell(uint64_t bytes) {
    done_ += bytes;
    if (parts_.progress) parts_.progress(done_, total_);
  }

  const ImportParts& parts_;
  LegacyFiles& files_;
  ImportPlan& plan_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
};

Status Importer::add(const PlannedClient& planned) {
  catalog::Catalog& catalog = parts_.backend->catalog();
  if (planned.fate == ImportFate::take) {
    catalog::LegacyClient client;
    client.id = planned.id;
    client.name = planned.name;
    client.public_key = planned.public_key;
    client.created_ns = planned.created_ns;
    client.last_seen_ns = planned.last_seen_ns;
    step("client.add");
    CB_TRY(catalog.add_client(client));
    trial::passed("import.added");
  } else if (planned.adds_key) {
    step("client.key");
    CB_TRY(catalog.set_public_key(planned.id, planned.public_key));
  }
  step("client.policy");
  const int64_t now = parts_.clock->wall().count();
  return catalog.change_legacy_policy(planned.id, [&](catalog::LegacyPolicy& policy) {
    if (policy.imported_ns == 0) policy.imported_ns = now;
    if (planned.id == ownerless_id()) policy.min_version = 4;
  });
}

Status Importer::take(PlannedFile& file) {
  step("file.begin");
  CB_ASSIGN(const std::unique_ptr<V3Deposit> deposit,
            parts_.backend->archive().begin(file.owner, file.file_name, {file.date_ns}));
  std::optional<Error> here;
  const auto read = files_.read(file.source, [&](ByteView plain) -> Status {
    step("file.write");
    Status written = deposit->write(plain);
    if (!written) here = written.error();
    tell(plain.size());
    return written;
  });
  if (here) return failed(std::move(*here));
  const bool is_same = read && read->size == file.content.size && read->cksum == file.content.cksum;
  if (!is_same) {
    file.fate = ImportFate::failed;
    file.why.push_back(read ? "changed while it was imported: end the old server, and import again"
                            : read.error().text());
    return {};
  }
  step("file.commit");
  trial::passed("import.stored");
  CB_TRY(deposit->commit(file.content.cksum));
  trial::passed("import.committed");
  return {};
}

Status Importer::run() {
  std::vector<PlannedClient*> clients;
  for (PlannedClient& client : plan_.clients)
    if (client.fate == ImportFate::take || client.fate == ImportFate::there)
      clients.push_back(&client);
  std::vector<PlannedFile*> wanted;
  for (PlannedFile& file : plan_.files) {
    if (file.fate != ImportFate::take) continue;
    wanted.push_back(&file);
    file.fate = ImportFate::left;
    total_ += file.content.size;
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    Status added = add(*clients[i]);
    if (added) continue;
    for (; i < clients.size(); ++i)
      if (clients[i]->fate == ImportFate::take) clients[i]->fate = ImportFate::left;
    return added;
  }
  for (PlannedFile* file : wanted) {
    CB_TRY(take(*file));
    if (file->fate == ImportFate::left) file->fate = ImportFate::take;
  }
  step("end");
  return {};
}

void log_result(log::Log& log, const ImportResult& result) {
  uint64_t files = 0;
  uint64_t bytes = 0;
  for (const PlannedFile& file : result.plan.files) {
    if (file.fate != ImportFate::take) continue;
    ++files;
    bytes += file.content.size;
  }
  log.info("v3.imported", {{"clients", result.plan.clients.size()},
                           {"files", files},
                           {"bytes", bytes},
                           {"complete", !result.stopped}});
}

}  // namespace

Result<ImportResult> import_legacy(const ImportRequest& request, const ImportParts& parts) {
  CB_ASSIGN(LegacyFiles files, LegacyFiles::open(*parts.tree, request.folder));
  CB_ASSIGN(ImportInput input, input_of(request, parts));
  CB_ASSIGN(const plugin::Crypto crypto, v3_crypto(*parts.registry));
  input.canonical_key = [&](ByteView raw) -> Result<Bytes> {
    CB_ASSIGN(const plugin::KeyPair pair, crypto.import_public(raw));
    return pair.public_half();
  };
  ImportResult result;
  result.dry_run = request.dry_run;
  CB_ASSIGN(result.plan, plan_import(input, files));
  if (request.dry_run) return result;
  CB_TRY(mend_leftovers(*parts.backend));
  if (const Status done = Importer(parts, files, result.plan).run(); !done) {
    result.stopped = done.error();
    std::string& advice = result.stopped->advice;
    advice += std::string(advice.empty() ? "" : ", then ") + kAgain;
  }
  log_result(*parts.log, result);
  return result;
}

}  // namespace cb::server
