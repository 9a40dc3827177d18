// SPDX-License-Identifier: Apache-2.0
#include "core/server/admin_retention.h"

#include <algorithm>

namespace cb::server {
namespace {

using report::Json;
using repository::BlobId;
using repository::RepositoryId;

constexpr size_t kLeastPrefix = 4;  // digits
constexpr size_t kDeviceDigits = 2 * repository::DeviceId::kSize;
constexpr size_t kMostReason = 200;
constexpr size_t kShownSnapshots = 20;  // of a request

// What the catalog counts of a source.
struct Tally {
  uint64_t snapshots = 0;
  uint64_t in_trash = 0;
  int64_t newest_ns = 0;
};

std::map<SourceKey, Tally> tally(std::span<const repository::SnapshotInfo> snapshots) {
  std::map<SourceKey, Tally> all;
  for (const repository::SnapshotInfo& one : snapshots) {
    Tally& of = all[source_of(one.commit)];
    ++(one.in_trash ? of.in_trash : of.snapshots);
    of.newest_ns = std::max(of.newest_ns, one.commit.time_ns);
  }
  return all;
}

bool is_meant(const SourceKey& source, const std::string& prefix) {
  const std::string hex = to_hex(source);
  const std::string device = hex.substr(0, kDeviceDigits);
  const std::string hash = hex.substr(std::min(hex.size(), kDeviceDigits));
  const size_t slash = prefix.find('/');
  if (slash == prefix.npos) return hash.starts_with(prefix);
  return device.starts_with(prefix.substr(0, slash)) && hash.starts_with(prefix.substr(slash + 1));
}

Json json_of(const catalog::PinRow& pin) {
  return {{"snapshot", to_hex(pin.snapshot)},
          {"until_ns", pin.until_ns},
          {"reason", pin.reason},
          {"set_ns", pin.set_ns},
          {"set_by", pin.set_by}};
}

// Lists of snapshots are cut, and counted.
Json json_of(const catalog::ApprovalRow& request) {
  Json one = {{"number", request.number},
              {"what", request.what},
              {"asked_by", request.asked_by},
              {"asked_ns", request.asked_ns}};
  if (request.approved_ns != 0) {
    one["approved_by"] = request.approved_by;
    one["approved_ns"] = request.approved_ns;
  }
  const auto detail = report::parse_json(request.detail);
  if (!detail || !detail->is_object()) return one;
  for (const auto& [key, value] : detail->items()) {
    if (!value.is_array()) {
      one[key] = value;
      continue;
    }
    one[key + "_count"] = value.size();
    one[key] = Json::array();
    for (const Json& id : value)
      if (one[key].size() < kShownSnapshots) one[key].push_back(id);
  }
  return one;
}

Result<BlobId> find_snapshot(std::span<const repository::SnapshotInfo> snapshots,
                             const std::string& prefix) {
  const std::string object = "snapshot " + prefix;
  if (prefix.size() < kLeastPrefix)
    return failed(Code::invalid, object, "is named by at least 4 digits of its id");
  std::set<BlobId> found;
  for (const repository::SnapshotInfo& one : snapshots)
    if (one.commit.snapshot.hex().starts_with(prefix)) found.insert(one.commit.snapshot);
  if (found.size() == 1) return *found.begin();
  if (found.empty()) return failed(Code::not_found, object, "is not in this account's repository");
  return failed(Code::invalid, object, "are several", "give more digits");
}

}  // namespace

Json json_of(const SourceRules& rules) {
  return {{"source", to_hex(rules.source)},
          {"rules", retention::text_of(rules.rules)},
          {"set_ns", rules.set_ns},
          {"set_by", rules.set_by}};
}

Result<SourceKey> find_source(std::span<const repository::SnapshotInfo> snapshots,
                              std::span<const SourceRules> rules, const std::string& prefix) {
  std::vector<SourceKey> known;
  for (const repository::SnapshotInfo& one : snapshots) known.push_back(source_of(one.commit));
  for (const SourceRules& one : rules)
    if (!one.source.empty()) known.push_back(one.source);
  return find_source(known, prefix, "retention show lists the sources");
}

Result<SourceKey> find_source(std::span<const SourceKey> known, const std::string& prefix,
                              const std::string& advice) {
  if (prefix.empty()) return SourceKey();
  std::set<SourceKey> found;
  for (const SourceKey& one : known)
    if (is_meant(one, prefix)) found.insert(one);
  if (found.size() == 1) return *found.begin();
  if (found.empty())
    return failed(Code::not_found, "source " + prefix, "has no snapshot here", advice);
  return failed(Code::invalid, "source " + prefix, "are several",
                "give more digits, or DEVICE/SOURCE");
}

bool AdminRetention::serves(const std::string& command) {
  return command.starts_with("retention.") || command == "job.requests" || command == "job.approve";
}

bool AdminRetention::changes(const std::string& command) {
  return command != "retention.show" && command != "job.requests";
}

Result<Json> AdminRetention::run(const std::string& command, const catalog::Account* account,
                                 const Json& request) const {
  if (command == "job.requests") return requests();
  if (command == "job.approve") return approve(request);
  if (account == nullptr) return failed(Code::invalid, "account", "is missing");
  CB_ASSIGN(const auto repository, engine_.of_account(account->name));
  if (!repository)
    return failed(Code::not_found, "account " + account->name, "has no repository yet",
                  "its first backup makes one");
  if (command == "retention.show") return show(*repository);
  if (account->kind == catalog::AccountKind::v3)
    return failed(Code::unsupported, "account " + account->name,
                  "is that of a client of protocol 3, whose uploads are all kept",
                  "migrate it to protocol 4 first");
  if (command == "retention.set") return set(*repository, request);
  if (command == "retention.pin") return pin(*repository, request, true);
  if (command == "retention.unpin") return pin(*repository, request, false);
  return failed(Code::unsupported, "command '" + command + "'", "is not known");
}

Result<Json> AdminRetention::show(const RepositoryId& repository) const {
  CB_ASSIGN(const std::vector<SourceRules> rules, book_.rules(repository));
  CB_ASSIGN(const auto pins, book_.pins(repository));
  CB_ASSIGN(const auto snapshots, engine_.snapshots(repository, true));
  Json shown = {{"repository", repository.hex()},
                {"rules", Json::array()},
                {"sources", Json::array()},
                {"pins", Json::array()}};
  for (const SourceRules& one : rules) shown["rules"].push_back(json_of(one));
  for (const catalog::PinRow& one : pins) shown["pins"].push_back(json_of(one));
  for (const auto& [source, of] : tally(snapshots)) {
    const SourceRules in_force = rules_for(rules, source);
    shown["sources"].push_back({{"source", to_hex(source)},
                                {"snapshots", of.snapshots},
                                {"in_trash", of.in_trash},
                                {"newest_ns", of.newest_ns},
                                {"rules", retention::text_of(in_force.rules)},
                                {"rules_of", in_force.set_ns == 0      ? "none"
                                             : in_force.source.empty() ? "repository"
                                                                       : "source"}});
  }
  return shown;
}

Result<Json> AdminRetention::set(const RepositoryId& repository, const Json& request) const {
  CB_ASSIGN(const auto snapshots, engine_.snapshots(repository, true));
  // Rules that cannot be read keep nobody from setting others.
  const auto known = book_.rules(repository);
  CB_ASSIGN(const SourceKey source,
            find_source(snapshots, known.value_or(std::vector<SourceRules>{}),
                        report::text_of(request, "source")));
  const std::string text = report::text_of(request, "rules");
  RetentionBook::Change change;
  if (text.empty()) {
    CB_ASSIGN(change, book_.remove_rules(repository, source));
  } else {
    CB_ASSIGN(const retention::Rules rules, retention::parse_rules(text));
    CB_ASSIGN(change,
              book_.set_rules(repository, source, rules, report::text_of(request, "asked_by")));
  }
  Json done = json_of(change.now);
  if (change.request) done["request"] = *change.request;
  return done;
}

Result<Json> AdminRetention::pin(const RepositoryId& repository, const Json& request,
                                 bool pins) const {
  CB_ASSIGN(const auto snapshots, engine_.snapshots(repository, true));
  CB_ASSIGN(const BlobId snapshot, find_snapshot(snapshots, report::text_of(request, "snapshot")));
  const std::string reason = report::text_of(request, "reason");
  if (reason.size() > kMostReason) return failed(Code::limit, "reason", "is longer than 200 bytes");
  if (pins)
    CB_TRY(book_.pin(repository, snapshot, report::number_of(request, "until_ns", 0), reason,
                     report::text_of(request, "asked_by")));
  else
    CB_TRY(book_.unpin(repository, snapshot));
  return Json{{"snapshot", snapshot.hex()}, {"pinned", pins}};
}

Result<Json> AdminRetention::requests() const {
  CB_ASSIGN(const auto open, book_.requests());
  Json all = Json::array();
  for (const catalog::ApprovalRow& one : open) all.push_back(json_of(one));
  return all;
}

Result<Json> AdminRetention::approve(const Json& request) const {
  const std::string who = report::text_of(request, "asked_by");
  if (who.empty()) return failed(Code::denied, "approval", "is given by a person");
  CB_ASSIGN(const catalog::ApprovalRow approved,
            book_.approve(report::number_of(request, "number", 0), who));
  return json_of(approved);
}

}  // namespace cb::server
