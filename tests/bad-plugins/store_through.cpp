// SPDX-License-Identifier: Apache-2.0
//
// A well-behaved store filter: everything goes to the store below.
#include "plain_store.hpp"

namespace {
void destroy(cb_instance*) {}

// The table below; set in create, before any other call.
const cb_store_ops* below = nullptr;

cb_status create(const cb_host* host, const cb_config*, cb_instance** out, cb_error* error) {
  const void* service = host->service(host->ctx, CB_STORE_LOWER);
  if (service == nullptr) return plain::fail(error, CB_E_INVALID, "there is no store below");
  const auto* lower = static_cast<const cb_store_lower*>(service);
  below = lower->ops;
  *out = lower->instance;
  return CB_OK;
}

const cb_store_ops kOps = {
    sizeof(cb_store_ops),
    0,
    [](auto... a) { return below->stat(a...); },
    [](auto... a) { return below->put_begin(a...); },
    [](auto... a) { return below->put_write(a...); },
    [](auto... a) { return below->put_commit(a...); },
    [](auto... a) { return below->put_abort(a...); },
    [](auto... a) { return below->get_open(a...); },
    [](auto... a) { return below->get_read(a...); },
    [](auto... a) { return below->get_close(a...); },
    [](auto... a) { return below->remove(a...); },
    [](auto... a) { return below->list_open(a...); },
    [](auto... a) { return below->list_next(a...); },
    [](auto... a) { return below->list_close(a...); },
    [](auto... a) { return below->space(a...); },
};

const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("store-through", kOps);
  made.capabilities = CB_STORE_FILTER;
  made.create = create;
  made.destroy = destroy;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
