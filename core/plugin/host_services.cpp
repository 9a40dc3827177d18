// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/host_services.h"

#include <algorithm>

#include "core/plugin/gate.h"

namespace cb::plugin {
namespace {

constexpr size_t kLongestLine = 4096;

log::Level level_of(int32_t level) {
  const int32_t known = std::clamp<int32_t>(level, CB_LOG_TRACE, CB_LOG_ERROR);
  constexpr log::Level kLevels[] = {log::Level::trace, log::Level::debug, log::Level::info,
                                    log::Level::warn, log::Level::error};
  return kLevels[known];
}

}  // namespace

HostTable::HostTable(HostServices services, std::string plugin_id)
    : services_(std::move(services)), plugin_id_(std::move(plugin_id)) {
  table_.size = sizeof table_;
  table_.abi_minor = CB_ABI_MINOR;
  table_.ctx = this;
  table_.name = services_.host_name.c_str();
  table_.version = services_.host_version.c_str();
  table_.log = &HostTable::log;
  table_.random = &HostTable::random;
  table_.monotonic_ns = &HostTable::monotonic_ns;
  table_.cancelled = &HostTable::cancelled;
  table_.service = &HostTable::service;
}

void HostTable::log(void* ctx, int32_t level, const char* text, size_t len) {
  try {
    const auto& self = *static_cast<const HostTable*>(ctx);
    if (self.services_.log == nullptr || text == nullptr) return;
    self.services_.log->write(
        level_of(level), "plugin.says",
        {{"plugin", self.plugin_id_}, {"text", one_line(text, std::min(len, kLongestLine))}});
  } catch (...) {
    // A line that cannot be written is lost; nothing may cross into the plugin.
  }
}

cb_status HostTable::random(void* ctx, void* out, size_t len) {
  try {
    if (len == 0) return CB_OK;
    if (out == nullptr) return CB_E_INVALID;
    const auto& self = *static_cast<const HostTable*>(ctx);
    os::Random& source =
        self.services_.random ? self.services_.random(self.plugin_id_) : os::system_random();
    const Status filled = source.fill({static_cast<std::byte*>(out), len});
    return filled ? CB_OK : static_cast<cb_status>(filled.error().code);
  } catch (...) {
    return CB_E_INTERNAL;
  }
}

uint64_t HostTable::monotonic_ns(void* ctx) {
  const auto& self = *static_cast<const HostTable*>(ctx);
  const os::Clock& clock =
      self.services_.clock != nullptr ? *self.services_.clock : os::system_clock();
  return static_cast<uint64_t>(clock.monotonic().count());
}

int32_t HostTable::cancelled(void* ctx) {
  return static_cast<const HostTable*>(ctx)->cancelled_.load(std::memory_order_relaxed) ? 1 : 0;
}

const void* HostTable::service(void* ctx, const char* id) {
  if (id == nullptr) return nullptr;
  const auto& offered = static_cast<const HostTable*>(ctx)->offered_;
  const auto found = offered.find(std::string_view(id));
  return found == offered.end() ? nullptr : found->second;
}

}  // namespace cb::plugin
