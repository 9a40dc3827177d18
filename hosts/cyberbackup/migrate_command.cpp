// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/migrate_command.h"

#include <memory>

#include "core/client/migration.h"
#include "core/client/recovery_code.h"
#include "core/client/v4_session.h"
#include "core/report/json.h"
#include "hosts/cyberbackup/backup_run.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/migrate_options.h"
#include "hosts/cyberbackup/newcomer.h"
#include "hosts/cyberbackup/owner_tools.h"
#include "hosts/cyberbackup/passphrase.h"
#include "hosts/cyberbackup/v3_engine.h"

namespace cb {
namespace {

constexpr const char* kExample =
    "Examples:\n"
    "  cd old-client && cyberbackup migrate cb1.AQEC...\n"
    "  cyberbackup migrate --folder old-client --server backup.example:1257 --pin 5f3c... /home\n"
    "  cyberbackup migrate --name alice --server backup.example:1257 --pin 5f3c... --no-backup\n"
    "\n"
    "Makes an old client (transfer.info, me.info, priv.key) the owner of all that it uploaded: "
    "the\n"
    "server hands over the keys that it held, and keeps none. Then PATHs are backed up, without "
    "any\n"
    "the file that transfer.info names. Old and new backups are listed by `cyberbackup snapshots` "
    "and\n"
    "come back with `cyberbackup restore`.\n"
    "The server's operator has to allow it (cyberbackupd legacy allow NAME) or gives a token\n"
    "(cyberbackupd token create --legacy NAME). The passphrase is new and yours alone; the "
    "recovery "
    "code\n"
    "is printed once. The old folder is only read. When it was interrupted, run it again.";

// The server behind one of the addresses.
class PlaceServer final : public client::MigrationServer {
 public:
  PlaceServer(Workplace& place, client::AccountPlace where, client::AdoptionClaim claim)
      : place_(place), where_(std::move(where)), claim_(std::move(claim)) {}

  Result<client::V4Welcome> adopt(const client::MakeOwner& make_owner) override {
    bool is_own = false;  // a failure of this side's
    const client::MakeOwner make = [&](const client::HandedOver& handed) {
      auto made = make_owner(handed);
      is_own = !made;
      return made;
    };
    auto welcome = try_servers<client::V4Welcome>(
        place_, where_, [&](const stream::Stack& stack, const stream::Target& target) {
          return client::adopt(stack, target, claim_, make);
        });
    return is_own ? std::move(welcome) : reached(std::move(welcome));
  }
  Result<client::MigrationSession> log_in(const client::Profile& profile) override {
    CB_ASSIGN(auto key, identity::SigningKey::from_seed(profile.device_seed.view()));
    const auto shared = std::make_shared<const identity::SigningKey>(std::move(key));
    client::V4Identity who;
    who.repository = profile.repository;
    who.root = profile.root;
    who.device = {identity::device_id_of(shared->public_key())};
    who.sign = [shared](ByteView message) { return shared->sign(message); };
    who.revision = profile.record.revision;
    using Session = std::shared_ptr<client::V4Session>;
    CB_ASSIGN(const Session session,
              reached(try_servers<Session>(
                  place_, where_, [&](const stream::Stack& stack, const stream::Target& target) {
                    return client::V4Session::open(stack, target, who);
                  })));
    return client::MigrationSession{session->welcome(), session,
                                    [session] { return session->slots(); }};
  }

 private:
  // What kept it from being reached, or from being the expected one, ends with that exit code.
  template <typename T>
  static Result<T> reached(Result<T> result) {
    if (result) return result;
    Code& code = result.error().code;
    if (code == Code::auth || code == Code::timeout || code == Code::io || code == Code::corrupt ||
        code == Code::not_found)
      code = Code::closed;
    return result;
  }

