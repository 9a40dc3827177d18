// SPDX-License-Identifier: Apache-2.0
//
// A descriptor made of a class, and the exported entry made of descriptors.
//
//   constexpr cb_option kOptions[] = {...};
//   constexpr cb_descriptor kDescriptor = sdk::describe<Plugin>(
//       {.id = "store-example", .interface_id = CB_STORE_INTERFACE, ...}, kOptions,
//       sdk::store_ops<Plugin>());
//   CB_PLUGIN_ENTRY(kDescriptor)          // at file scope, outside of any namespace
//
// The class has a constructor T(const sdk::Host&, const sdk::Config&), and if it likes
//   static void check(const sdk::Config&)             rules across options; throws CB_E_INVALID
//   const void* extension(std::string_view id)        a further table, or null; [any]
// Constructor, destructor and check run on one thread with nothing else of the module running.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "cyberbackup/base.h"
#include "cyberbackup/cpp/config.hpp"
#include "cyberbackup/cpp/guard.hpp"
#include "cyberbackup/cpp/host.hpp"

namespace cyberbackup::sdk {

// The plain part of a descriptor; see cb_descriptor. All text lives as long as the module.
struct Identity {
  const char* id = nullptr;              // [a-z0-9-]{1,32}
  const char* interface_id = nullptr;    // CB_STORE_INTERFACE and so on
  const char* version = nullptr;         // of the plugin
  const char* vendor = nullptr;          // who made it
  const char* license = nullptr;         // SPDX expression
  const char* summary = nullptr;         // one sentence
  const char* status = "wip";            // "wip", "alpha" or "stable"
  const char* posture = "trusted-peer";  // or "untrusted-peer"
  uint64_t capabilities = 0;             // bits of the interface's header
  uint32_t flags = 0;                    // CB_OWN_THREADS or 0
};

// cb_descriptor.create of class T.
template <class T>
cb_status create(const cb_host* host, const cb_config* config, cb_instance** out, cb_error* error) {
  *out = nullptr;
  return guard(error,
               [&] { return detail::give(std::make_unique<T>(Host(host), Config(config)), out); });
}

// cb_descriptor.destroy of class T.
template <class T>
void destroy(cb_instance* instance) {
  detail::end<T>(instance);
}

// cb_descriptor.check of class T; CB_OK when it has no rules.
template <class T>
cb_status check(const cb_config* config, cb_error* error) {
  return guard(error, [&] {
    if constexpr (requires(const Config& values) { T::check(values); })
      T::check(Config(config));
    else
      static_cast<void>(config);
  });
}

// cb_descriptor.extension of class T; null for every id when it has none.
template <class T>
const void* extension(cb_instance* instance, const char* id) {
  const void* table = nullptr;
  guard(nullptr, [&] {
    if constexpr (requires(T & plugin, std::string_view name) { plugin.extension(name); }) {
      table = detail::from_handle<T>(instance).extension(std::string_view(id));
    } else {
      static_cast<void>(instance);
      static_cast<void>(id);
    }
  });
  return table;
}

// The descriptor of class T. `options` and `ops` are borrowed: give objects of static storage.
template <class T, class Ops>
constexpr cb_descriptor describe(const Identity& identity, std::span<const cb_option> options,
                                 const Ops& ops) {
  cb_descriptor made{};
  made.size = sizeof(cb_descriptor);
  made.flags = identity.flags;
  made.id = identity.id;
  made.interface_id = identity.interface_id;
  made.version = identity.version;
  made.vendor = identity.vendor;
  made.license = identity.license;
  made.summary = identity.summary;
  made.status = identity.status;
  made.posture = identity.posture;
  made.capabilities = identity.capabilities;
  made.options = options.data();
  made.option_size = sizeof(cb_option);
  made.option_count = static_cast<uint32_t>(options.size());
  made.ops = &ops;
  made.check = &check<T>;
  made.create = &create<T>;
  made.destroy = &destroy<T>;
  made.extension = &extension<T>;
  return made;
}

// A temporary table would be gone before the descriptor is read.
template <class T, class Ops>
constexpr cb_descriptor describe(const Identity&, std::span<const cb_option>, const Ops&&) = delete;

namespace detail {

template <std::same_as<cb_descriptor>... Descriptor>
constexpr std::array<const cb_descriptor*, sizeof...(Descriptor)> list_of(
    const Descriptor&... descriptor) {
  static_assert(sizeof...(Descriptor) > 0, "a module offers at least one plugin");
  return {&descriptor...};
}

}  // namespace detail
}  // namespace cyberbackup::sdk

// Declared apart from its definition, so that const does not make it local to the file.
extern "C" __attribute__((visibility("default"))) const cb_entry cb_plugin_entry_v1;

// Exports the entry of a module that offers the given cb_descriptor objects. Once per module.
#define CB_PLUGIN_ENTRY(...)                                                                       \
  static const cb_descriptor* const* cb_plugin_descriptors(uint32_t* count) {                      \
    static constexpr auto kList = ::cyberbackup::sdk::detail::list_of(__VA_ARGS__);                \
    *count = static_cast<uint32_t>(kList.size());                                                  \
    return kList.data();                                                                           \
  }                                                                                                \
  const cb_entry cb_plugin_entry_v1 = {CB_ENTRY_MAGIC, sizeof(cb_entry), CB_ABI_MINOR,          0, \
                                       nullptr,        nullptr,          &cb_plugin_descriptors};
