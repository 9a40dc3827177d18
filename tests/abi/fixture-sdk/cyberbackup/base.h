/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up SDK, on which the guards of the ABI are tested: see guard-fixtures. */
#ifndef FIXTURE_BASE_H
#define FIXTURE_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "cyberbackup/version.h"

/* A status. */
typedef int32_t cb_status;

/* Statuses. */
enum {
  CB_OK = 0,      /* done */
  CB_E_FIRST = -1 /* not done */
};

/* A capability. */
#define CB_ABLE ((uint64_t)4)

/* A handle. */
typedef struct cb_handle cb_handle;

/* A record. */
typedef struct cb_record {
  uint32_t size;    /* of this struct */
  uint32_t kind;    /* of record */
  uint64_t length;  /* in bytes */
  uint64_t changed; /* in nanoseconds */
  char name[24];    /* of the record */
} cb_record;

/* A table. */
typedef struct cb_table {
  uint32_t size;     /* of this struct */
  uint32_t reserved; /* 0 */

  /* Opens. [any] */
  cb_status (*open)(const char* name, cb_handle** out);

  /* Describes. [any] */
  cb_status (*describe)(cb_handle* handle, cb_record* out);

  /* Compares. [any] */
  cb_status (*compare)(cb_handle* handle, cb_record* out);

  /* Closes. [any] */
  void (*close)(cb_handle* handle);
} cb_table;

#endif
