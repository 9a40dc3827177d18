// SPDX-License-Identifier: Apache-2.0
//
// Commands about the audit log.
#include "command_line.h"

namespace cb::host {

void add_audit(CLI::App& app, Chosen& chosen) {
  CLI::App* audit = add(app, "audit", "The audit log: who did what from where",
                        "cyberbackupd audit list --since 7d --config FILE");
  audit->require_subcommand(1);
  AuditOptions& options = chosen.audit;
  CLI::App* list = add(*audit, "list", "Print the records of the audit log",
                       "cyberbackupd audit list --since 2026-03-01 --action v4.device");
  list->add_option("--since", options.since, "Only from this time on: 30d, 2026-03-01");
  list->add_option("--until", options.until, "Only before this time");
  list->add_option("--action", options.action, "Only this action, and those that begin with it");
  add_common(*list, chosen.common);
  list->callback(
      [&] { chosen.command = [&] { return run_audit_list(chosen.with_common(chosen.audit)); }; });
  CLI::App* verify =
      add(*audit, "verify", "Look whether a record was changed, removed or put elsewhere",
          "cyberbackupd audit verify --against last-week.jsonl\n"
          "  cyberbackupd audit verify last-week.jsonl");
  verify->add_option("FILE", options.file, "An export, in place of the server's log");
  verify->add_option("--against", options.against,
                     "A file with an older export, or with heads that were printed before: what it "
                     "tells must still be so");
  add_common(*verify, chosen.common);
  verify->callback(
      [&] { chosen.command = [&] { return run_audit_verify(chosen.with_common(chosen.audit)); }; });
  CLI::App* to = add(*audit, "export", "Write all records into a file, a line of JSON each",
                     "cyberbackupd audit export audit.jsonl --config FILE");
  to->add_option("FILE", options.file, "The file; replaced if it is there")->required();
  add_common(*to, chosen.common);
  to->callback(
      [&] { chosen.command = [&] { return run_audit_export(chosen.with_common(chosen.audit)); }; });
}

}  // namespace cb::host
