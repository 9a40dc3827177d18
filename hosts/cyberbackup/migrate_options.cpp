// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/migrate_options.h"

#include <iostream>
#include <iterator>

#include "core/client/v3_identity.h"
#include "core/client/v4_dialler.h"
#include "core/repository/device_name.h"
#include "hosts/cyberbackup/places.h"

namespace cb {
namespace {

// The first argument is a token or a path already.
bool looks_like_token(const std::string& text) { return text == "-" || text.rfind("cb1.", 0) == 0; }

// Where transfer.info is, or where `cyberbackup send` keeps the identity of this name.
Result<os::Path> folder_of(const MigrateOptions& options) {
  if (!options.folder.empty()) return os::Path(options.folder);
  const bool here = os::real_file_system().info("transfer.info").has_value() ||
                    os::real_file_system().info("me.info").has_value();
  if (options.name.empty() || here) return os::Path(".");
  CB_ASSIGN(const os::Path config, config_folder(options.config_dir));
  return client::v3_identity_folder(config, options.name);
}

Status name_server(const MigrateOptions& options, MigrateJob& job) {
  if (job.token) {
    if (!options.server.empty() || !options.pin.empty())
      return failed(Code::invalid, "--server and --pin", "are in the token already",
                    "leave them out");
    job.servers = job.token->servers;
    job.pin = to_hex(job.token->pin);
    return {};
  }
  const auto pin = from_hex(options.pin);
  if (!pin || pin->size() != 32)
    return failed(Code::invalid, "--pin",
                  options.pin.empty() ? "is missing" : "is not 64 hex digits",
                  "ask the server's operator for it (`cyberbackupd init` printed it), or for a "
                  "token");
  job.pin = options.pin;
  if (!options.server.empty()) {
    CB_TRY(client::parse_server(options.server));
    job.servers = {options.server};
    return {};
  }
  if (!job.old.info)
    return failed(Code::invalid, "--server", "is missing, and there is no transfer.info",
                  "give --server HOST:PORT");
  const v3::ServerAddress& old = job.old.info->server;
  const bool is_v6 = old.host.find(':') != std::string::npos;
  job.servers = {(is_v6 ? "[" + old.host + "]" : old.host) + ":" + std::to_string(old.port)};
  return {};
}

Status name_paths(const MigrateOptions& options, MigrateJob& job) {
  if (options.no_backup) {
    if (options.paths.empty()) return {};
    return failed(Code::invalid, "--no-backup", "goes with no paths", "leave one of the two out");
  }
  job.paths = options.paths;
  if (!job.paths.empty()) return {};
  if (!job.old.info)
    return failed(Code::invalid, "paths", "are missing, and there is no transfer.info",
                  "name the files and folders to back up, or give --no-backup");
  job.paths = {(job.folder / job.old.info->file).string()};
  return {};
}

}  // namespace

Result<MigrateJob> job_of(MigrateOptions options) {
  if (!options.token.empty() && !looks_like_token(options.token)) {
    options.paths.insert(options.paths.begin(), options.token);
    options.token.clear();
  }
  if (options.token == "-") options.token.assign(std::istreambuf_iterator<char>(std::cin), {});
  if (!options.device_name.empty()) CB_TRY(repository::check_device_name(options.device_name));
  MigrateJob job;
  if (!options.token.empty()) {
    CB_ASSIGN(job.token, repository::parse_pairing_token(options.token));
  }
  CB_ASSIGN(job.folder, folder_of(options));
  CB_ASSIGN(job.old, client::read_v3_folder(os::real_file_system(), job.folder, options.name));
  CB_TRY(name_server(options, job));
  CB_TRY(name_paths(options, job));
  return job;
}

}  // namespace cb
