// SPDX-License-Identifier: Apache-2.0
//
// What the host offers to one plugin instance (or to a module during init): the cb_host table and
// what stands behind it. The table's functions are thread-safe and never throw.
#pragma once

#include <atomic>
#include <map>
#include <string>

#include "core/plugin/registry.h"

namespace cb::plugin {

class HostTable {
 public:
  // `plugin_id` is put on every line it logs.
  HostTable(HostServices services, std::string plugin_id);
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  // Valid as long as this object.
  [[nodiscard]] const cb_host* table() const { return &table_; }

  // Offers a table by id; it must outlive this object. Before the table is handed out.
  void offer(std::string id, const void* service) { offered_[std::move(id)] = service; }

  // Asks the plugin to stop what it is doing soon (or takes that back).
  void cancel(bool wanted) { cancelled_.store(wanted, std::memory_order_relaxed); }

 private:
  static void log(void* ctx, int32_t level, const char* text, size_t len);
  static cb_status random(void* ctx, void* out, size_t len);
  static uint64_t monotonic_ns(void* ctx);
  static int32_t cancelled(void* ctx);
  static const void* service(void* ctx, const char* id);

  const HostServices services_;
  const std::string plugin_id_;
  std::map<std::string, const void*, std::less<>> offered_;
  std::atomic<bool> cancelled_{false};
  cb_host table_{};
};

}  // namespace cb::plugin
