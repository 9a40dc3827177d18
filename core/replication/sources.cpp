// SPDX-License-Identifier: Apache-2.0
#include "core/replication/sources.h"

#include "core/client/v4_dialler.h"
#include "core/server/program.h"

namespace cb::replication {
namespace {

constexpr uint64_t kLongestToken = 16 * 1024;

}  // namespace

Result<Source> resolve(const server::ReplicationSource& source) {
  const auto named = [&](Error error) {
    error.object = "source " + source.name + ": " + error.object;
    return error;
  };
  if (!source.token)
    return failed(Code::not_found, "source " + source.name, "has no token that can be read",
                  "add it anew: cyberbackupd replica add");
  auto token = repository::parse_replica_token(as_text(source.token->view()));
  if (!token) return failed(named(token.error()));
  Source ready;
  ready.name = source.name;
  ready.login.token = token->id;
  ready.login.secret = std::move(token->secret);
  ready.login.program = std::string("cyberbackupd ") + server::kProgramVersion;
  for (const std::string& server : source.servers.empty() ? token->servers : source.servers) {
    auto target = client::parse_server(server);
    if (!target) return failed(named(target.error()));
    ready.login.servers.push_back(std::move(*target));
  }
  ready.pin = source.pin.value_or(token->pin);
  ready.accounts = source.accounts;
  ready.removes_vanished = source.removes_vanished;
  ready.heals_only = source.heals_only;
  ready.most_stored = source.most_stored;
  return ready;
}

Result<std::vector<server::ReplicationSource>> noted_sources(catalog::Replication& rows,
                                                             os::FileSystem& files,
                                                             const os::Path& keys) {
  CB_ASSIGN(const auto noted, rows.sources());
  std::vector<server::ReplicationSource> all;
  for (const catalog::ReplicaSource& row : noted) {
    server::ReplicationSource& one = all.emplace_back();
    one.name = row.name;
    one.servers = row.servers;
    one.pin = row.pin;
    one.accounts = row.accounts;
    one.removes_vanished = row.removes_vanished;
    one.heals_only = row.heals_only;
    const os::Path file = server::replica_token_file(keys, row.name);
    if (auto token = os::read_secret_file(files, file, kLongestToken))
      one.token = std::make_shared<const Secret>(std::move(*token));
  }
  return all;
}

}  // namespace cb::replication
