// SPDX-License-Identifier: Apache-2.0
//
// What a check works on: the plugin's file, the module, one plugin in it and instances of that, all
// through the loader, schema and gate of the daemon. Each check has a Subject of its own. Used by
// one thread, but for what random and log say of themselves.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/config/document.h"
#include "core/log/capture.h"
#include "core/plugin/host_services.h"
#include "core/plugin/instance.h"
#include "core/plugin/module.h"
#include "core/plugin/registry.h"

namespace cb::check {

// What the command line says of all checks.
struct Settings {
  os::Path file;           // the plugin
  os::Path config;         // its options; empty: defaults
  os::Path known_answers;  // what a crypto suite must compute; empty: not tried
  // The store below a store filter: an id, looked for beside the file and where the bundled plugins
  // are, or a path.
  std::string below = "store-fs";
  uint64_t seed = 0;
  std::chrono::nanoseconds fuzz{0};
  std::chrono::nanoseconds timeout = std::chrono::hours(1);  // the most for any check
};

// Options to write for one instance: key -> as it would be written in TOML, quotes not needed. A
// secret is given as its bytes.
using Written = std::map<std::string, std::string>;

// The system's randomness made reproducible. Thread-safe.
class SeededRandom final : public os::Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  Status fill(ByteSpan out) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;  // guarded by mutex_
};

class Subject {
 public:
  // `scratch` is an empty folder that is the check's alone; `name` goes into the seed; `index`
  // picks the plugin among those of the file.
  Subject(Settings settings, os::Path scratch, std::string name, uint32_t index);
  // All instances are gone by then; runs deinit.
  ~Subject();
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] const os::Path& file() const { return settings_.file; }
  // An empty folder for what the check and the plugin write; removed afterwards by whoever made it.
  [[nodiscard]] const os::Path& scratch() const { return scratch_; }
  // Random data that --seed repeats. Not thread-safe: a thread gets an engine seeded from this one.
  std::mt19937_64& random() { return random_; }
  Bytes random_bytes(size_t size);
  // Until when a check with `fuzzes` goes on; in the past without --fuzz, so that it does its
  // shortest round only.
  [[nodiscard]] std::chrono::steady_clock::time_point fuzz_until() const { return fuzz_until_; }
  // All that the plugin and the host code logged. Thread-safe.
  log::Capture& log() { return log_; }
  // What instances are given. A check may change it before it makes one.
  plugin::HostServices& services() { return services_; }

  // The file, scanned and mapped; nothing of its entry was called.
  Result<plugin::Module*> module();
  // The plugin's own descriptor: init has run, nothing was checked.
  Result<const cb_descriptor*> descriptor();
  // All descriptors of the file, likewise.
  Result<std::vector<const cb_descriptor*>> descriptors();
  // The plugin's descriptor after the host's own checks, and its options.
  Result<const cb_descriptor*> checked_descriptor();
  Result<config::Schema> schema();
  // Defaults, something fitting for each required option, what --config says, and `written`, the
  // later the stronger. In --config, "{scratch}" in a text stands for the scratch folder, and
  // [below] is for the store below.
  Result<config::Values> values(const Written& written = {});

  // A new instance, made by the host's own code (check, create; destroyed with the last handle). A
  // store filter gets `below`, or a new instance of the store below.
  Result<std::shared_ptr<plugin::Instance>> instance(
      const Written& written = {}, std::shared_ptr<plugin::Instance> below = nullptr);
  // The same as a plugin::Store, Compress, Crypto or Transport. The raw table is at
  // made.instance()->ops<cb_store_ops>(), the raw instance at made.instance()->handle().
  template <typename T>
  Result<T> make(const Written& written = {}) {
    CB_ASSIGN(auto made, instance(written));
    return T(std::move(made));
  }

  // Another plugin, by id or path (see Settings::below), with a scratch folder inside this one.
  // Lives as long as this subject; for the same id the same one comes back.
  Result<Subject*> other(const std::string& id);

  // A line of the log that tells of a broken contract; empty when there is none.
  [[nodiscard]] std::string broken_contract();

 private:
  Result<config::Node> table_of(const config::Schema& schema, const Written& written);
  Result<config::Node> written_in_file();
  Result<config::Node> fitting(const config::Option& option, const std::string* text);

  const Settings settings_;
  const os::Path scratch_;
  const std::string name_;
  const uint32_t index_;
  const std::chrono::steady_clock::time_point fuzz_until_;
  std::mt19937_64 random_;
  SeededRandom host_random_;
  log::Capture log_;
  plugin::HostServices services_;
  std::string section_;  // of --config; empty: the plugin's own
  uint32_t secrets_ = 0;

  plugin::Module* module_ = nullptr;
  std::unique_ptr<plugin::HostTable> host_;
  std::unique_ptr<plugin::Gate> gate_;
  bool initialised_ = false;
  std::map<std::string, std::unique_ptr<Subject>> others_;
};

// One plugin of a file, as the survey found it. Text is cut and made printable.
struct Surveyed {
  uint32_t index = 0;
  std::string id;
  std::string interface_id;
  uint64_t capabilities = 0;
};

// The plugins of the file; nothing was checked but that they can be read.
Result<std::vector<Surveyed>> survey(Subject& subject);

}  // namespace cb::check
