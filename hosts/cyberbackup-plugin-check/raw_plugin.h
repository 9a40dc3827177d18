// SPDX-License-Identifier: Apache-2.0
//
// A plugin called without the gate, for checks that must see each call, status and argument
// themselves. Exceptions are caught and told. Used by one thread.
#pragma once

#include <memory>
#include <string>

#include "core/plugin/schema.h"
#include "core/plugin/store_below.h"
#include "hosts/cyberbackup-plugin-check/guarded_memory.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {

// What a raw call came to.
struct Came {
  cb_status status = CB_OK;
  cb_error error{};
  std::string thrown;  // what an exception said; empty when there was none

  // Neither an exception, nor a status that is positive or not listed.
  [[nodiscard]] bool is_clean() const {
    return thrown.empty() && status <= CB_OK && status >= CB_E_INTERNAL;
  }
  // "status -5 (disk is full)", "an exception (bad_alloc)".
  [[nodiscard]] std::string text() const;
};

// Calls a function whose last parameter is a cb_error.
template <typename... P, typename... A>
Came call(cb_status (*function)(P...), A... args) {
  Came came;
  came.error.size = sizeof came.error;
  try {
    came.status = function(args..., &came.error);
  } catch (const std::exception& e) {
    came.thrown = e.what();
  } catch (...) {
    came.thrown = "of unknown type";
  }
  return came;
}

class RawPlugin {
 public:
  // Makes configuration and host table; nothing of the plugin but init and descriptors is called.
  static Result<std::unique_ptr<RawPlugin>> make(Subject& subject, const Written& written = {});

  [[nodiscard]] const cb_descriptor& descriptor() const { return *descriptor_; }
  [[nodiscard]] const cb_config& config() const { return *config_->table(); }
  // A copy of it may be changed and given to create.
  [[nodiscard]] const cb_host& host() const { return *host_->table(); }

  // check (if there is one), then create. `instance` is what create left in *out.
  Came create(const cb_host& host, cb_instance*& instance) const;
  Came create(cb_instance*& instance) const { return create(host(), instance); }
  // An Error tells of an exception.
  Status destroy(cb_instance* instance) const;

 private:
  RawPlugin() = default;

  const cb_descriptor* descriptor_ = nullptr;
  std::unique_ptr<plugin::StoreBelow> below_;
  std::unique_ptr<plugin::HostTable> host_;
  std::unique_ptr<plugin::ConfigTable> config_;
};

// The table as a host of 1.0 has it: nothing lies behind its last member.
Bytes as_older_host(const cb_host& host);
// The table as a host of some later minor has it: longer, with more functions.
Bytes as_newer_host(const cb_host& host);
// The host table that lies there.
inline const cb_host& host_in(const GuardedMemory& memory) {
  return *reinterpret_cast<const cb_host*>(memory.data());
}

}  // namespace cb::check
