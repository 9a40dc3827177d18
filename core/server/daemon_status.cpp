// SPDX-License-Identifier: Apache-2.0
//
// What a running daemon says about itself.
#include <unistd.h>

#include "core/os/account_names.h"
#include "core/os/call_filter.h"
#include "core/server/admin_limits.h"
#include "core/server/admin_replicas.h"
#include "core/server/daemon_state.h"
#include "core/server/program.h"

namespace cb::server {
namespace {

using report::Json;

Json listeners_of(const std::vector<std::unique_ptr<Door>>& doors, const Sessions& sessions) {
  Json all = Json::array();
  for (const auto& door : doors) {
    const ListenSettings& settings = door->settings();
    Json transport = Json::array();
    for (const PluginUse& use : settings.transport) transport.push_back(use.name);
    all.push_back({{"name", settings.name},
                   {"address", settings.host},
                   {"port", door->port()},
                   {"transport", std::move(transport)},
                   {"versions", door->versions()},
                   {"connections", sessions.count_of_listener(door->key())}});
  }
  return all;
}

Json counters_of(const V3Counters& counters) {
  return {{"sessions_total", counters.sessions_total.load()},
          {"registrations", counters.registrations.load()},
          {"uploads_confirmed", counters.uploads_confirmed.load()},
          {"uploads_dropped", counters.uploads_dropped.load()},
          {"plain_bytes", counters.plain_bytes.load()},
          {"requests_refused", counters.requests_refused.load()}};
}

Json sessions_of(const V4Service& service) {
  const V4Counters& counters = service.counters();
  return {{"sessions", counters.sessions.load()},
          {"logged_in", counters.logged_in.load()},
          {"sessions_total", counters.sessions_total.load()},
          {"logins", counters.logins.load()},
          {"logins_refused", counters.logins_refused.load()},
          {"locked_out", service.locked_out()},
          {"enrolments", counters.enrolments.load()},
          {"disorders", counters.disorders.load()},
          {"commits", counters.commits.load()},
          {"bytes_in", counters.bytes_in.load()},
          {"bytes_out", counters.bytes_out.load()},
          {"blobs_out", counters.blobs_out.load()}};
}

Json instances_of(const plugin::Registry& registry) {
  Json all = Json::array();
  for (const plugin::InstanceStatus& instance : registry.instances())
    all.push_back({{"id", instance.id},
                   {"quarantined", instance.quarantined},
                   {"unhealthy", instance.unhealthy},
                   {"reason", instance.reason}});
  return all;
}

// Damaged blobs that no backup has sent again yet.
uint64_t wanted_by_all(catalog::Catalog& catalog) {
  uint64_t sum = 0;
  const auto rows = catalog.index().repositories();
  if (!rows) return 0;
  for (const catalog::RepositoryRow& row : *rows)
    sum +=
        catalog.verification().count_wanted(row.number, {catalog::kOpenDomain, true}).value_or(0);
  return sum;
}

Json jobs_of(Jobs& jobs) {
  auto all = jobs.list();
  return all ? std::move(*all) : Json{{"error", all.error().text()}};
}

Json pulls_of(catalog::Catalog& catalog, const Jobs& jobs) {
  const auto pulls = present_pulls(catalog.replication(), jobs.settings().replication);
  if (!pulls) return {{"error", pulls.error().text()}};
  Json all = Json::array();
  for (const catalog::ReplicaPull& pull : *pulls) all.push_back(json_of(pull));
  return all;
}

Json space_of(Backend& backend, V3Service& v3) {
  const std::string refusal = v3.refusal();
  Json space = {{"reserve", v3.settings().space_reserve},
                {"is_low", backend.engine().is_low()},
                {"uploads_refused", !refusal.empty()},
                {"reason", refusal}};
  if (const auto known = backend.store().space()) {
    space["total"] = known->total;
    space["free"] = known->free;
  }
  return space;
}

Json confinement_of_process() {
  const os::Confinement found = os::confinement();
  const SecretMemory secrets = secret_memory();
  return {{"filters_calls", found.filters_calls},
          {"no_new_rights", found.has_no_new_rights},
          {"uid", os::effective_uid()},
          {"secrets_locked", secrets.locked},
          {"secrets_unlocked", secrets.unlocked}};
}

Json stored_by(catalog::Catalog& catalog) {
  const auto totals = catalog.totals();
  if (!totals) return {{"error", totals.error().text()}};
  return {{"clients", totals->clients},
          {"versions", totals->versions},
          {"plain_bytes", totals->plain_bytes},
          {"stored_bytes", totals->stored_bytes}};
}

}  // namespace

report::Json plugins_as_json(const plugin::Registry& registry) {
  Json all = Json::array();
  for (const plugin::PluginStatus& status : registry.status()) {
    Json one = {{"id", status.id},           {"file", status.file.string()},
                {"sha256", status.sha256},   {"interface", status.interface_id},
                {"version", status.version}, {"summary", status.summary},
                {"license", status.license}, {"status", status.maturity},
                {"posture", status.posture}};
    if (status.refused) one["refused"] = status.refused->text();
    all.push_back(std::move(one));
  }
  return all;
}

report::Json Daemon::status() const {
  const State& s = *state_;
  const auto uptime = s.seams.clock->monotonic() - s.began;
  const auto buffers = s.buffers->counts();
  const auto workers = s.workers->counts();
  const AuditHead audit = s.audit->head();
  return {{"version", kProgramVersion},
          {"pid", ::getpid()},
          {"uptime", std::chrono::duration_cast<std::chrono::seconds>(uptime).count()},
          {"draining", s.draining.load()},
          {"listeners", listeners_of(s.doors, *s.sessions)},
          {"sessions", s.sessions->count()},
          {"uploads", s.v3->counters().uploads.load()},
          {"v3", counters_of(s.v3->counters())},
          {"v4", sessions_of(*s.v4)},
          {"repositories", s.commands->totals()},
          {"jobs", jobs_of(*s.jobs)},
          {"replication", pulls_of(s.backend->catalog(), *s.jobs)},
          {"wanted", wanted_by_all(s.backend->catalog())},
          {"stored", stored_by(s.backend->catalog())},
          {"space", space_of(*s.backend, *s.v3)},
          {"limits", limit_troubles(s.backend->catalog().accounts(), s.backend->limits())},
          {"store", store_as_json(*s.maintenance)},
          {"traffic", traffic_as_json(*s.traffic)},
          {"plugins", plugins_as_json(*s.registry)},
          {"instances", instances_of(*s.registry)},
          {"buffers",
           {{"size", buffers.buffer_size},
            {"limit", buffers.limit},
            {"taken", buffers.taken},
            {"most_taken", buffers.most_taken},
            {"waiting", buffers.waiting}}},
          {"workers",
           {{"threads", workers.threads},
            {"running", workers.running},
            {"queued", workers.queued},
            {"most_queued", workers.most_queued}}},
          {"audit",
           {{"sequence", audit.sequence},
            {"hash", audit.hash.hex()},
            {"waiting", s.audit->waiting()},
            {"dropped", s.audit->dropped()}}},
          {"confinement", confinement_of_process()},
          {"threads", os::thread_count()},
          {"rss", os::resident_bytes()}};
}

}  // namespace cb::server
