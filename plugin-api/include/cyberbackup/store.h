/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cb.store/1: named immutable objects.
 *
 * Commit is the only visible moment: before it no stat, get or list sees the object; after OK it
 * survives loss of power. Names are 1 to 200 bytes of [0-9a-z._/-] without empty, "." or ".."
 * components; the host checks them and the plugin checks them again (CB_E_INVALID). Names are
 * plain text: "a/b" needs no "a", and "a" and "a/b" may both exist. Several puts may be open at
 * once, also of one name, of unknown size, up to CB_STORE_MAX_OBJECT bytes each, and none may be
 * held in memory whole. A get delivers the object as it was when the get was opened, though it be
 * replaced or removed meanwhile. Leftovers of a crash are removed at create, by age and by owner,
 * never by guess.
 *
 * Functions that take the instance, and different handles, may run in parallel. One handle is used
 * by one thread at a time.
 */
#ifndef CYBERBACKUP_STORE_H
#define CYBERBACKUP_STORE_H

#include "cyberbackup/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The interface_id of a store's descriptor; its ops are a cb_store_ops. */
#define CB_STORE_INTERFACE "cb.store/1"

/* Capability: OK of put_commit survives loss of power. (A daemon keeps backups only in a store that
 * has this one and the next three.) */
#define CB_STORE_DURABLE ((uint64_t)1)
/* Capability: a put over an existing name replaces it atomically. Without it a host puts only over
 * names that are not there. */
#define CB_STORE_ATOMIC_REPLACE ((uint64_t)2)
/* Capability: get_open takes offset and length; without it anything but 0 and 0 is
 * CB_E_UNSUPPORTED. */
#define CB_STORE_RANGE ((uint64_t)4)
/* Capability: list_open takes `after`; without it anything but "" is CB_E_UNSUPPORTED. */
#define CB_STORE_LIST_AFTER ((uint64_t)8)
/* Capability: wraps the store of service CB_STORE_LOWER. */
#define CB_STORE_FILTER ((uint64_t)16)

/* The longest name in bytes, without the zero byte. */
#define CB_STORE_NAME_MAX 200
/* The largest object in bytes: 16 GiB. */
#define CB_STORE_MAX_OBJECT ((uint64_t)17179869184u)

/* Flags of put_begin. */
enum { CB_PUT_IF_ABSENT = 1 /* commit fails with CB_E_EXISTS if the name is there by then */ };

/* Host service for a filter: the store below, a cb_store_lower. */
#define CB_STORE_LOWER "cb.store.lower/1"

/* An object being written: put_begin makes it, put_commit or put_abort ends it. */
typedef struct cb_put cb_put;
/* An object being read: get_open makes it, get_close ends it. */
typedef struct cb_get cb_get;
/* A listing under way: list_open makes it, list_close ends it. */
typedef struct cb_list cb_list;

/* An object as stat and list_next tell it. Owned by the caller. */
typedef struct cb_object {
  uint32_t size;                    /* of this struct, set by the caller before each call */
  uint32_t name_len;                /* of `name` in bytes, without the zero byte */
  uint64_t length;                  /* of the object in bytes */
  int64_t modified_ns;              /* nanoseconds since 1970 UTC, by the store's clock */
  char name[CB_STORE_NAME_MAX + 8]; /* ends with a zero byte */
} cb_object;

/* Space as the store sees it. Owned by the caller. */
typedef struct cb_space {
  uint32_t size;     /* of this struct, set by the caller before each call */
  uint32_t reserved; /* 0 */
  uint64_t total;    /* bytes */
  uint64_t free;     /* bytes that this process may still use */
} cb_space;

