// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/registry.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/plugin/instance.h"
#include "core/plugin/module.h"
#include "core/plugin/pin.h"
#include "core/plugin/probe.h"
#include "core/plugin/scan.h"
#include "core/plugin/schema.h"

namespace cb::plugin {
namespace {

const os::Clock& clock_of(const HostServices& services) {
  return services.clock != nullptr ? *services.clock : os::system_clock();
}

}  // namespace

struct Registry::State {
  // A module that this registry initialised.
  struct Loaded {
    Loaded(Module& m, const HostServices& services, const std::string& id)
        : module(m), host(services, id), gate(id, services.log, clock_of(services)) {}

    Module& module;
    HostTable host;
    Gate gate;
    bool initialised = false;
  };

  struct Offer {
    const cb_descriptor* descriptor = nullptr;
    config::Schema schema;
    const Loaded* from = nullptr;
  };

  State(HostServices s, LoadOptions o) : services(std::move(s)), options(std::move(o)) {}

  [[nodiscard]] os::Path path_of(const std::string& id) const {
    return options.folder / (id + ".so");
  }
  Status load(const std::string& id, PluginStatus& status);
  Result<PluginFile> open_checked(const std::string& id, PluginStatus& status);
  // Logs how a load went, and keeps a refusal for status().
  void keep(const Status& outcome, PluginStatus status);
  Status bring_up(Loaded& loaded, const std::string& id);
  Result<std::map<std::string, Offer>> offers_of(Loaded& loaded);
  Result<const Offer*> offer(const std::string& id);
  Status check_kind(const std::string& id, std::string_view interface_id);

  const HostServices services;
  const LoadOptions options;

  // Changed by the one thread that loads and makes, under this; others read under it.
  std::mutex mutex;
  std::vector<std::unique_ptr<Loaded>> modules;
  std::map<std::string, Offer> offers;          // by plugin id
  std::map<std::string, PluginStatus> refused;  // by the id asked for
  std::vector<std::weak_ptr<Instance>> instances;
};

Result<PluginFile> Registry::State::open_checked(const std::string& id, PluginStatus& status) {
  if (!is_plugin_id(id))
    return failed(Code::invalid, "plugin '" + one_line(id.data(), id.size()) + "'",
                  "is not a plugin id: 1 to 32 characters of [a-z0-9-]",
                  "correct the list of plugins to load");
  CB_ASSIGN(PluginFile file, PluginFile::open(path_of(id)));
  status.sha256 = file.sha256();
  if (options.check_owner) CB_TRY(check_owner(file));
  CB_TRY(check_pin(file, id, options, services.log));
  CB_TRY(scan(file.content(), file.object()));
  return file;
}

Status Registry::State::load(const std::string& id, PluginStatus& status) {
  CB_ASSIGN(PluginFile file, open_checked(id, status));
  if (Module::known(file) == nullptr) CB_TRY(probe(file, options, services.log));
  CB_ASSIGN(Module* const module, Module::load(std::move(file), options.pins == Pins::enforce));
  auto loaded = std::make_unique<Loaded>(*module, services, id);
  Status up = bring_up(*loaded, id);
  if (!up && loaded->initialised) module->deinit(loaded->gate);
  if (!up) return up;
  const std::lock_guard lock(mutex);
  modules.push_back(std::move(loaded));
  return up;
}

Status Registry::State::bring_up(Loaded& loaded, const std::string& id) {
  CB_TRY(loaded.module.init(loaded.gate, *loaded.host.table(), options.folder.string()));
  loaded.initialised = true;
  CB_ASSIGN(auto found, offers_of(loaded));
  if (!found.contains(id)) {
    std::string names;
    for (const auto& [name, offer] : found) names += (names.empty() ? "" : ", ") + name;
    return failed(Code::not_found, loaded.module.object(),
                  "does not have the plugin " + id + " that its name promises; it has " + names,
                  "give the file the name of its plugin");
  }
  const std::lock_guard lock(mutex);
  offers.merge(found);
  return {};
}

Result<std::map<std::string, Registry::State::Offer>> Registry::State::offers_of(Loaded& loaded) {
  CB_ASSIGN(const auto descriptors, loaded.module.descriptors(loaded.gate));
  std::map<std::string, Offer> found;
  for (const cb_descriptor* descriptor : descriptors) {
    const auto other = offers.find(descriptor->id);
    if (other != offers.end())
      return failed(Code::exists, loaded.module.object(),
                    "has the id " + other->first + ", which " +
                        other->second.from->module.file().string() + " has already",
                    "load one of the two files only");
    CB_ASSIGN(config::Schema schema, schema_of(*descriptor));
    found[descriptor->id] = Offer{descriptor, std::move(schema), &loaded};
  }
  return found;
}

Result<const Registry::State::Offer*> Registry::State::offer(const std::string& id) {
  const std::lock_guard lock(mutex);
  const auto found = offers.find(id);
  if (found != offers.end()) return &found->second;
  const auto why = refused.find(id);
  if (why != refused.end()) return failed(*why->second.refused);
  std::string names;
  for (const auto& [name, offer] : offers) names += (names.empty() ? "" : ", ") + name;
  return failed(Code::not_found, "plugin " + id,
                "is not loaded; loaded are: " + (names.empty() ? "none" : names),
                "add it to plugins.load");
}

Status Registry::State::check_kind(const std::string& id, std::string_view interface_id) {
  CB_ASSIGN(const Offer* const found, offer(id));
  if (found->descriptor->interface_id == interface_id) return {};
  return failed(Code::invalid, "plugin " + id,
                std::string("is for ") + found->descriptor->interface_id + ", not for " +
                    std::string(interface_id),
                "name a plugin of the right kind there");
}

void Registry::State::keep(const Status& outcome, PluginStatus status) {
  if (services.log != nullptr && outcome)
    services.log->info(
        "plugin.loaded",
        {{"plugin", status.id}, {"file", status.file.string()}, {"sha256", status.sha256}});
  if (services.log != nullptr && !outcome)
    services.log->error("plugin.refused",
                        {{"plugin", status.id}, {"reason", outcome.error().text()}});
  const std::lock_guard lock(mutex);
  refused.erase(status.id);
  if (outcome) return;
  status.refused = outcome.error();
  refused[status.id] = std::move(status);
}

Registry::Registry(HostServices services, LoadOptions options)
    : state_(std::make_unique<State>(std::move(services), std::move(options))) {}

Registry::~Registry() {
  for (const auto& weak : state_->instances) {
    const auto instance = weak.lock();
    if (instance == nullptr) continue;
    // deinit under a living instance would pull the ground from under it; the process ends anyway.
    if (state_->services.log != nullptr)
      state_->services.log->error("plugin.outlived", {{"plugin", instance->id()}});
    static auto* const kept = new std::vector<std::unique_ptr<State>>;
    kept->push_back(std::move(state_));
    return;
  }
  for (auto loaded = state_->modules.rbegin(); loaded != state_->modules.rend(); ++loaded)
    (*loaded)->module.deinit((*loaded)->gate);
}

Status Registry::load(const std::string& id) {
  if (state_->offers.contains(id)) return {};
  PluginStatus status;
  status.id = id;
  status.file = state_->path_of(id);
  Status done = state_->load(id, status);
  state_->keep(done, std::move(status));
  return done;
}

std::vector<PluginStatus> Registry::status() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<PluginStatus> all;
  for (const auto& [id, offer] : state_->offers) {
    const cb_descriptor& from = *offer.descriptor;
    PluginStatus& status = all.emplace_back();
    status.id = id;
    status.file = offer.from->module.file();
    status.sha256 = offer.from->module.sha256();
    status.interface_id = from.interface_id;
    status.version = from.version;
    status.vendor = from.vendor;
    status.license = from.license;
    status.summary = from.summary;
    status.maturity = from.status;
    status.posture = from.posture;
    status.capabilities = from.capabilities;
  }
  for (const auto& [id, status] : state_->refused) all.push_back(status);
  return all;
}

