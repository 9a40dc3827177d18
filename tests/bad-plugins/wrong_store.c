/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small store in files that keeps the contract, and with -DWRONG=... breaks it in one way: what
 * the checks of stores are checked with. One flat folder: a name's file has ',' for '/'; a put in
 * the making is "=PID-NUMBER". Nothing changes after create but the files, so threads may share it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cyberbackup/store.h"

/* The ways to be wrong; each is the end of the plugin's id. */
enum {
  NOTHING,
  LAST_BYTE,          /* loses the last byte when the size is a multiple of a block */
  NO_EMPTY,           /* does not keep empty objects */
  LONG_RANGE,         /* delivers to the end instead of the length */
  CLAMPED_RANGE,      /* cuts a range at the end instead of refusing it */
  PART_WITHOUT_RANGE, /* reads a part, but does not declare that it can */
  REMOVES_ALWAYS,     /* says OK to the removal of nothing */
  REOPENS,            /* finds the object anew at each read */
  ABORTS_OLD,         /* an abort takes the old object along */
  LEAKS_PUTS,         /* an abort leaves the file that it wrote */
  STATS_PUTS,         /* stat sees an object in the making */
  ABSENT_AT_BEGIN,    /* looks for IF_ABSENT at the begin */
  ANY_FLAGS,          /* ignores flags */
  INCLUSIVE_AFTER,    /* lists the name to go on after once more */
  LISTS_BY_INDEX,     /* counts to its place in a list that changes */
  SHORT_LIST,         /* has room for a thousand names */
  ANY_NAME,           /* does not look at names */
  COPIES_AT_COMMIT,   /* writes the object under its name, piece by piece */
  COMMITS_LATER,      /* leaves the last commit to the next */
  IGNORES_FULL        /* does not look at what write says */
};
static const int wrong = WRONG;

enum { FILE_NAME_MAX = CB_STORE_NAME_MAX + 8, PATH_MAX_HERE = 4096, BLOCK = 4096 };

struct cb_instance {
  char* folder;
  pthread_mutex_t lock; /* guards what follows */
  unsigned long next;
  cb_put* begun; /* STATS_PUTS: the last put in the making */
  char later_from[PATH_MAX_HERE], later_to[PATH_MAX_HERE]; /* COMMITS_LATER */
};

struct cb_put {
  cb_instance* store;
  int fd;
  int failed;
  uint32_t flags;
  uint64_t length;
  char making[PATH_MAX_HERE];
  char final[PATH_MAX_HERE];
  char name[CB_STORE_NAME_MAX + 1];
};

struct cb_get {
  int fd;
  uint64_t at, end;
  char path[PATH_MAX_HERE];
};

struct cb_list {
  cb_instance* store;
  char** names;
  size_t count, next;
  char prefix[CB_STORE_NAME_MAX + 1], after[CB_STORE_NAME_MAX + 1];
};

static cb_status fail(cb_error* error, cb_status status, const char* message) {
  if (error != NULL) {
    error->status = status;
    error->flags = CB_ERROR_PERMANENT;
    strncpy(error->message, message, sizeof(error->message) - 1);
  }
  return status;
}

static cb_status fail_errno(cb_error* error) {
  const int why = errno;
  const cb_status status = why == ENOSPC || why == EDQUOT ? CB_E_NO_SPACE
                           : why == ENOENT                ? CB_E_NOT_FOUND
                           : why == EEXIST                ? CB_E_EXISTS
                           : why == ENOMEM                ? CB_E_NO_MEMORY
                                                          : CB_E_IO;
  fail(error, status, strerror(why));
  if (error != NULL) error->os_errno = why;
  return status;
}

/* --- names and files -------------------------------------------------------------------------- */

static int is_dots(const char* component, size_t len) {
  return (len == 1 || len == 2) && strncmp(component, "..", len) == 0;
}

/* Is `name` a name, or the start of one? */
static int is_name(const char* name, int start) {
  const char* component = name;
  const char* at = name;
  if (wrong == ANY_NAME) return 1;
  if (strlen(name) > CB_STORE_NAME_MAX) return 0;
  for (; *at != '\0'; ++at) {
    const size_t len = (size_t)(at - component);
    if (strchr("0123456789abcdefghijklmnopqrstuvwxyz._/-", *at) == NULL) return 0;
    if (*at != '/') continue;
    if (len == 0 || is_dots(component, len)) return 0;
    component = at + 1;
  }
  return start || (at > component && !is_dots(component, (size_t)(at - component)));
}

