/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in memory in plain C: the well-behaved body of the test plugins that are written in C.
 * Each of them includes this and breaks one thing. PLUGIN_ID names it. One thread at a time.
 */
#ifndef PLAIN_STORE_C_H
#define PLAIN_STORE_C_H

#include <stdlib.h>
#include <string.h>

#include "cyberbackup/store.h"

#ifndef PLUGIN_ID
#define PLUGIN_ID "good-c"
#endif

typedef struct plain_object {
  struct plain_object* next;
  char name[CB_STORE_NAME_MAX + 8];
  unsigned char* content;
  size_t length;
} plain_object;

struct cb_instance {
  plain_object* first; /* in order of names */
  void* extra;         /* for what is wrong */
};

struct cb_put {
  cb_instance* store;
  plain_object* object;
  uint32_t flags;
};

struct cb_get {
  const plain_object* object;
  size_t from;
  size_t end;
};

struct cb_list {
  const cb_instance* store;
  char prefix[CB_STORE_NAME_MAX + 8];
  char after[CB_STORE_NAME_MAX + 8];
};

static inline cb_status plain_fail(cb_error* error, cb_status status, const char* message) {
  if (error != NULL) {
    error->status = status;
    error->flags = CB_ERROR_PERMANENT;
    strncpy(error->message, message, sizeof error->message - 1);
  }
  return status;
}

static inline plain_object** plain_find(cb_instance* store, const char* name) {
  plain_object** at = &store->first;
  while (*at != NULL && strcmp((*at)->name, name) < 0) at = &(*at)->next;
  return at;
}

static inline plain_object* plain_get(cb_instance* store, const char* name) {
  plain_object* const found = *plain_find(store, name);
  return found != NULL && strcmp(found->name, name) == 0 ? found : NULL;
}

static inline void plain_free(plain_object* object) {
  if (object == NULL) return;
  free(object->content);
  free(object);
}

static inline void plain_describe(cb_object* out, const plain_object* object) {
  out->name_len = (uint32_t)strlen(object->name);
  out->length = object->length;
  out->modified_ns = 1;
  memcpy(out->name, object->name, strlen(object->name) + 1);
}

static inline cb_status plain_stat(cb_instance* store, const char* name, cb_object* out,
                                   cb_error* error) {
  const plain_object* const object = plain_get(store, name);
  if (object == NULL) return plain_fail(error, CB_E_NOT_FOUND, "no such object");
  plain_describe(out, object);
  return CB_OK;
}

static inline cb_status plain_put_begin(cb_instance* store, const char* name, uint64_t length_hint,
                                        uint32_t flags, cb_put** out, cb_error* error) {
  cb_put* const put = calloc(1, sizeof *put);
  (void)length_hint;
  if (put != NULL) put->object = calloc(1, sizeof *put->object);
  if (put == NULL || put->object == NULL) {
    free(put);
    return plain_fail(error, CB_E_NO_MEMORY, "out of memory");
  }
  put->store = store;
  put->flags = flags;
  strncpy(put->object->name, name, CB_STORE_NAME_MAX);
  *out = put;
  return CB_OK;
}

static inline cb_status plain_put_write(cb_put* put, const void* data, size_t len,
                                        cb_error* error) {
  plain_object* const object = put->object;
  unsigned char* const more = realloc(object->content, object->length + len + 1);
  if (more == NULL) return plain_fail(error, CB_E_NO_MEMORY, "out of memory");
  if (len > 0) memcpy(more + object->length, data, len);
  object->content = more;
  object->length += len;
  return CB_OK;
}

static inline void plain_put_abort(cb_put* put) {
  if (put == NULL) return;
  plain_free(put->object);
  free(put);
}

