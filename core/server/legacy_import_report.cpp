// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_import_report.h"

#include "core/base/units.h"
#include "core/report/shown_text.h"
#include "core/report/table.h"
#include "core/report/utc_text.h"

namespace cb::server {
namespace {

using report::Json;

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
  return text;
}

// A name as long as a table's column may be.
std::string shortened(const std::string& name) {
  constexpr size_t kLongest = 60;
  if (name.size() <= kLongest) return name;
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return name.substr(0, end) + "...";
}

bool is_here(ImportFate fate) { return fate == ImportFate::take || fate == ImportFate::there; }

Json json_of(const PlannedClient& client, bool dry_run) {
  Json json = {{"id", client.id.hex()},
               {"name", client.name},
               {"outcome", outcome_of(client.fate, dry_run)},
               {"key", !client.public_key.empty()}};
  if (client.old_name != client.name && !client.old_name.empty())
    json["old_name"] = client.old_name;
  if (client.last_seen_ns != 0) json["last_seen"] = report::utc_text(client.last_seen_ns);
  json["why"] = client.why;
  return json;
}

Json json_of(const PlannedFile& file, const std::string& owner, bool dry_run) {
  Json json = {{"client", file.owner.is_zero() ? "" : file.owner.hex()},
               {"name", owner},
               {"file", file.file_name},
               {"source", file.source},
               {"outcome", outcome_of(file.fate, dry_run)}};
  if (is_here(file.fate)) {
    json["size"] = file.content.size;
    json["cksum"] = file.content.cksum;
    json["date"] = report::utc_text(file.date_ns);
    json["confirmed"] = file.confirmed;
    json["doubted"] = !file.why.empty();
  }
  json["why"] = file.why;
  return json;
}

std::map<ClientId, std::string> names_of(const ImportPlan& plan) {
  std::map<ClientId, std::string> names;
  for (const PlannedClient& client : plan.clients) names.emplace(client.id, client.name);
  return names;
}

std::string name_of(const std::map<ClientId, std::string>& names, const ClientId& id) {
  const auto found = names.find(id);
  if (found != names.end()) return found->second;
  return id.is_zero() ? std::string() : id.hex();
}

std::string sentence(const ImportCounts& counts, const ImportResult& result) {
  std::string text =
      std::to_string(counts.files) + " files (" + format_size(counts.bytes) + ") " +
      (result.dry_run ? "would be imported" : "imported") + ", " + std::to_string(counts.doubted) +
      " files doubted, " + std::to_string(counts.there) + " there already, " +
      std::to_string(counts.skipped) + " skipped, " + std::to_string(counts.failed) + " unreadable";
  if (counts.left > 0) text += ", " + std::to_string(counts.left) + " left";
  return text + "\n";
}

}  // namespace

std::string outcome_of(ImportFate fate, bool dry_run) {
  switch (fate) {
    case ImportFate::take:
      return dry_run ? "would be imported" : "imported";
    case ImportFate::there:
      return "there already";
    case ImportFate::skip:
      return "skipped";
    case ImportFate::failed:
      return "unreadable";
    case ImportFate::left:
      break;
  }
  return "left";
}

ImportCounts counts_of(const ImportPlan& plan) {
  ImportCounts counts;
  for (const PlannedClient& client : plan.clients)
    if (client.fate == ImportFate::take) ++counts.clients;
  for (const PlannedFile& file : plan.files) {
    if (file.fate == ImportFate::take) {
      ++counts.files;
      counts.bytes += file.content.size;
    }
    if (file.fate == ImportFate::there) ++counts.there;
    if (file.fate == ImportFate::skip) ++counts.skipped;
    if (file.fate == ImportFate::failed) ++counts.failed;
    if (file.fate == ImportFate::left) ++counts.left;
    if (is_here(file.fate) && !file.why.empty()) ++counts.doubted;
  }
  return counts;
}

Json json_of(const ImportResult& result) {
  const ImportCounts counts = counts_of(result.plan);
  Json json = {{"dry_run", result.dry_run}, {"complete", !result.stopped}};
  if (result.stopped) json["error"] = report::json_of(*result.stopped);
  json["counts"] = {{"clients", counts.clients}, {"files", counts.files},
                    {"bytes", counts.bytes},     {"there", counts.there},
                    {"skipped", counts.skipped}, {"unreadable", counts.failed},
                    {"left", counts.left},       {"doubted", counts.doubted}};
  const auto names = names_of(result.plan);
  json["clients"] = Json::array();
  for (const PlannedClient& client : result.plan.clients)
    json["clients"].push_back(json_of(client, result.dry_run));
  json["files"] = Json::array();
  for (const PlannedFile& file : result.plan.files)
    json["files"].push_back(json_of(file, name_of(names, file.owner), result.dry_run));
  json["doubts"] = result.plan.doubts;
  return json;
}

std::string text_of(const ImportResult& result) {
  report::Table clients({{"client"}, {"id"}, {"key"}, {"outcome"}, {"why"}});
  for (const PlannedClient& client : result.plan.clients)
    clients.add({shortened(client.name), client.id.hex(),
                 client.public_key.empty() ? "none" : "yes",
                 outcome_of(client.fate, result.dry_run), joined(client.why)});
  report::Table files(
      {{"client"}, {"file"}, {"size", true}, {"date"}, {"outcome"}, {"source"}, {"why"}});
  const auto names = names_of(result.plan);
  for (const PlannedFile& file : result.plan.files) {
    const bool is_known = is_here(file.fate);
    files.add({shortened(name_of(names, file.owner)), shortened(file.file_name),
               is_known ? format_size(file.content.size) : "",
               is_known ? report::utc_text(file.date_ns) : "",
               outcome_of(file.fate, result.dry_run), file.source, joined(file.why)});
  }
  std::string text;
  if (!clients.empty()) text += clients.text() + "\n";
  if (!files.empty()) text += files.text() + "\n";
  for (const std::string& doubt : result.plan.doubts)
    text += "doubt: " + report::shown_text(doubt) + "\n";
  text += sentence(counts_of(result.plan), result);
  if (result.dry_run) text += "nothing was changed\n";
  return text;
}

}  // namespace cb::server
