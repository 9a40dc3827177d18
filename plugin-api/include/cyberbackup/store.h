/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cb.store/1: named immutable objects.
 *
 * Commit is the only visible moment: before it no stat, get or list sees the object; after OK it
 * survives loss of power. Names are 1 to 200 bytes of [0-9a-z._/-] without empty, "." or ".."
 * components; the host checks them and the plugin checks them again. Several puts may be open at
 * once, of unknown size, up to CB_STORE_MAX_OBJECT bytes each, and none may be held in memory
 * whole. Leftovers of a crash are removed at create, by age and by owner, never by guess.
 *
 * Instance-level functions and different handles may run in parallel. One handle is used by one
 * thread at a time.
 */
#ifndef CYBERBACKUP_STORE_H
#define CYBERBACKUP_STORE_H

#include "cyberbackup/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CB_STORE_INTERFACE "cb.store/1"

/* Capabilities. */
#define CB_STORE_DURABLE ((uint64_t)1) /* OK of put_commit survives loss of power */
#define CB_STORE_ATOMIC_REPLACE \
  ((uint64_t)2)                           /* a put over an existing name replaces it atomically */
#define CB_STORE_RANGE ((uint64_t)4)      /* get_open takes offset and length */
#define CB_STORE_LIST_AFTER ((uint64_t)8) /* list_open takes `after` */
#define CB_STORE_FILTER ((uint64_t)16)    /* wraps the store of service CB_STORE_LOWER */

#define CB_STORE_NAME_MAX 200
#define CB_STORE_MAX_OBJECT ((uint64_t)17179869184u) /* 16 GiB */

/* Flags of put_begin. */
enum { CB_PUT_IF_ABSENT = 1 /* commit fails with CB_E_EXISTS if the name is there by then */ };

/* Host service for a filter: the store below. */
#define CB_STORE_LOWER "cb.store.lower/1"

typedef struct cb_put cb_put;
typedef struct cb_get cb_get;
typedef struct cb_list cb_list;

/* An object as stat and list tell it; the caller sets `size`. */
typedef struct cb_object {
  uint32_t size;
  uint32_t name_len;
  uint64_t length;                  /* bytes */
  int64_t modified_ns;              /* nanoseconds since 1970 UTC, by the store's clock */
  char name[CB_STORE_NAME_MAX + 8]; /* ends with a zero byte */
} cb_object;

/* Space as the store sees it; the caller sets `size`. */
typedef struct cb_space {
  uint32_t size;
  uint32_t reserved;
  uint64_t total; /* bytes */
  uint64_t free;  /* bytes that this process may still use */
} cb_space;

typedef struct cb_store_ops {
  uint32_t size;
  uint32_t reserved;

  /* Describes one object; CB_E_NOT_FOUND. [blocking] */
  cb_status (*stat)(cb_instance* instance, const char* name, cb_object* out, cb_error* error);

  /* Begins an object. `length_hint` in bytes, 0 = unknown; it promises nothing. [blocking] */
  cb_status (*put_begin)(cb_instance* instance, const char* name, uint64_t length_hint,
                         uint32_t flags, cb_put** out, cb_error* error);

  /* Appends all of `data`, or fails (CB_E_NO_SPACE, CB_E_LIMIT ...); then only abort helps.
   * [blocking] */
  cb_status (*put_write)(cb_put* put, const void* data, size_t len, cb_error* error);

  /* Makes the object durable and visible. Ends the put, whatever it returns. [blocking] */
  cb_status (*put_commit)(cb_put* put, cb_error* error);

  /* Ends the put and leaves nothing visible; accepts null. [blocking] */
  void (*put_abort)(cb_put* put);

  /* Opens `length` bytes from `offset` (length 0 = to the end). CB_E_NOT_FOUND; CB_E_LIMIT,
     permanent, when the range does not wholly exist. [blocking] */
  cb_status (*get_open)(cb_instance* instance, const char* name, uint64_t offset, uint64_t length,
                        cb_get** out, cb_error* error);

  /* Reads 1..cap bytes, or END after the last one. [blocking] */
  cb_status (*get_read)(cb_get* get, void* buf, size_t cap, size_t* got, cb_error* error);

  /* Ends a get; accepts null. [blocking] */
  void (*get_close)(cb_get* get);

  /* Removes an object, durably; CB_E_NOT_FOUND if it was not there. [blocking] */
  cb_status (*remove)(cb_instance* instance, const char* name, cb_error* error);

  /* Opens a listing of names that start with `prefix` ("" = all) and sort after `after` ("" = from
     the first), in byte order; each object that existed throughout comes exactly once. [blocking]
   */
  cb_status (*list_open)(cb_instance* instance, const char* prefix, const char* after,
                         cb_list** out, cb_error* error);

  /* The next object, or END. [blocking] */
  cb_status (*list_next)(cb_list* list, cb_object* out, cb_error* error);

  /* Ends a listing; accepts null. [blocking] */
  void (*list_close)(cb_list* list);

  /* Tells the space; CB_E_UNSUPPORTED when the store cannot know. May be null. [blocking] */
  cb_status (*space)(cb_instance* instance, cb_space* out, cb_error* error);
} cb_store_ops;

/* What service CB_STORE_LOWER returns: the table of the store below and its instance. */
typedef struct cb_store_lower {
  uint32_t size;
  uint32_t reserved;
  const cb_store_ops* ops;
  cb_instance* instance;
} cb_store_lower;

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_STORE_H */