static void swap_bytes(char* text, char from, char to) {
  for (; *text != '\0'; ++text)
    if (*text == from) *text = to;
}

static void path_of(const cb_instance* store, const char* name, char* path) {
  const size_t len = strlen(store->folder) + 1;
  snprintf(path, PATH_MAX_HERE, "%s/%.250s", store->folder, name);
  swap_bytes(path + len, '/', ',');
}

/* Makes what happened in the folder durable. */
static int sync_folder(const cb_instance* store) {
  const int fd = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int came = fd < 0 ? -1 : fsync(fd);
  if (fd >= 0) close(fd);
  return came;
}

static int write_all(int fd, const char* data, size_t len) {
  while (len > 0) {
    const ssize_t n = write(fd, data, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return wrong == IGNORES_FULL ? 0 : -1;
    data += n;
    len -= (size_t)n;
  }
  return 0;
}

/* --- instance --------------------------------------------------------------------------------- */

/* Removes what processes that are no more left in the making. */
static void remove_leftovers(const cb_instance* store) {
  DIR* folder = opendir(store->folder);
  const struct dirent* entry;
  if (folder == NULL) return;
  while ((entry = readdir(folder)) != NULL) {
    char path[PATH_MAX_HERE];
    const long pid = entry->d_name[0] == '=' ? strtol(entry->d_name + 1, NULL, 10) : 0;
    if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH) continue;
    path_of(store, entry->d_name, path);
    unlink(path);
  }
  closedir(folder);
}

static cb_status create(const cb_host* host, const cb_config* config, cb_instance** out,
                        cb_error* error) {
  cb_instance* made = calloc(1, sizeof(*made));
  (void)host;
  if (made == NULL) return fail(error, CB_E_NO_MEMORY, "no memory for a store");
  made->folder = strdup(config->values[0].text);
  if (made->folder == NULL || (mkdir(made->folder, 0700) != 0 && errno != EEXIST)) {
    const cb_status status = fail_errno(error);
    free(made->folder);
    free(made);
    return status;
  }
  pthread_mutex_init(&made->lock, NULL);
  remove_leftovers(made);
  *out = made;
  return CB_OK;
}

/* COMMITS_LATER: does what the last commit left. */
static int commit_what_was_left(cb_instance* store) {
  if (store->later_from[0] == '\0') return 0;
  if (rename(store->later_from, store->later_to) != 0) return -1;
  store->later_from[0] = '\0';
  return sync_folder(store);
}

static void settle(cb_instance* store) {
  if (wrong != COMMITS_LATER) return;
  pthread_mutex_lock(&store->lock);
  (void)commit_what_was_left(store);
  pthread_mutex_unlock(&store->lock);
}

static void destroy(cb_instance* instance) {
  if (instance == NULL) return;
  settle(instance);
  pthread_mutex_destroy(&instance->lock);
  free(instance->folder);
  free(instance);
}

/* --- put -------------------------------------------------------------------------------------- */

