// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/probe.h"

#include <charconv>
#include <vector>

#include "core/base/units.h"
#include "core/plugin/host_services.h"
#include "core/plugin/module.h"
#include "core/plugin/probe_child.h"
#include "core/plugin/scan.h"
#include "core/plugin/schema.h"

namespace cb::plugin {
namespace {

constexpr const char* kVerdictHead = "verdict 1\n";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// One empty file per hash that passed; what cannot be read was never met.
bool is_known(const os::Path& cache, const std::string& sha256) {
  return !cache.empty() && os::real_file_system().info(cache / sha256).has_value();
}

void remember(const os::Path& cache, const std::string& sha256, log::Log* log) {
  os::FileSystem& files = os::real_file_system();
  if (cache.empty() || !files.info(cache)) return;
  const Status kept = os::write_file_atomically(files, cache / sha256, {});
  if (!kept && log != nullptr) log->warn("plugin.probe.cache", {{"reason", kept.error().text()}});
}

Status verdict_of(const ProbeEnd& end, const PluginFile& file, const LoadOptions& options) {
  const std::string advice =
      "it is not loaded; take it out of the list of plugins, or install "
      "another build, and report this to its author";
  if (end.kind == ProbeEnd::Kind::timed_out)
    return failed(Code::timeout, file.object(),
                  "hangs while it is loaded: its probe did not finish within " +
                      format_duration(options.probe_timeout),
                  advice);
  if (end.kind == ProbeEnd::Kind::signalled)
    return failed(Code::internal, file.object(),
                  "crashes while it is loaded: its probe died of signal " +
                      std::to_string(end.number) + " (" + signal_name(end.number) + ")",
                  advice);
  Status verdict;
  if (read_verdict(end.said, verdict)) return verdict;
  return failed(Code::internal, file.object(),
                "ends the process that loads it, with exit status " + std::to_string(end.number),
                advice);
}

}  // namespace

Status probe(const PluginFile& file, const LoadOptions& options, log::Log* log) {
  if (!options.probe_unknown || options.probe_program.empty()) return {};
  if (is_known(options.probe_cache, file.sha256())) return {};
  ProbePlan plan;
  plan.program = options.probe_program;
  plan.arguments = {file.path().string()};
  plan.file_fd = file.fd();
  plan.timeout = options.probe_timeout;
  CB_ASSIGN(const ProbeEnd end, run_probe(plan));
  CB_TRY(verdict_of(end, file, options));
  remember(options.probe_cache, file.sha256(), log);
  return {};
}

Status try_out(PluginFile file) {
  CB_TRY(scan(file.content(), file.object()));
  const std::string folder = file.path().parent_path().string();
  const std::string name = file.path().stem().string();
  CB_ASSIGN(const Module* const module, Module::load(std::move(file), false));
  HostServices services;
  services.host_name = "cyberbackup-plugin-probe";
  services.host_version = "1";
  const HostTable host(services, name);
  Gate gate(name, nullptr, os::system_clock());
  CB_TRY(module->init(gate, *host.table(), folder));
  CB_ASSIGN(const auto descriptors, module->descriptors(gate));
  for (const cb_descriptor* descriptor : descriptors) CB_TRY(schema_of(*descriptor));
  module->deinit(gate);
  return {};
}

std::string write_verdict(const Status& verdict) {
  std::string text = kVerdictHead;
  if (verdict) return text + "0\n";
  const Error& error = verdict.error();
  text += std::to_string(static_cast<int32_t>(error.code)) + "\n";
  for (const std::string* part : {&error.object, &error.cause, &error.advice})
    text += one_line(part->data(), part->size()) + "\n";
  return text;
}

bool read_verdict(std::string_view text, Status& verdict) {
  if (!text.starts_with(kVerdictHead)) return false;
  const std::vector<std::string> lines = lines_of(text);
  if (lines.size() < 2) return false;
  int32_t code = 0;
  const auto parsed = std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), code);
  if (parsed.ec != std::errc() || code > 0 || code < CB_E_INTERNAL) return false;
  if (code == 0) {
    verdict = {};
    return true;
  }
  if (lines.size() < 5) return false;
  verdict = failed(static_cast<Code>(code), lines[2], lines[3], lines[4]);
  return true;
}

}  // namespace cb::plugin
