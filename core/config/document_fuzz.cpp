// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a configuration: parsed, overridden and checked against a schema with every type.
#include "core/config/check.h"
#include "core/config/override.h"

namespace {

const cb::config::Schema& schema() {
  using cb::config::Type;
  static const cb::config::Schema all = {
      {.key = "b", .type = Type::boolean, .def = "true"},
      {.key = "i", .type = Type::integer, .min = -5, .max = 5},
      {.key = "z", .type = Type::size, .def = "64MiB", .min = 1, .max = 1 << 30},
      {.key = "d", .type = Type::duration, .required = true},
      {.key = "t", .type = Type::text, .min = 1, .max = 9},
      {.key = "p", .type = Type::path},
      {.key = "c", .type = Type::choice, .choices = {"fast", "best"}},
      {.key = "s", .type = Type::secret},
      {.key = "l", .type = Type::list, .deprecated = true},
  };
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cb::config::Surroundings from;  // no environment; files are only looked for where nothing is
  from.folder = "/nonexistent";
  auto root = cb::config::parse_document(text, "fuzz");
  if (!root) return 0;
  if (auto change = cb::config::override_from_argument(text.substr(0, text.find('\n'))))
    (void)cb::config::apply(*root, *change);
  cb::config::Problems problems;
  (void)cb::config::check_table(&*root, "", schema(), {"other"}, from, problems);
  for (const auto& problem : problems.list) (void)problem.text();
  return 0;
}
