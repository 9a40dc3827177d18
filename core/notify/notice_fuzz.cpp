// SPDX-License-Identifier: Apache-2.0
//
// Any text as a template, with itself as every value: what comes out in JSON is JSON, and on one
// line is one. And any bytes as a file of the outbox: read or removed, and what is read is kept
// again as the same.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/log/line_log.h"
#include "core/notify/near.h"
#include "core/notify/outbox.h"
#include "core/notify/template.h"
#include "core/report/json.h"

using namespace cb;
using namespace cb::notify;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

class Silent final : public log::LineLog {
 public:
  void write_fields(log::Level, std::string_view, std::span<const log::Field>) override {}
};

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("cyberbackup-notice-fuzz-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const os::Path& path() const { return path_; }

 private:
  const os::Path path_;
};

void check_template(const std::string& text) {
  require(report::parse_json("\"" + in_json(text) + "\"").has_value() || text.size() > 300'000);
  require(on_one_line(text).find('\n') == std::string::npos);
  (void)is_near(without_port(text));
  const auto made = Template::parse(text);
  if (!made) return;
  const Values values = {{"subject", text}, {"text", text}};
  (void)made->fill(values);
  require(made->fill(values, on_one_line).size() < 64UL * 1024 * 1024);
}

void check_outbox(std::string_view text) {
  static const Folder folder;
  static Silent log;
  const os::Path file = folder.path() / "7-1.json";
  std::ofstream(file, std::ios::binary) << text;
  Outbox box(&os::real_file_system(), folder.path(), log);
  const auto kept = box.load();
  require(kept.size() <= 1 && kept.empty() == !std::filesystem::exists(file));
  if (kept.empty() || !box.put(kept.front())) return;
  const auto again = box.load();
  require(again.size() == 1 && again.front().target == kept.front().target);
  require(again.front().parcel.whole_text() == kept.front().parcel.whole_text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 't') check_template(text);
  if (data[0] == 'o') check_outbox(text);
  return 0;
}