  Workplace& place_;
  client::AccountPlace where_;
  client::AdoptionClaim claim_;
};

// What a person would be asked in vain for.
Status check_free(const client::EnrolmentParts& parts) {
  if (!client::has_profile(*parts.files, parts.folder) ||
      client::migration_pending(*parts.files, parts.folder))
    return {};
  return failed(Code::exists, "profile " + parts.folder.filename().string(), "is enrolled already",
                "choose another name with --profile, or remove " + parts.folder.string());
}

Result<Secret> passphrase_for(const CommonOptions& options, const client::EnrolmentParts& parts) {
  const bool goes_on = client::migration_pending(*parts.files, parts.folder);
  return read_passphrase(
      options,
      goes_on ? "Passphrase of the migration that was begun: " : "New passphrase: ", !goes_on);
}

Result<std::unique_ptr<V3Engine>> load_engine(const CommonOptions& common) {
  SendOptions options;
  options.plugins = common.plugin_dir;
  options.verbose = common.verbose;
  return V3Engine::load(options);
}

// The old key's way into the protocol that it is for.
Result<client::V3Keys> keys_of(const V3Engine& engine, const MigrateJob& job) {
  client::V3Keys keys = client::V3Keys::load(engine.suites(), job.old.private_keys);
  if (!keys.empty()) return keys;
  return failed(Code::corrupt, (job.folder / "priv.key").string(),
                "holds no RSA key of 1024 bits, as old clients have them",
                "bring the file back from a copy");
}

std::string profile_option(const CommonOptions& common) {
  return common.profile == "default" ? std::string() : " --profile " + common.profile;
}

std::string text_of(const CommonOptions& common, const MigrateJob& job,
                    const client::Migrated& done, const std::string& code) {
  std::string text = "Client " + shown_path(job.old.name) +
                     " has migrated: this device owns account " + done.profile.account +
                     " now, as profile " + common.profile +
                     ".\nThe server has handed over its keys and keeps none; " +
                     std::to_string(done.rotation.sessions) + " earlier uploads have new ones.\n";
  for (const std::string& problem : done.rotation.problems)
    text += "Not wrapped anew: " + problem + "\n";
  if (!done.rotation.problems.empty())
    text += "Run `cyberbackup" + profile_option(common) + " key rotate` once more.\n";
  return text + "\nRecovery code:\n\n    " + code +
         "\n\nIt is shown this once. Write it down and keep it away from this machine: it opens "
         "the\n"
         "backups when the passphrase is lost. Without passphrase and code nobody can open them,\n"
         "the server's operator neither.\n\n"
         "The key in " +
         shown_path(job.folder.string()) +
         " is of no use any more: priv.key and me.info may be deleted.\n";
}

report::Json json_of(const CommonOptions& common, const MigrateJob& job,
                     const client::Migrated& done, const std::string& code) {
  return {{"client", shown_path(job.old.name)},    {"profile", common.profile},
          {"account", done.profile.account},       {"repository", done.profile.repository.hex()},
          {"device", done.device.hex()},           {"recovery_code", code},
          {"rotation", cb::json_of(done.rotation)}};
}

Status show(const CommonOptions& common, const MigrateJob& job, const client::Migrated& done) {
  const std::string code = client::format_recovery_code(done.recovery_code.view());
  Status shown;
  if (!common.json) {
    shown = write_out(text_of(common, job, done, code));
  } else if (job.paths.empty()) {
    shown = write_done(json_of(common, job, done, code));
  } else {
    report::Json json = json_of(common, job, done, code);
    json["event"] = "result";
    shown = write_out(report::json_line(json) + "\n");
  }
  if (shown) return {};
  return failed(Code::io, "standard output", "did not take the recovery code",
                "run it again with the same passphrase: the code is printed then");
}

Status migrate(const CommonOptions& common, const MigrateOptions& options, const MigrateJob& job) {
  CB_ASSIGN(const auto place, Workplace::open(common));
  CB_ASSIGN(const auto engine, load_engine(common));
  CB_ASSIGN(client::V3Keys keys, keys_of(*engine, job));
  const client::EnrolmentParts parts = enrolment_parts(*place);
  CB_TRY(check_free(parts));
  CB_ASSIGN(const Secret passphrase, passphrase_for(common, parts));
  client::AdoptionClaim claim{job.old.id, job.old.name, &keys, std::nullopt};
  if (job.token)
    claim.token = client::AdoptionClaim::Token{job.token->id, job.token->secret.clone()};
  PlaceServer server(*place, {job.servers, job.pin}, std::move(claim));
  const client::MigrationWish wish{job.old.id, job.servers, job.pin, as_text(passphrase.view()),
                                   options.device_name};
  CB_ASSIGN(const client::Migrated done, client::migrate(parts, wish, server));
  CB_TRY(show(common, job, done));
  return client::finish_migration(parts);
}

int run(const CommonOptions& common, MigrateOptions options) {
  options.config_dir = common.config_dir;
  const auto job = job_of(options);
  if (!job) return report_failure(common, job.error());
  const Status done = migrate(common, options, *job);
  if (!done) return report_failure(common, done.error());
  return job->paths.empty() ? 0 : back_up(common, job->paths);
}

}  // namespace

void add_migrate_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  CLI::App& command =
      *app.add_subcommand("migrate", "Make an old client the owner of what it uploaded");
  command.footer(kExample);
  auto options = std::make_shared<MigrateOptions>();
  command.add_option("TOKEN", options->token,
                     "The operator's token, or - to read it from standard input; may be left out");
  command.add_option("PATH", options->paths,
                     "What to back up then [the file that transfer.info names]");
  command.add_option("--server", options->server,
                     "Without a token: HOST:PORT of the server [as in transfer.info]");
  command.add_option("--pin", options->pin,
                     "Without a token: SHA-256 of the server's public key, 64 hex digits");
  command.add_option("--folder", options->folder, "The old client's folder [the current one]");
  command.add_option("--name", options->name,
                     "Name of the old client, when there is no transfer.info; as `send` has it");
  command.add_option("--device-name", options->device_name, "How the owners see this device");
  command.add_flag("--no-backup", options->no_backup, "Back up nothing then");
  command.callback(
      [options, &common, &exit_code] { exit_code = run(common, std::move(*options)); });
}

}  // namespace cb
