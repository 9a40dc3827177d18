// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/store_below.h"

#include <new>
#include <utility>

#include "core/plugin/lower_error.h"

namespace cb::plugin {
namespace {

// The ABI's handles are incomplete types: here they are the C++ handles of the store below.
Store& store_of(cb_instance* instance) { return *reinterpret_cast<Store*>(instance); }
Put* put_of(cb_put* put) { return reinterpret_cast<Put*>(put); }
Get* get_of(cb_get* get) { return reinterpret_cast<Get*>(get); }
List* list_of(cb_list* list) { return reinterpret_cast<List*>(list); }

std::string_view text_of(const char* text) { return text == nullptr ? "" : text; }

void fill(cb_object* out, const StoredObject& from) {
  out->name_len = static_cast<uint32_t>(from.name.size());
  out->length = from.length;
  out->modified_ns = from.modified_ns;
  std::memcpy(out->name, from.name.c_str(), from.name.size() + 1);
}

template <typename H, typename C>
cb_status give(Result<C> made, H** out) {
  *out = reinterpret_cast<H*>(new C(std::move(*made)));
  return CB_OK;
}

cb_status stat(cb_instance* instance, const char* name, cb_object* out, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    CB_ASSIGN(const StoredObject object, store_of(instance).stat(text_of(name)));
    fill(out, object);
    return CB_OK;
  });
}

cb_status put_begin(cb_instance* instance, const char* name, uint64_t hint, uint32_t flags,
                    cb_put** out, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    if ((flags & ~uint32_t{CB_PUT_IF_ABSENT}) != 0)
      return failed(Code::unsupported, "the store below", "unknown flags of put_begin");
    auto put = store_of(instance).put_begin(text_of(name), hint, (flags & CB_PUT_IF_ABSENT) != 0);
    if (!put) return failed(std::move(put.error()));
    return give(std::move(put), out);
  });
}

cb_status put_write(cb_put* put, const void* data, size_t len, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    CB_TRY(put_of(put)->write({static_cast<const std::byte*>(data), len}));
    return CB_OK;
  });
}

cb_status put_commit(cb_put* put, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    const std::unique_ptr<Put> owned(put_of(put));
    CB_TRY(owned->commit());
    return CB_OK;
  });
}

void put_abort(cb_put* put) { delete put_of(put); }

cb_status get_open(cb_instance* instance, const char* name, uint64_t offset, uint64_t length,
                   cb_get** out, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    auto get = store_of(instance).get_open(text_of(name), offset, length);
    if (!get) return failed(std::move(get.error()));
    return give(std::move(get), out);
  });
}

cb_status get_read(cb_get* get, void* buf, size_t cap, size_t* got, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    if (cap == 0) return failed(Code::invalid, "the store below", "a read needs room for one byte");
    CB_ASSIGN(*got, get_of(get)->read({static_cast<std::byte*>(buf), cap}));
    return *got == 0 ? CB_END : CB_OK;
  });
}

void get_close(cb_get* get) { delete get_of(get); }

cb_status remove(cb_instance* instance, const char* name, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    CB_TRY(store_of(instance).remove(text_of(name)));
    return CB_OK;
  });
}

cb_status list_open(cb_instance* instance, const char* prefix, const char* after, cb_list** out,
                    cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    auto list = store_of(instance).list_open(text_of(prefix), text_of(after));
    if (!list) return failed(std::move(list.error()));
    return give(std::move(list), out);
  });
}

cb_status list_next(cb_list* list, cb_object* out, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    CB_ASSIGN(const auto object, list_of(list)->next());
    if (!object) return CB_END;
    fill(out, *object);
    return CB_OK;
  });
}

void list_close(cb_list* list) { delete list_of(list); }

cb_status space(cb_instance* instance, cb_space* out, cb_error* error) {
  return guarded(error, [&]() -> Result<cb_status> {
    CB_ASSIGN(const StoreSpace space, store_of(instance).space());
    out->total = space.total;
    out->free = space.free;
    return CB_OK;
  });
}

constexpr cb_store_ops kOps{sizeof(cb_store_ops),
                            0,
                            stat,
                            put_begin,
                            put_write,
                            put_commit,
                            put_abort,
                            get_open,
                            get_read,
                            get_close,
                            remove,
                            list_open,
                            list_next,
                            list_close,
                            space};

}  // namespace

StoreBelow::StoreBelow(Store store) : store_(std::move(store)) {
  service_.size = sizeof service_;
  service_.ops = &kOps;
  service_.instance = reinterpret_cast<cb_instance*>(&store_);
}

}  // namespace cb::plugin
