// SPDX-License-Identifier: Apache-2.0
//
// One configured plugin: what `create` made, with its gate and its host table. Shared by the
// handles made of it and destroyed with the last of them. Thread-safe as far as the plugin's
// functions are.
#pragma once

#include <memory>
#include <string>

#include "core/config/schema.h"
#include "core/plugin/gate.h"
#include "core/plugin/host_services.h"
#include "core/plugin/registry.h"

namespace cb::plugin {

class StoreBelow;

class Instance {
 public:
  // Runs check, then create. `descriptor` was validated and lives for ever. `lower` is the store
  // below for a store filter, else null.
  static Result<std::shared_ptr<Instance>> make(const cb_descriptor& descriptor,
                                                const config::Schema& schema,
                                                const config::Values& values,
                                                const HostServices& services,
                                                std::shared_ptr<Instance> lower);
  ~Instance();  // destroy
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  [[nodiscard]] const std::string& id() const { return gate_.plugin_id(); }
  [[nodiscard]] std::string interface_id() const { return descriptor_.interface_id; }
  [[nodiscard]] uint64_t capabilities() const { return descriptor_.capabilities; }

  // The table that the interface names; T must be that interface's.
  template <typename T>
  [[nodiscard]] const T& ops() const {
    return *static_cast<const T*>(descriptor_.ops);
  }
  [[nodiscard]] cb_instance* handle() const { return handle_; }
  [[nodiscard]] Gate& gate() { return gate_; }

  // The extension table `id`, or null.
  const void* extension(const char* id);

  // Asks running calls to stop soon (cb_host.cancelled), or takes that back.
  void cancel(bool wanted) { host_.cancel(wanted); }

  [[nodiscard]] bool quarantined() const { return gate_.quarantined(); }
  [[nodiscard]] bool unhealthy() const { return gate_.unhealthy(); }
  // Why it is quarantined or unhealthy; else empty.
  [[nodiscard]] std::string reason() const { return gate_.reason(); }
  [[nodiscard]] GateCounters counters() const { return gate_.counters(); }

 private:
  Instance(const cb_descriptor& descriptor, const HostServices& services,
           std::shared_ptr<Instance> lower);
  Status create(const config::Schema& schema, const config::Values& values);

  const cb_descriptor& descriptor_;
  std::unique_ptr<StoreBelow> below_;
  HostTable host_;
  Gate gate_;
  cb_instance* handle_ = nullptr;
};

}  // namespace cb::plugin
