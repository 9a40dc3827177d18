// SPDX-License-Identifier: Apache-2.0
//
// What an operator does about one client of protocol 3.
#include "core/server/legacy_ratchet.h"

#include "answer.h"
#include "core/base/units.h"
#include "core/report/shown_text.h"
#include "core/report/table.h"

namespace cb::host {
namespace {

using report::Json;

Result<Json> ratchets(const LegacyRatchetOptions& options) {
  CB_ASSIGN(const server::Settings settings, load_for_files(options.common));
  CB_ASSIGN(const auto catalog, open_catalog(settings));
  return server::list_ratchets(*catalog, settings.v3, os::system_clock().wall().count(),
                               options.show);
}

// "served", or why not.
std::string service_of(const Json& one) {
  return one.value("served", false) ? "served" : report::text_of(one, "refusal");
}

std::string moment(const Json& one, const char* key) {
  const int64_t at = report::number_of(one, key, 0);
  return at == 0 ? "" : utc(at);
}

std::string ratchets_text(const Json& all) {
  report::Table table(
      {{"client"}, {"account"}, {"ratchet"}, {"closed"}, {"lifted until"}, {"protocol 3"}});
  for (const Json& one : all)
    table.add({report::text_of(one, "client"), report::text_of(one, "account"),
               report::text_of(one, "ratchet"), moment(one, "ended_ns"),
               moment(one, "lifted_until_ns"), service_of(one)});
  std::string text = table.text();
  text.pop_back();
  return text;
}

std::string client_of(const Json& one) {
  return "client " + report::shown_text(report::text_of(one, "client"));
}

std::string ratchet_text(const Json& one) {
  std::string text = "the ratchet of " + client_of(one) + " is " + report::text_of(one, "ratchet");
  if (report::text_of(one, "ratchet") == "lifted")
    text += " until " + moment(one, "lifted_until_ns");
  return text + "\nprotocol 3: " + service_of(one);
}

std::string allow_text(const Json& one) {
  const std::string until = moment(one, "allowed_until_ns");
  if (until.empty()) return client_of(one) + " may not migrate without a token";
  return client_of(one) + " may migrate without a token until " + until +
         "\nnext, at the client: cyberbackup migrate";
}

}  // namespace

report::ExitCode run_legacy_ratchet(const LegacyRatchetOptions& options) {
  const bool lift = !options.lift.empty();
  if (!lift && options.close.empty()) {
    const auto all = ratchets(options);
    if (!all) return tell(all.error(), options.common.json);
    print(options.common.json ? report::json_line(*all) : ratchets_text(*all));
    return report::ExitCode::done;
  }
  const auto life = parse_duration(options.life);
  if (!life) return tell(life.error(), options.common.json);
  Json request = {{"command", "legacy.ratchet"},
                  {"account", lift ? options.lift : options.close},
                  {"action", lift ? "lift" : "close"}};
  if (lift) request["for_ns"] = life->count();
  return show(options.common, request, ratchet_text);
}

report::ExitCode run_legacy_allow(const LegacyAllowOptions& options) {
  const bool revoke = !options.revoke.empty();
  const auto life = parse_duration(options.expires);
  if (!life) return tell(life.error(), options.common.json);
  Json request = {{"command", "legacy.allow"},
                  {"account", revoke ? options.revoke : options.name},
                  {"action", revoke ? "revoke" : "allow"}};
  if (!revoke) request["expires_ns"] = life->count();
  return show(options.common, request, allow_text);
}

}  // namespace cb::host