std::vector<InstanceStatus> Registry::instances() const {
  std::vector<std::weak_ptr<Instance>> made;
  {
    const std::lock_guard lock(state_->mutex);
    made = state_->instances;
  }
  std::vector<InstanceStatus> all;
  for (const auto& weak : made) {
    const auto instance = weak.lock();
    if (instance == nullptr) continue;
    all.push_back({instance->id(), instance->quarantined(), instance->unhealthy(),
                   instance->reason(), instance->counters()});
  }
  return all;
}

Result<const config::Schema*> Registry::schema(const std::string& id) const {
  CB_ASSIGN(const State::Offer* offer, state_->offer(id));
  return &offer->schema;
}

Result<std::shared_ptr<Instance>> Registry::make(const std::string& id,
                                                 const config::Values& values,
                                                 std::shared_ptr<Instance> lower) {
  CB_ASSIGN(const State::Offer* offer, state_->offer(id));
  const cb_descriptor& descriptor = *offer->descriptor;
  const bool filters = std::string_view(descriptor.interface_id) == CB_STORE_INTERFACE &&
                       (descriptor.capabilities & CB_STORE_FILTER) != 0;
  if (filters != (lower != nullptr))
    return failed(Code::invalid, "plugin " + id,
                  filters ? "is a store filter and needs a store below it"
                          : "is no store filter and cannot stand above another store",
                  "correct the stack of stores");
  if (lower != nullptr && lower->interface_id() != CB_STORE_INTERFACE)
    return failed(Code::invalid, "plugin " + id,
                  "cannot stand above " + lower->id() + ", which is for " + lower->interface_id());
  CB_ASSIGN(auto instance,
            Instance::make(descriptor, offer->schema, values, state_->services, std::move(lower)));
  const std::lock_guard lock(state_->mutex);
  std::erase_if(state_->instances, [](const auto& weak) { return weak.expired(); });
  state_->instances.push_back(instance);
  return instance;
}

Result<Store> Registry::make_store(const std::string& id, const config::Values& values,
                                   std::shared_ptr<Instance> lower) {
  CB_TRY(state_->check_kind(id, CB_STORE_INTERFACE));
  CB_ASSIGN(auto instance, make(id, values, std::move(lower)));
  return Store(std::move(instance));
}

Result<Crypto> Registry::make_crypto(const std::string& id, const config::Values& values) {
  CB_TRY(state_->check_kind(id, CB_CRYPTO_INTERFACE));
  CB_ASSIGN(auto instance, make(id, values));
  return Crypto(std::move(instance));
}

Result<Compress> Registry::make_compress(const std::string& id, const config::Values& values) {
  CB_TRY(state_->check_kind(id, CB_COMPRESS_INTERFACE));
  CB_ASSIGN(auto instance, make(id, values));
  return Compress(std::move(instance));
}

Result<Transport> Registry::make_transport(const std::string& id, const config::Values& values) {
  CB_TRY(state_->check_kind(id, CB_TRANSPORT_INTERFACE));
  CB_ASSIGN(auto instance, make(id, values));
  return Transport(std::move(instance));
}

}  // namespace cb::plugin
