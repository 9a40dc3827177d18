/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin for headers that have grown, which forgets to ask whether its host has: it reads a
 * member of cb_host that an older one does not have. Shows that the test would notice. One thread.
 */
#include "cyberbackup/compress.h"

static cb_status create(const cb_host* host, const cb_config* config, cb_instance** out,
                        cb_error* error) {
  (void)config;
  (void)out;
  if (error != NULL) error->message[0] = '\0';
  return host->appended == 0 ? CB_E_CANCELLED : CB_E_INTERNAL;
}

static void destroy(cb_instance* instance) { (void)instance; }

static const cb_compress_ops OPS = {.size = sizeof(cb_compress_ops)};

static const cb_descriptor DESCRIPTOR = {
    .size = sizeof(cb_descriptor),
    .id = "reaching",
    .interface_id = CB_COMPRESS_INTERFACE,
    .ops = &OPS,
    .option_size = sizeof(cb_option),
    .create = create,
    .destroy = destroy,
};

static const cb_descriptor* const* descriptors(uint32_t* count) {
  static const cb_descriptor* const all[] = {&DESCRIPTOR};
  *count = 1;
  return all;
}

CB_EXPORT_ENTRY const cb_entry cb_plugin_entry_v1 = {
    .magic = CB_ENTRY_MAGIC,
    .size = sizeof(cb_entry),
    .abi_minor = CB_ABI_MINOR,
    .descriptors = descriptors,
};
