// SPDX-License-Identifier: Apache-2.0
//
// The table of cb.store/1 made of a class. Thread rules are those of store.h: the members of the
// plugin class may run in parallel, one Put, Get or List is used by one thread at a time.
//
// T has
//   void stat(string_view name, cb_object& out)                   out.name is filled already
//   unique_ptr<T::Put> put_begin(string_view name, uint64_t length_hint, uint32_t flags)
//   unique_ptr<T::Get> get_open(string_view name, uint64_t offset, uint64_t length)
//   void remove(string_view name)
//   unique_ptr<T::List> list_open(string_view prefix, string_view after)
//   void space(cb_space& out)                                     may be missing
//   T::Put:  void write(span<const byte>), void commit(); the destructor aborts unless committed
//   T::Get:  size_t read(span<byte>)                              0 = the end
//   T::List: bool next(cb_object& out)                            false = the end; see set_object
// The adapter checks names, flags and the object's size before T is called, and after a failed
// write lets only the abort through.
#pragma once

#include <cstring>
#include <string_view>

#include "cyberbackup/cpp/guard.hpp"
#include "cyberbackup/store.h"

namespace cyberbackup::sdk {
namespace detail {

constexpr bool is_name_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';
}

constexpr bool is_name_component(std::string_view part) {
  if (part.empty() || part == "." || part == "..") return false;
  for (const char c : part) {
    if (!is_name_char(c)) return false;
  }
  return true;
}

}  // namespace detail

// Is `text` something that a valid name can start with? "" and "a/" are, "/a" and "../" are not.
constexpr bool is_store_prefix(std::string_view text) {
  if (text.size() > CB_STORE_NAME_MAX) return false;
  for (size_t slash = text.find('/'); slash != std::string_view::npos; slash = text.find('/')) {
    if (!detail::is_name_component(text.substr(0, slash))) return false;
    text.remove_prefix(slash + 1);
  }
  for (const char c : text) {
    if (!detail::is_name_char(c)) return false;
  }
  return true;
}

// Is `name` one that store.h allows?
constexpr bool is_store_name(std::string_view name) {
  if (name.empty() || !is_store_prefix(name)) return false;
  const size_t slash = name.rfind('/');
  return detail::is_name_component(slash == std::string_view::npos ? name : name.substr(slash + 1));
}

// Fills an object for stat or list. Throws Failure when `name` is not a store name.
inline void set_object(cb_object& out, std::string_view name, uint64_t length,
                       int64_t modified_ns) {
  if (!is_store_name(name)) throw Failure(CB_E_CORRUPT, "the store holds an invalid name");
  out.name_len = static_cast<uint32_t>(name.size());
  out.length = length;
  out.modified_ns = modified_ns;
  std::memcpy(out.name, name.data(), name.size());
  out.name[name.size()] = '\0';
}

namespace detail {

template <class T>
struct StoreTable {
  // What a cb_put is: the author's object and what the adapter knows about it.
  struct Put {
    std::unique_ptr<typename T::Put> object;
    uint64_t written = 0;
    bool failed = false;
  };

  static std::string_view checked(const char* name) {
    const std::string_view text(name);
    if (!is_store_name(text)) throw Failure(CB_E_INVALID, "not a valid object name", 0, kPermanent);
    return text;
  }

  static cb_status stat(cb_instance* instance, const char* name, cb_object* result,
                        cb_error* error) {
    return guard(error, [&] {
      cb_object object{};
      object.size = sizeof(object);
      set_object(object, checked(name), 0, 0);
      from_handle<T>(instance).stat(checked(name), object);
      fill(result, object);
    });
  }

