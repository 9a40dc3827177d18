// SPDX-License-Identifier: Apache-2.0
#include "core/base/units.h"
#include "core/report/json.h"
#include "core/report/table.h"
#include "core/server/legacy_export.h"
#include "opened.h"

namespace cb::host {
namespace {

report::Json version_as_json(const std::string& client, const catalog::LegacyVersion& version) {
  return {{"client", client},
          {"file", version.file_name},
          {"version", version.version},
          {"size", version.size},
          {"cksum", version.cksum},
          {"stored_size", version.stored_size},
          {"created", utc(version.created_ns)}};
}

Status list(const LegacyOptions& options, report::Json& all, report::Table& table) {
  CB_ASSIGN(const auto opened, open_files(options.common));
  CB_ASSIGN(const auto clients, opened->backend->catalog().clients());
  bool found = options.client.empty();
  for (const catalog::LegacyClient& client : clients) {
    if (!options.client.empty() && client.name != options.client) continue;
    found = true;
    CB_ASSIGN(const auto versions, opened->backend->catalog().versions(client.id));
    for (const catalog::LegacyVersion& version : versions) {
      all.push_back(version_as_json(client.name, version));
      table.add({client.name, version.file_name, std::to_string(version.version),
                 format_size(version.size), utc(version.created_ns)});
    }
    if (versions.empty()) table.add({client.name, "(no file)", "", "", ""});
    if (versions.empty()) all.push_back({{"client", client.name}});
  }
  if (!found)
    return failed(Code::not_found, "client " + options.client, "is not known",
                  "cyberbackupd legacy list shows who is");
  return {};
}

Result<std::vector<server::ExportedFile>> export_files(const LegacyOptions& options) {
  CB_ASSIGN(const auto opened, open_files(options.common));
  return server::export_legacy({options.client, options.file, options.version, options.to},
                               *opened->backend, *opened->seams.files);
}

}  // namespace

report::ExitCode run_legacy_list(const LegacyOptions& options) {
  report::Json all = report::Json::array();
  report::Table table({{"client"}, {"file"}, {"version", true}, {"size", true}, {"created"}});
  const Status listed = list(options, all, table);
  if (!listed) return tell(listed.error(), options.common.json);
  std::string text = table.text();
  text.pop_back();
  print(options.common.json ? report::json_line(all) : text);
  return report::ExitCode::done;
}

report::ExitCode run_legacy_export(const LegacyOptions& options) {
  const auto exported = export_files(options);
  if (!exported) return tell(exported.error(), options.common.json);
  report::Json all = report::Json::array();
  for (const server::ExportedFile& file : *exported) {
    all.push_back({{"file", file.name},
                   {"path", file.path.string()},
                   {"version", file.version},
                   {"size", file.size}});
    if (!options.common.json)
      print(file.path.string() + "  version " + std::to_string(file.version) + "  " +
            format_size(file.size));
  }
  if (options.common.json) print(report::json_line(all));
  return report::ExitCode::done;
}

}  // namespace cb::host
