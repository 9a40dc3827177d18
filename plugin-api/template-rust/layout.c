/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what the C compiler makes of the headers, for the comparison with abi.rs. One thread.
 */
#include <stdio.h>

#include "cyberbackup/compress.h"

#define CONSTANT(name) printf("%s %lld\n", #name, (long long)name)
#define MEMBER(type, member) \
  printf("%s.%s @%zu +%zu\n", #type, #member, offsetof(type, member), sizeof(((type*)0)->member))
#define STRUCT(type) printf("%s %zu\n", #type, sizeof(type))

static void print_constants(void) {
  CONSTANT(CB_OK);
  CONSTANT(CB_E_CORRUPT);
  CONSTANT(CB_E_NO_MEMORY);
  CONSTANT(CB_E_LIMIT);
  CONSTANT(CB_E_TOO_SMALL);
  CONSTANT(CB_E_INTERNAL);
  CONSTANT(CB_ERROR_RETRY);
  CONSTANT(CB_ERROR_PERMANENT);
  CONSTANT(CB_OPTION_SIZE);
  CONSTANT(CB_ABI_MINOR);
  CONSTANT(CB_ENTRY_MAGIC);
}

static void print_values(void) {
  MEMBER(cb_error, size);
  MEMBER(cb_error, status);
  MEMBER(cb_error, os_errno);
  MEMBER(cb_error, flags);
  MEMBER(cb_error, message);
  STRUCT(cb_error);
  MEMBER(cb_option, key);
  MEMBER(cb_option, help);
  MEMBER(cb_option, def);
  MEMBER(cb_option, choices);
  MEMBER(cb_option, min);
  MEMBER(cb_option, max);
  MEMBER(cb_option, type);
  MEMBER(cb_option, flags);
  STRUCT(cb_option);
  MEMBER(cb_value, type);
  MEMBER(cb_value, is_set);
  MEMBER(cb_value, number);
  MEMBER(cb_value, text);
  MEMBER(cb_value, length);
  STRUCT(cb_value);
  MEMBER(cb_config, size);
  MEMBER(cb_config, value_size);
  MEMBER(cb_config, count);
  MEMBER(cb_config, reserved);
  MEMBER(cb_config, values);
  STRUCT(cb_config);
}

static void print_host(void) {
  MEMBER(cb_host, size);
  MEMBER(cb_host, abi_minor);
  MEMBER(cb_host, ctx);
  MEMBER(cb_host, name);
  MEMBER(cb_host, version);
  MEMBER(cb_host, log);
  MEMBER(cb_host, random);
  MEMBER(cb_host, monotonic_ns);
  MEMBER(cb_host, cancelled);
  MEMBER(cb_host, service);
  STRUCT(cb_host);
}

static void print_plugin(void) {
  MEMBER(cb_descriptor, size);
  MEMBER(cb_descriptor, flags);
  MEMBER(cb_descriptor, id);
  MEMBER(cb_descriptor, interface_id);
  MEMBER(cb_descriptor, version);
  MEMBER(cb_descriptor, vendor);
  MEMBER(cb_descriptor, license);
  MEMBER(cb_descriptor, summary);
  MEMBER(cb_descriptor, status);
  MEMBER(cb_descriptor, posture);
  MEMBER(cb_descriptor, capabilities);
  MEMBER(cb_descriptor, options);
  MEMBER(cb_descriptor, option_size);
  MEMBER(cb_descriptor, option_count);
  MEMBER(cb_descriptor, ops);
  MEMBER(cb_descriptor, check);
  MEMBER(cb_descriptor, create);
  MEMBER(cb_descriptor, destroy);
  MEMBER(cb_descriptor, extension);
  STRUCT(cb_descriptor);
  MEMBER(cb_entry, magic);
  MEMBER(cb_entry, size);
  MEMBER(cb_entry, abi_minor);
  MEMBER(cb_entry, needs_minor);
  MEMBER(cb_entry, init);
  MEMBER(cb_entry, deinit);
  MEMBER(cb_entry, descriptors);
  STRUCT(cb_entry);
  MEMBER(cb_compress_ops, size);
  MEMBER(cb_compress_ops, reserved);
  MEMBER(cb_compress_ops, bound);
  MEMBER(cb_compress_ops, compress);
  MEMBER(cb_compress_ops, decompress);
  MEMBER(cb_compress_ops, codec_new);
  MEMBER(cb_compress_ops, codec_run);
  MEMBER(cb_compress_ops, codec_reset);
  MEMBER(cb_compress_ops, codec_free);
  STRUCT(cb_compress_ops);
}

int main(void) {
  print_constants();
  print_values();
  print_host();
  print_plugin();
  return 0;
}