static inline cb_status plain_put_commit(cb_put* put, cb_error* error) {
  plain_object** const at = plain_find(put->store, put->object->name);
  plain_object* const old = plain_get(put->store, put->object->name);
  if (old != NULL && (put->flags & CB_PUT_IF_ABSENT) != 0) {
    plain_put_abort(put);
    return plain_fail(error, CB_E_EXISTS, "exists already");
  }
  put->object->next = old != NULL ? old->next : *at;
  *at = put->object;
  plain_free(old);
  free(put);
  return CB_OK;
}

static inline cb_status plain_get_open(cb_instance* store, const char* name, uint64_t offset,
                                       uint64_t length, cb_get** out, cb_error* error) {
  const plain_object* const object = plain_get(store, name);
  cb_get* get;
  if (object == NULL) return plain_fail(error, CB_E_NOT_FOUND, "no such object");
  if (offset > object->length || length > object->length - offset)
    return plain_fail(error, CB_E_LIMIT, "past the end");
  get = calloc(1, sizeof *get);
  if (get == NULL) return plain_fail(error, CB_E_NO_MEMORY, "out of memory");
  get->object = object;
  get->from = offset;
  get->end = length == 0 ? object->length : offset + length;
  *out = get;
  return CB_OK;
}

static inline cb_status plain_get_read(cb_get* get, void* buf, size_t cap, size_t* got,
                                       cb_error* error) {
  const size_t left = get->end - get->from;
  (void)error;
  if (left == 0) return CB_END;
  *got = left < cap ? left : cap;
  memcpy(buf, get->object->content + get->from, *got);
  get->from += *got;
  return CB_OK;
}

static inline void plain_get_close(cb_get* get) { free(get); }

static inline cb_status plain_remove(cb_instance* store, const char* name, cb_error* error) {
  plain_object** const at = plain_find(store, name);
  plain_object* const object = plain_get(store, name);
  if (object == NULL) return plain_fail(error, CB_E_NOT_FOUND, "no such object");
  *at = object->next;
  plain_free(object);
  return CB_OK;
}

static inline cb_status plain_list_open(cb_instance* store, const char* prefix, const char* after,
                                        cb_list** out, cb_error* error) {
  cb_list* const list = calloc(1, sizeof *list);
  if (list == NULL) return plain_fail(error, CB_E_NO_MEMORY, "out of memory");
  list->store = store;
  strncpy(list->prefix, prefix, CB_STORE_NAME_MAX);
  strncpy(list->after, after, CB_STORE_NAME_MAX);
  *out = list;
  return CB_OK;
}

static inline cb_status plain_list_next(cb_list* list, cb_object* out, cb_error* error) {
  const plain_object* at = list->store->first;
  (void)error;
  while (at != NULL && (strcmp(at->name, list->after) <= 0 ||
                        strncmp(at->name, list->prefix, strlen(list->prefix)) != 0))
    at = at->next;
  if (at == NULL) return CB_END;
  strcpy(list->after, at->name);
  plain_describe(out, at);
  return CB_OK;
}

static inline void plain_list_close(cb_list* list) { free(list); }

static inline cb_status plain_create(const cb_host* host, const cb_config* config,
                                     cb_instance** out, cb_error* error) {
  cb_instance* const made = calloc(1, sizeof *made);
  (void)host;
  (void)config;
  if (made == NULL) return plain_fail(error, CB_E_NO_MEMORY, "out of memory");
  *out = made;
  return CB_OK;
}

static inline void plain_destroy(cb_instance* store) {
  if (store == NULL) return;
  while (store->first != NULL) {
    plain_object* const next = store->first->next;
    plain_free(store->first);
    store->first = next;
  }
  free(store);
}

#define PLAIN_STORE_OPS                                                                      \
  {                                                                                          \
    sizeof(cb_store_ops), 0, plain_stat, plain_put_begin, plain_put_write, plain_put_commit, \
        plain_put_abort, plain_get_open, plain_get_read, plain_get_close, plain_remove,      \
        plain_list_open, plain_list_next, plain_list_close, NULL                             \
  }

#endif /* PLAIN_STORE_C_H */