  static cb_status put_begin(cb_instance* instance, const char* name, uint64_t length_hint,
                             uint32_t flags, cb_put** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      const std::string_view text = checked(name);
      if ((flags & ~uint32_t{CB_PUT_IF_ABSENT}) != 0) {
        throw Failure(CB_E_UNSUPPORTED, "unknown flags of put_begin", 0, kPermanent);
      }
      auto put = std::make_unique<Put>();
      put->object = from_handle<T>(instance).put_begin(text, length_hint, flags);
      if (put->object == nullptr) throw Failure(CB_E_INTERNAL, "the plugin made no put");
      return give(std::move(put), made);
    });
  }

  static cb_status put_write(cb_put* handle, const void* data, size_t len, cb_error* error) {
    Put& put = from_handle<Put>(handle);
    const cb_status status = guard(error, [&] {
      require_sound(put);
      if (len > CB_STORE_MAX_OBJECT - put.written) {
        throw Failure(CB_E_LIMIT, "the object is larger than 16 GiB", 0, kPermanent);
      }
      if (len != 0) put.object->write(in(data, len));
      put.written += len;
    });
    put.failed = put.failed || status != CB_OK;
    return status;
  }

  static cb_status put_commit(cb_put* handle, cb_error* error) {
    return guard(error, [&] {
      const std::unique_ptr<Put> put(reinterpret_cast<Put*>(handle));
      require_sound(*put);
      put->object->commit();
    });
  }

  static void put_abort(cb_put* put) { end<Put>(put); }

  static cb_status get_open(cb_instance* instance, const char* name, uint64_t offset,
                            uint64_t length, cb_get** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      return give(from_handle<T>(instance).get_open(checked(name), offset, length), made);
    });
  }

  static cb_status get_read(cb_get* get, void* buf, size_t cap, size_t* got, cb_error* error) {
    *got = 0;
    return guard(error, [&]() -> cb_status {
      if (cap == 0) throw Failure(CB_E_INVALID, "a read needs room for one byte");
      *got = from_handle<typename T::Get>(get).read(out(buf, cap));
      return *got != 0 ? CB_OK : CB_END;
    });
  }

  static void get_close(cb_get* get) { end<typename T::Get>(get); }

  static cb_status remove(cb_instance* instance, const char* name, cb_error* error) {
    return guard(error, [&] { from_handle<T>(instance).remove(checked(name)); });
  }

  static cb_status list_open(cb_instance* instance, const char* prefix, const char* after,
                             cb_list** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      const std::string_view start(prefix);
      const std::string_view from(after);
      if (!is_store_prefix(start) || !is_store_prefix(from)) {
        throw Failure(CB_E_INVALID, "not a valid start of object names", 0, kPermanent);
      }
      return give(from_handle<T>(instance).list_open(start, from), made);
    });
  }

  static cb_status list_next(cb_list* list, cb_object* result, cb_error* error) {
    return guard(error, [&]() -> cb_status {
      cb_object object{};
      object.size = sizeof(object);
      if (!from_handle<typename T::List>(list).next(object)) return CB_END;
      fill(result, object);
      return CB_OK;
    });
  }

  static void list_close(cb_list* list) { end<typename T::List>(list); }

  static cb_status space(cb_instance* instance, cb_space* result, cb_error* error) {
    return guard(error, [&] {
      cb_space space{};
      space.size = sizeof(space);
      from_handle<T>(instance).space(space);
      fill(result, space);
    });
  }

  static constexpr cb_store_ops make() {
    cb_store_ops ops{};
    ops.size = sizeof(ops);
    ops.stat = &stat;
    ops.put_begin = &put_begin;
    ops.put_write = &put_write;
    ops.put_commit = &put_commit;
    ops.put_abort = &put_abort;
    ops.get_open = &get_open;
    ops.get_read = &get_read;
    ops.get_close = &get_close;
    ops.remove = &remove;
    ops.list_open = &list_open;
    ops.list_next = &list_next;
    ops.list_close = &list_close;
    if constexpr (requires(T & plugin, cb_space & out) { plugin.space(out); }) ops.space = &space;
    return ops;
  }

 private:
  static constexpr uint32_t kPermanent = CB_ERROR_PERMANENT;

  static void require_sound(const Put& put) {
    if (put.failed) throw Failure(CB_E_STATE, "an earlier write of this put failed");
  }
};

template <class T>
inline constexpr cb_store_ops kStoreOps = StoreTable<T>::make();

}  // namespace detail

// The table of class T; lives as long as the module.
template <class T>
constexpr const cb_store_ops& store_ops() {
  return detail::kStoreOps<T>;
}

}  // namespace cyberbackup::sdk