static cb_status put_begin(cb_instance* instance, const char* name, uint64_t length_hint,
                           uint32_t flags, cb_put** out, cb_error* error) {
  cb_put* put;
  (void)length_hint;
  if (!is_name(name, 0)) return fail(error, CB_E_INVALID, "not a name");
  if ((flags & ~(uint32_t)CB_PUT_IF_ABSENT) != 0 && wrong != ANY_FLAGS)
    return fail(error, CB_E_UNSUPPORTED, "unknown flags");
  put = calloc(1, sizeof(*put));
  if (put == NULL) return fail(error, CB_E_NO_MEMORY, "no memory for a put");
  put->store = instance;
  put->flags = flags;
  strncpy(put->name, name, CB_STORE_NAME_MAX);
  path_of(instance, name, put->final);
  pthread_mutex_lock(&instance->lock);
  snprintf(put->making, PATH_MAX_HERE, "%s/=%ld-%lu", instance->folder, (long)getpid(),
           instance->next++);
  instance->begun = put;
  pthread_mutex_unlock(&instance->lock);
  put->fd = open(put->making, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (put->fd < 0 || (wrong == ABSENT_AT_BEGIN && (flags & CB_PUT_IF_ABSENT) != 0 &&
                      access(put->final, F_OK) == 0 && (errno = EEXIST) != 0)) {
    const cb_status status = fail_errno(error);
    if (put->fd >= 0) close(put->fd);
    unlink(put->making);
    free(put);
    return status;
  }
  *out = put;
  return CB_OK;
}

static cb_status put_write(cb_put* put, const void* data, size_t len, cb_error* error) {
  if (put->failed) return fail(error, CB_E_STATE, "a write failed before");
  if (write_all(put->fd, data, len) != 0) {
    put->failed = 1;
    return fail_errno(error);
  }
  put->length += len;
  return CB_OK;
}

static void forget(cb_put* put) {
  pthread_mutex_lock(&put->store->lock);
  if (put->store->begun == put) put->store->begun = NULL;
  pthread_mutex_unlock(&put->store->lock);
  if (put->fd >= 0) close(put->fd);
  free(put);
}

static void put_abort(cb_put* put) {
  if (put == NULL) return;
  if (wrong != LEAKS_PUTS) unlink(put->making);
  if (wrong == ABORTS_OLD) unlink(put->final);
  forget(put);
}

/* COPIES_AT_COMMIT: as programs do that know no rename. */
static int copy_to_final(const cb_put* put) {
  char some[BLOCK];
  ssize_t n;
  int came = -1;
  const int from = open(put->making, O_RDONLY | O_CLOEXEC);
  const int to = open(put->final, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (from >= 0 && to >= 0) {
    while ((n = read(from, some, sizeof(some))) > 0)
      if (write_all(to, some, (size_t)n) != 0) break;
    came = n == 0 ? fsync(to) : -1;
    if (came == 0) unlink(put->making);
  }
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  return came;
}

static int leave_for_later(cb_put* put) {
  int came;
  pthread_mutex_lock(&put->store->lock);
  came = commit_what_was_left(put->store);
  strcpy(put->store->later_from, put->making);
  strcpy(put->store->later_to, put->final);
  pthread_mutex_unlock(&put->store->lock);
  return came;
}

/* Makes the file what is to be the object. */
static int finish_file(const cb_put* put) {
  const int is_cut = wrong == LAST_BYTE && put->length > 0 && put->length % BLOCK == 0;
  if (is_cut && ftruncate(put->fd, (off_t)put->length - 1) != 0) return -1;
  return fsync(put->fd);
}

static int link_if_absent(const cb_put* put) {
  if (link(put->making, put->final) != 0) return -1;
  return unlink(put->making);
}

static int make_visible(cb_put* put) {
  const int asks = (put->flags & CB_PUT_IF_ABSENT) != 0 && wrong != ABSENT_AT_BEGIN;
  int came;
  if (wrong == NO_EMPTY && put->length == 0) return unlink(put->making);
  if (finish_file(put) != 0) return -1;
  if (wrong == COMMITS_LATER && !asks) return leave_for_later(put);
  came = asks                        ? link_if_absent(put)
         : wrong == COPIES_AT_COMMIT ? copy_to_final(put)
                                     : rename(put->making, put->final);
  return came != 0 ? -1 : sync_folder(put->store);
}

static cb_status put_commit(cb_put* put, cb_error* error) {
  cb_status status = CB_OK;
  if (put->failed)
    status = fail(error, CB_E_STATE, "a write failed before");
  else if (make_visible(put) != 0)
    status = fail_errno(error);
  if (status != CB_OK) unlink(put->making);
  forget(put);
  return status;
}

/* --- get -------------------------------------------------------------------------------------- */

static cb_status get_open(cb_instance* instance, const char* name, uint64_t offset, uint64_t length,
                          cb_get** out, cb_error* error) {
  struct stat info;
  cb_get* get;
  if (!is_name(name, 0)) return fail(error, CB_E_INVALID, "not a name");
  settle(instance);
  get = calloc(1, sizeof(*get));
  if (get == NULL) return fail(error, CB_E_NO_MEMORY, "no memory for a get");
  path_of(instance, name, get->path);
  get->fd = open(get->path, O_RDONLY | O_CLOEXEC);
  if (get->fd < 0 || fstat(get->fd, &info) != 0) {
    const cb_status status = fail_errno(error);
    if (get->fd >= 0) close(get->fd);
    free(get);
    return status;
  }
  get->at = offset;
  get->end = (uint64_t)info.st_size;
  if (offset > get->end || length > get->end - offset) {
    if (wrong == CLAMPED_RANGE) {
      length = 0;
      if (get->at > get->end) get->at = get->end;
    } else {
      close(get->fd);
      free(get);
      return fail(error, CB_E_LIMIT, "past the end");
    }
  }
  if (length != 0 && wrong != LONG_RANGE) get->end = offset + length;
  *out = get;
  return CB_OK;
}

static cb_status get_read(cb_get* get, void* buf, size_t cap, size_t* got, cb_error* error) {
  ssize_t n;
  if (cap == 0) return fail(error, CB_E_INVALID, "no room");
  if (get->at >= get->end) return CB_END;
  if (wrong == REOPENS) {
    close(get->fd);
    get->fd = open(get->path, O_RDONLY | O_CLOEXEC);
  }
  if (cap > get->end - get->at) cap = (size_t)(get->end - get->at);
  n = pread(get->fd, buf, cap, (off_t)get->at);
  if (n < 0) return fail_errno(error);
  if (n == 0) return fail(error, CB_E_CORRUPT, "shorter than it was");
  get->at += (uint64_t)n;
  *got = (size_t)n;
  return CB_OK;
}

static void get_close(cb_get* get) {
  if (get == NULL) return;
  if (get->fd >= 0) close(get->fd);
  free(get);
}

/* --- stat, remove and list -------------------------------------------------------------------- */

static cb_status describe(cb_instance* store, const char* name, cb_object* out, cb_error* error) {
  char path[PATH_MAX_HERE];
  struct stat info;
  path_of(store, name, path);
  if (stat(path, &info) != 0) return fail_errno(error);
  out->name_len = (uint32_t)strlen(name);
  out->length = (uint64_t)info.st_size;
  out->modified_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
  strcpy(out->name, name);
  return CB_OK;
}

static cb_status stat_object(cb_instance* instance, const char* name, cb_object* out,
                             cb_error* error) {
  if (!is_name(name, 0) || strlen(name) > CB_STORE_NAME_MAX)
    return fail(error, CB_E_INVALID, "not a name");
  settle(instance);
  if (wrong == STATS_PUTS) {
    int is_begun;
    pthread_mutex_lock(&instance->lock);
    is_begun = instance->begun != NULL && strcmp(instance->begun->name, name) == 0;
    pthread_mutex_unlock(&instance->lock);
    if (is_begun) {
      out->name_len = (uint32_t)strlen(name);
      strcpy(out->name, name);
      return CB_OK;
    }
  }
  return describe(instance, name, out, error);
}

static cb_status remove_object(cb_instance* instance, const char* name, cb_error* error) {
  char path[PATH_MAX_HERE];
  if (!is_name(name, 0)) return fail(error, CB_E_INVALID, "not a name");
  settle(instance);
  path_of(instance, name, path);
  if (unlink(path) != 0)
    return wrong == REMOVES_ALWAYS && errno == ENOENT ? CB_OK : fail_errno(error);
  return sync_folder(instance) == 0 ? CB_OK : fail_errno(error);
}

static int by_bytes(const void* a, const void* b) {
  return strcmp(*(char* const*)a, *(char* const*)b);
}

static void free_names(cb_list* list) {
  while (list->count > 0) free(list->names[--list->count]);
  free(list->names);
  list->names = NULL;
}

static int is_listed(const cb_list* list, const char* name) {
  const int place = strcmp(name, list->after);
  if (strncmp(name, list->prefix, strlen(list->prefix)) != 0) return 0;
  return wrong == INCLUSIVE_AFTER ? place >= 0 : place > 0;
}

static int add_name(cb_list* list, const char* name) {
  char** const longer = realloc(list->names, (list->count + 1) * sizeof(char*));
  if (longer == NULL) return -1;
  list->names = longer;
  list->names[list->count] = strdup(name);
  if (list->names[list->count] == NULL) return -1;
  ++list->count;
  return 0;
}

/* Reads the names that are there now, in order. */
static int read_names(cb_list* list) {
  DIR* folder = opendir(list->store->folder);
  const struct dirent* entry;
  int came = folder == NULL ? -1 : 0;
  while (came == 0 && (entry = readdir(folder)) != NULL) {
    char name[FILE_NAME_MAX + 1];
    const size_t len = strlen(entry->d_name);
    if (entry->d_name[0] == '=' || is_dots(entry->d_name, len) || len > CB_STORE_NAME_MAX) continue;
    memcpy(name, entry->d_name, len + 1);
    swap_bytes(name, ',', '/');
    if (!is_listed(list, name)) continue;
    if (wrong == SHORT_LIST && list->count == 1000) break;
    came = add_name(list, name);
  }
  if (folder != NULL) closedir(folder);
  if (list->count > 1) qsort(list->names, list->count, sizeof(char*), by_bytes);
  return came;
}

static void list_close(cb_list* list) {
  if (list == NULL) return;
  free_names(list);
  free(list);
}

static cb_status list_open(cb_instance* instance, const char* prefix, const char* after,
                           cb_list** out, cb_error* error) {
  cb_list* list;
  if (!is_name(prefix, 1) || !is_name(after, 1)) return fail(error, CB_E_INVALID, "not a start");
  settle(instance);
  list = calloc(1, sizeof(*list));
  if (list == NULL) return fail(error, CB_E_NO_MEMORY, "no memory for a list");
  list->store = instance;
  strncpy(list->prefix, prefix, CB_STORE_NAME_MAX);
  strncpy(list->after, after, CB_STORE_NAME_MAX);
  if (read_names(list) != 0) {
    const cb_status status = fail_errno(error);
    list_close(list);
    return status;
  }
  *out = list;
  return CB_OK;
}

static cb_status list_next(cb_list* list, cb_object* out, cb_error* error) {
  if (wrong == LISTS_BY_INDEX) {
    free_names(list);
    if (read_names(list) != 0) return fail_errno(error);
  }
  while (list->next < list->count) {
    const cb_status status = describe(list->store, list->names[list->next++], out, error);
    if (status != CB_E_NOT_FOUND) return status; /* else it went meanwhile */
  }
  return CB_END;
}

/* --- descriptor and entry --------------------------------------------------------------------- */

static const cb_option OPTIONS[] = {
    {"path", "Folder of the objects.", NULL, NULL, 0, 0, CB_OPTION_PATH, CB_OPTION_REQUIRED}};

static const cb_store_ops OPS = {
    sizeof(cb_store_ops), 0,         stat_object, put_begin,  put_write,
    put_commit,           put_abort, get_open,    get_read,   get_close,
    remove_object,        list_open, list_next,   list_close, NULL};

static const cb_descriptor DESCRIPTOR = {
    .size = sizeof(cb_descriptor),
    .id = PLUGIN_ID,
    .interface_id = CB_STORE_INTERFACE,
    .version = "1.0.0",
    .vendor = "CyberBackup",
    .license = "Apache-2.0",
    .summary = "A store in one folder, for tests.",
    .status = "wip",
    .posture = "trusted-peer",
    .capabilities = CB_STORE_DURABLE | CB_STORE_ATOMIC_REPLACE | CB_STORE_LIST_AFTER |
                    (WRONG == PART_WITHOUT_RANGE ? 0 : CB_STORE_RANGE),
    .options = OPTIONS,
    .option_size = sizeof(cb_option),
    .option_count = 1,
    .ops = &OPS,
    .create = create,
    .destroy = destroy,
};

static const cb_descriptor* const DESCRIPTORS[] = {&DESCRIPTOR};

static const cb_descriptor* const* descriptors(uint32_t* count) {
  *count = 1;
  return DESCRIPTORS;
}

CB_EXPORT_ENTRY const cb_entry cb_plugin_entry_v1 = {
    .magic = CB_ENTRY_MAGIC,
    .size = sizeof(cb_entry),
    .abi_minor = CB_ABI_MINOR,
    .descriptors = descriptors,
};
