/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store-fs as somebody would have it who broke into the daemon: asked for its space, it makes a
 * system call that only an intruder makes.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "cyberbackup/store.h"
#include "tests/bad-plugins/wrapped_plugin.h"

static cb_store_ops real_ops, ops;

static cb_status space(cb_instance* instance, cb_space* out, cb_error* error) {
  (void)syscall(SYS_keyctl, 0, -3, 0, 0, 0);
  return real_ops.space(instance, out, error);
}

static const void* change_ops(const void* real_table) {
  real_ops = *(const cb_store_ops*)real_table;
  ops = real_ops;
  ops.space = space;
  return &ops;
}
