// SPDX-License-Identifier: Apache-2.0
//
// A store in memory, written against the C headers alone: the well-behaved body of the test
// plugins. Each of them takes this and breaks one thing. One thread at a time.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "cyberbackup/store.h"

struct cb_instance {
  std::map<std::string, std::string> objects;
  std::string greeting;
};

struct cb_put {
  cb_instance* store;
  std::string name, content;
};

struct cb_get {
  std::string rest;
};

struct cb_list {
  std::map<std::string, std::string> objects;
};

namespace plain {

inline cb_status fail(cb_error* error, cb_status status, const char* message) {
  if (error != nullptr) {
    error->status = status;
    error->flags = CB_ERROR_PERMANENT;
    std::strncpy(error->message, message, sizeof error->message - 1);
  }
  return status;
}

inline void describe(cb_object* out, const std::string& name, const std::string& content) {
  out->name_len = static_cast<uint32_t>(name.size());
  out->length = content.size();
  out->modified_ns = 1;
  std::memcpy(out->name, name.c_str(), name.size() + 1);
}

inline cb_status stat(cb_instance* instance, const char* name, cb_object* out, cb_error* error) {
  const auto found = instance->objects.find(name);
  if (found == instance->objects.end()) return fail(error, CB_E_NOT_FOUND, "no such object");
  describe(out, found->first, found->second);
  return CB_OK;
}

inline cb_status put_begin(cb_instance* instance, const char* name, uint64_t, uint32_t,
                           cb_put** out, cb_error*) {
  *out = new cb_put{instance, name, {}};
  return CB_OK;
}

inline cb_status put_write(cb_put* put, const void* data, size_t len, cb_error*) {
  put->content.append(static_cast<const char*>(data), len);
  return CB_OK;
}

inline void put_abort(cb_put* put) { delete put; }

inline cb_status put_commit(cb_put* put, cb_error*) {
  const std::unique_ptr<cb_put> owned(put);
  owned->store->objects[owned->name] = owned->content;
  return CB_OK;
}

inline cb_status get_open(cb_instance* instance, const char* name, uint64_t offset, uint64_t length,
                          cb_get** out, cb_error* error) {
  const auto found = instance->objects.find(name);
  if (found == instance->objects.end()) return fail(error, CB_E_NOT_FOUND, "no such object");
  if (offset + length > found->second.size()) return fail(error, CB_E_LIMIT, "past the end");
  *out = new cb_get{found->second.substr(offset, length == 0 ? std::string::npos : length)};
  return CB_OK;
}

inline cb_status get_read(cb_get* get, void* buf, size_t cap, size_t* got, cb_error*) {
  if (get->rest.empty()) return CB_END;
  *got = get->rest.copy(static_cast<char*>(buf), cap);
  get->rest.erase(0, *got);
  return CB_OK;
}

inline void get_close(cb_get* get) { delete get; }

inline cb_status remove(cb_instance* instance, const char* name, cb_error* error) {
  if (instance->objects.erase(name) == 0) return fail(error, CB_E_NOT_FOUND, "no such object");
  return CB_OK;
}

inline cb_status list_open(cb_instance* instance, const char* prefix, const char* after,
                           cb_list** out, cb_error*) {
  auto list = std::make_unique<cb_list>();
  for (const auto& [name, content] : instance->objects)
    if (name.starts_with(prefix) && name > after) list->objects[name] = content;
  *out = list.release();
  return CB_OK;
}

inline cb_status list_next(cb_list* list, cb_object* out, cb_error*) {
  if (list->objects.empty()) return CB_END;
  describe(out, list->objects.begin()->first, list->objects.begin()->second);
  list->objects.erase(list->objects.begin());
  return CB_OK;
}

inline void list_close(cb_list* list) { delete list; }

inline cb_status create(const cb_host*, const cb_config* config, cb_instance** out, cb_error*) {
  auto instance = std::make_unique<cb_instance>();
  if (config->count > 0 && config->values[0].is_set != 0)
    instance->greeting.assign(config->values[0].text, config->values[0].length);
  *out = instance.release();
  return CB_OK;
}

inline void destroy(cb_instance* instance) { delete instance; }

// A function of the table that lets no exception out: memory may run out anywhere above.
template <auto F>
struct Guarded;
template <typename... A, cb_status (*F)(A...)>
struct Guarded<F> {
  static cb_status call(A... args) {
    try {
      return F(args...);
    } catch (...) {
      return CB_E_NO_MEMORY;
    }
  }
};

inline cb_store_ops ops() {
  return {sizeof(cb_store_ops),
          0,
          Guarded<stat>::call,
          Guarded<put_begin>::call,
          Guarded<put_write>::call,
          Guarded<put_commit>::call,
          put_abort,
          Guarded<get_open>::call,
          Guarded<get_read>::call,
          get_close,
          Guarded<remove>::call,
          Guarded<list_open>::call,
          Guarded<list_next>::call,
          list_close,
          nullptr};
}

// What `ops` must outlive.
inline cb_descriptor descriptor(const char* id, const cb_store_ops& table) {
  cb_descriptor made{};
  made.size = sizeof made;
  made.id = id;
  made.interface_id = CB_STORE_INTERFACE;
  made.version = "1.0.0";
  made.vendor = "CyberBackup";
  made.license = "Apache-2.0";
  made.summary = "A store in memory, for tests.";
  made.status = "wip";
  made.posture = "trusted-peer";
  made.ops = &table;
  made.create = Guarded<create>::call;
  made.destroy = destroy;
  return made;
}

// An entry whose descriptors come from `list`.
inline cb_entry entry(const cb_descriptor* const* (*list)(uint32_t*)) {
  return {CB_ENTRY_MAGIC, sizeof(cb_entry), CB_ABI_MINOR, 0, nullptr, nullptr, list};
}

// The descriptors function of a module with these plugins.
template <const cb_descriptor&... Descriptors>
const cb_descriptor* const* list(uint32_t* count) {
  static const cb_descriptor* const all[] = {&Descriptors...};
  *count = sizeof...(Descriptors);
  return all;
}

}  // namespace plain

extern "C" __attribute__((visibility("default"))) const cb_entry cb_plugin_entry_v1;