/* The functions of a store. */
typedef struct cb_store_ops {
  uint32_t size;     /* of this struct, set by the plugin */
  uint32_t reserved; /* 0 */

  /* Describes one object. Errors: CB_E_NOT_FOUND. [blocking] */
  cb_status (*stat)(cb_instance* instance, const char* name, cb_object* out, cb_error* error);

  /* Begins an object into *out. `length_hint` in bytes, 0 = unknown; it promises nothing. `flags`
     is CB_PUT_IF_ABSENT or 0. Errors: CB_E_UNSUPPORTED for any other flag. [blocking] */
  cb_status (*put_begin)(cb_instance* instance, const char* name, uint64_t length_hint,
                         uint32_t flags, cb_put** out, cb_error* error);

  /* Appends all of `data` or fails; `len` 0 appends nothing. After a failure only put_abort helps:
     everything else is CB_E_STATE. Errors: CB_E_NO_SPACE; CB_E_LIMIT past CB_STORE_MAX_OBJECT.
     [blocking] */
  cb_status (*put_write)(cb_put* put, const void* data, size_t len, cb_error* error);

  /* Makes the object durable and visible. Ends the put, whatever it returns. Errors: CB_E_EXISTS
     with CB_PUT_IF_ABSENT, when the name is there; CB_E_NO_SPACE. [blocking] */
  cb_status (*put_commit)(cb_put* put, cb_error* error);

  /* Ends the put and leaves nothing visible; accepts null. [blocking] */
  void (*put_abort)(cb_put* put);

  /* Opens `length` bytes from `offset` into *out. Length 0 means to the end; that may be no bytes
     at all, when `offset` is the object's size. Errors: CB_E_NOT_FOUND; CB_E_LIMIT, permanent, when
     the range does not wholly exist. [blocking] */
  cb_status (*get_open)(cb_instance* instance, const char* name, uint64_t offset, uint64_t length,
                        cb_get** out, cb_error* error);

  /* Reads 1..cap bytes, *got tells how many; CB_END after the last one, and again from then on. May
     give less than `cap` at any time. Errors: CB_E_INVALID for a `cap` of 0; CB_E_CORRUPT when the
     object turns out to be damaged or shorter. [blocking] */
  cb_status (*get_read)(cb_get* get, void* buf, size_t cap, size_t* got, cb_error* error);

  /* Ends a get; accepts null. [blocking] */
  void (*get_close)(cb_get* get);

  /* Removes an object, durably. Errors: CB_E_NOT_FOUND if it was not there. [blocking] */
  cb_status (*remove)(cb_instance* instance, const char* name, cb_error* error);

  /* Opens a listing into *out: names that start with the bytes of `prefix` ("" = all) and are
     greater than `after` ("" = from the first), in ascending order of their bytes ("a" < "a-" <
     "a/b" < "b"). Neither needs to exist or to be related to the other; each is a start of a valid
     name. Each object that existed throughout the listing comes exactly once; one that came or went
     meanwhile comes once or not. Errors: CB_E_INVALID when no name could start so. [blocking] */
  cb_status (*list_open)(cb_instance* instance, const char* prefix, const char* after,
                         cb_list** out, cb_error* error);

  /* Tells the next object, or CB_END, and CB_END again from then on. [blocking] */
  cb_status (*list_next)(cb_list* list, cb_object* out, cb_error* error);

  /* Ends a listing; accepts null. [blocking] */
  void (*list_close)(cb_list* list);

  /* Tells the space. May be null. Errors: CB_E_UNSUPPORTED when the store cannot know. [blocking]
   */
  cb_status (*space)(cb_instance* instance, cb_space* out, cb_error* error);
} cb_store_ops;

/* What service CB_STORE_LOWER returns: the store below. It lives until destroy of the filter
 * returns; all handles that the filter made there end before that. */
typedef struct cb_store_lower {
  uint32_t size;           /* of this struct, set by the host */
  uint32_t reserved;       /* 0 */
  const cb_store_ops* ops; /* the functions of the store below */
  cb_instance* instance;   /* their first argument; not the filter's own */
} cb_store_lower;

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_STORE_H */
