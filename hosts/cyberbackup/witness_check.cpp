// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/witness_check.h"

#include "core/client/witness.h"
#include "core/report/json.h"
#include "hosts/cyberbackup/check_advice.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using client::WitnessFinding;
using report::ExitCode;

constexpr uint64_t kLongest = 1 << 30;

struct Compared {
  client::Witness witness;
  std::vector<WitnessFinding> findings;
};

Result<Compared> compare(const CommonOptions& common, const std::string& path) {
  CB_ASSIGN(const Bytes text, os::read_file(os::real_file_system(), path, kLongest));
  CB_ASSIGN(client::Witness witness, client::parse_witness(as_text(text), path));
  CB_ASSIGN(const auto place, Workplace::open(common));
  CB_TRY(place->load_profile());
  CB_ASSIGN(const auto remote, place->connect());
  // The list that the server gives is that of its chain.
  CB_TRY(remote->snapshots(true));
  CB_ASSIGN(auto findings, client::compare(witness, place->receipts(),
                                           [&](uint64_t from) { return remote->chain(from); }));
  return Compared{std::move(witness), std::move(findings)};
}

Status print_finding(const CommonOptions& common, const WitnessFinding& finding) {
  if (!common.json) return print(finding.text + "\n");
  report::Json json = {{"event", "finding"}, {"kind", name_of(finding.kind)}};
  if (!finding.snapshot.is_zero()) json["snapshot"] = finding.snapshot.hex();
  json["text"] = finding.text;
  return print(report::json_line(json) + "\n");
}

Status print_sum(const CommonOptions& common, const Compared& compared, ExitCode exit) {
  const client::Witness& witness = compared.witness;
  const std::vector<std::string> advice = advice_of(compared.findings);
  if (common.json)
    return print(report::json_line({{"event", "done"},
                                    {"commit", witness.head.sequence},
                                    {"snapshots", witness.snapshots.size()},
                                    {"findings", compared.findings.size()},
                                    {"advice", advice},
                                    {"exit", static_cast<int>(exit)}}) +
                 "\n");
  if (common.quiet && exit == ExitCode::done) return {};
  if (exit == ExitCode::done)
    CB_TRY(print("the history goes on from commit " + std::to_string(witness.head.sequence) +
                 ", and all " + std::to_string(witness.snapshots.size()) +
                 " snapshots are there\n"));
  for (const std::string& line : advice) CB_TRY(print(line + "\n"));
  return {};
}

}  // namespace

int run_witness_check(const CommonOptions& common, const std::string& path) {
  const auto compared = compare(common, path);
  if (!compared) return report_failure(common, compared.error());
  const ExitCode exit = compared->findings.empty() ? ExitCode::done : ExitCode::failed;
  for (const WitnessFinding& finding : compared->findings) (void)print_finding(common, finding);
  (void)print_sum(common, *compared, exit);
  return static_cast<int>(exit);
}

}  // namespace cb
