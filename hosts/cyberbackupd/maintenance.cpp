// SPDX-License-Identifier: Apache-2.0
//
// The mode of the store: printed, set and waited for.
#include <thread>

#include "answer.h"
#include "core/base/units.h"

namespace cb::host {
namespace {

using report::Json;

constexpr auto kLookAgain = std::chrono::milliseconds(500);

std::string plural(uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// What is under way and has to end.
std::string left_text(const Json& store) {
  const bool is_offline = report::text_of(store, "mode") == "offline";
  std::string text = plural(store.value("backups", uint64_t{0}), "backup");
  if (is_offline) text += ", " + plural(store.value("readings", uint64_t{0}), "restore");
  if (const std::string job = report::text_of(store, "job"); !job.empty()) text += ", job " + job;
  return text;
}

bool is_quiet(const Json& store) {
  return store.value("left", uint64_t{0}) == 0 && report::text_of(store, "job").empty();
}

// Why it is not what was told.
std::string stricter_text(const Json& store) {
  if (report::text_of(store, "mode") == report::text_of(store, "told")) return "";
  return " (as [store] mode in the configuration says)";
}

Result<Json> mode_request(const StoreOptions& options) {
  if (options.mode.empty()) return Json{{"command", "store.show"}};
  Json request = {{"command", "store.mode"}, {"mode", options.mode}};
  if (!options.drain.empty()) {
    CB_ASSIGN(const auto drain, parse_duration(options.drain));
    request["drain_ns"] = drain.count();
  }
  return request;
}

// Asks until nothing is left, or the mode is another one.
Result<Json> wait_until_quiet(const CommonOptions& common, Json store) {
  const std::string mode = report::text_of(store, "mode");
  while (!is_quiet(store) && report::text_of(store, "mode") == mode) {
    std::this_thread::sleep_for(kLookAgain);
    CB_ASSIGN(store, run_admin(common, {{"command", "store.show"}}));
  }
  return store;
}

}  // namespace

std::string store_text(const Json& store) {
  const std::string mode = report::text_of(store, "mode");
  std::string text = "the store is " + mode + stricter_text(store);
  if (mode == "normal") return text;
  if (is_quiet(store)) return text + ", nothing is under way";
  const auto until = store.value("until_ns", int64_t{0});
  return text + ", under way: " + left_text(store) +
         (until == 0 ? "" : ", at most until " + utc(until));
}

report::ExitCode run_store_mode(const StoreOptions& options) {
  const auto request = mode_request(options);
  if (!request) return tell(request.error(), options.common.json);
  Result<Json> store = run_admin(options.common, *request);
  if (store && options.wait) store = wait_until_quiet(options.common, std::move(*store));
  if (!store) return tell(store.error(), options.common.json);
  print(options.common.json ? report::json_line(*store) : store_text(*store));
  return report::ExitCode::done;
}

}  // namespace cb::host
