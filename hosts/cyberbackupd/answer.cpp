// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

namespace cb::host {

using report::Json;

std::string number(const Json& from, const char* key) {
  return std::to_string(from.value(key, uint64_t{0}));
}

std::string ended_sessions(const Json& change) {
  const auto count = change.value("ended_sessions", uint64_t{0});
  if (count == 0) return "";
  return ", " + std::to_string(count) + (count == 1 ? " session ended" : " sessions ended");
}

report::ExitCode show(const CommonOptions& options, const Json& request,
                      std::string (*as_text)(const Json&)) {
  const auto answer = run_admin(options, request);
  if (!answer) return tell(answer.error(), options.json);
  print(options.json ? report::json_line(*answer) : as_text(*answer));
  return report::ExitCode::done;
}

}  // namespace cb::host
