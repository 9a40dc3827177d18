/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that is all of another one but for what its includer changes: WRAPPED is the file of the
 * other, PLUGIN_ID the new id. The includer defines `change_ops`, called once with the real table
 * still in place.
 */
#ifndef WRAPPED_PLUGIN_H
#define WRAPPED_PLUGIN_H

#include <dlfcn.h>
#include <string.h>

#include "cyberbackup/base.h"

static const void* change_ops(const void* real_ops);

static cb_descriptor descriptor;
static const cb_descriptor* const descriptors[] = {&descriptor};
static const cb_descriptor* real;

static cb_status wrapped_init(const cb_host* host, const char* module_dir, cb_error* error) {
  uint32_t count = 0;
  void* module = dlopen(WRAPPED, RTLD_NOW | RTLD_LOCAL);
  const cb_entry* entry = module ? (const cb_entry*)dlsym(module, "cb_plugin_entry_v1") : NULL;
  cb_status status;
  if (!entry) return CB_E_NOT_FOUND;
  status = entry->init ? entry->init(host, module_dir, error) : CB_OK;
  if (status != CB_OK) return status;
  real = entry->descriptors(&count)[0];
  descriptor = *real;
  descriptor.id = PLUGIN_ID;
  descriptor.ops = change_ops(real->ops);
  return CB_OK;
}

static const cb_descriptor* const* wrapped_descriptors(uint32_t* count) {
  *count = 1;
  return descriptors;
}

CB_EXPORT_ENTRY const cb_entry cb_plugin_entry_v1 = {
    CB_ENTRY_MAGIC, sizeof(cb_entry), 0, 0, wrapped_init, NULL, wrapped_descriptors};

#endif /* WRAPPED_PLUGIN_H */
