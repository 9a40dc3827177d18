/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the plugin ABI that all interfaces share: status codes, errors, options, the host's
 * services, descriptors and the entry point.
 *
 * Conventions (they hold for every header of this SDK)
 *
 *  1. Plain C89 with <stdint.h> and <stddef.h>. Fixed-width integers, size_t, pointers, char
 * arrays.
 *  2. A growable struct begins with `uint32_t size`, set by whoever fills it. A reader touches a
 * member only if CB_HAS says that it lies inside that size. Members are only ever appended.
 *  3. Nothing allocated on one side is freed on the other. Bytes go out through (out, cap, *len).
 * When they do not fit, the call changes nothing, sets *len to the need and returns CB_E_TOO_SMALL.
 *  4. Arguments are borrowed for the call. Text in a descriptor lives as long as the module.
 *  5. A handle is made and ended by the plugin. An ender accepts null and cannot fail.
 *  6. No exception crosses the line, in either direction.
 *  7. Each function names its thread rule:
 *       [setup]     one thread, nothing else of this module is running
 *       [io]        on the strand of that one stream; must not block
 *       [blocking]  on a worker; may block; one thread at a time per handle
 *       [any]       thread-safe, any time between create and destroy
 *  8. A plugin does not touch signals, locale, umask, the working folder or the environment; it
 * does not exit, fork, print, or keep threads (unless it declares CB_OWN_THREADS). Files it opens
 * are close-on-exec.
 */
#ifndef CYBERBACKUP_BASE_H
#define CYBERBACKUP_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "cyberbackup/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * CB_HAS(p, type, member): the struct that p points to was filled by somebody who knew this pointer
 * or function member, and it is not null.
 */
#define CB_HAS(p, type, member) \
  ((p)->size >= offsetof(type, member) + sizeof((p)->member) && (p)->member != 0)

/* --- status -------------------------------------------------------------------------------------
 */

/* What every fallible function returns: 0 done, positive "not an error", negative a failure. */
typedef int32_t cb_status;

enum {
  CB_OK = 0,

  CB_WANT_READ = 1,  /* nothing moved: wait until fd() is readable, then call again */
  CB_WANT_WRITE = 2, /* nothing moved: wait until fd() is writable, then call again */
  CB_END = 3,        /* a clean end: no more bytes, no more entries */
  CB_MORE = 4,       /* there is more to come: call again with more room */

  CB_E_INVALID = -1,     /* an argument or option is wrong */
  CB_E_NOT_FOUND = -2,   /* the named thing does not exist */
  CB_E_EXISTS = -3,      /* the named thing exists already */
  CB_E_DENIED = -4,      /* not permitted */
  CB_E_IO = -5,          /* the system failed to move the bytes */
  CB_E_NO_SPACE = -6,    /* no room on the device, or over quota */
  CB_E_CORRUPT = -7,     /* malformed data */
  CB_E_AUTH = -8,        /* a tag or an identity did not verify */
  CB_E_UNSUPPORTED = -9, /* not offered by this implementation */
  CB_E_TIMEOUT = -10,    /* took too long */
  CB_E_CANCELLED = -11,  /* stopped on request */
  CB_E_NO_MEMORY = -12,  /* allocation failed */
  CB_E_BUSY = -13,       /* in use by somebody else */
  CB_E_LIMIT = -14,      /* beyond a stated limit or range */
  CB_E_TOO_SMALL = -15,  /* the output does not fit; *len holds the need */
  CB_E_CLOSED = -16,     /* the peer is gone, or the stream was cut */
  CB_E_STATE = -17,      /* not now: the handle is in the wrong state */
  CB_E_INTERNAL = -18    /* a fault in the callee */
};

/* Flags of cb_error. Neither set: unknown. The plugin knows whether a retry can help; the host
 * waits. */
enum { CB_ERROR_RETRY = 1, CB_ERROR_PERMANENT = 2 };

/*
 * Details of a failure, owned by the caller, last parameter, may be null. `message` is one line of
 * UTF-8 without newline or secrets; it names the object (path, peer), not the function.
 */
typedef struct cb_error {
  uint32_t size;
  cb_status status;
  int32_t os_errno; /* errno of the failed system call, or 0 */
  uint32_t flags;
  char message[496];
} cb_error;

/* --- options ------------------------------------------------------------------------------------
 */

enum {
  CB_OPTION_BOOL = 1,     /* value.number is 0 or 1 */
  CB_OPTION_INT = 2,      /* value.number */
  CB_OPTION_SIZE = 3,     /* value.number in bytes; written as 64MiB */
  CB_OPTION_DURATION = 4, /* value.number in nanoseconds; written as 30s */
  CB_OPTION_STRING = 5,   /* value.text */
  CB_OPTION_PATH = 6,     /* value.text, absolute */
  CB_OPTION_ENUM = 7,     /* value.text is one of `choices`, value.number its index */
  CB_OPTION_SECRET = 8,   /* value.text; the host wipes its copy after create */
  CB_OPTION_LIST = 9      /* value.text: strings, each followed by a zero byte; length counts all */
};

enum {
  CB_OPTION_REQUIRED = 1,
  CB_OPTION_RELOADABLE = 2,
  CB_OPTION_ADVANCED = 4,
  CB_OPTION_DEPRECATED = 8
};

/*
 * One option of a plugin. Defaults live here and nowhere else. `min` and `max` bound numbers (and
 * the length of text) when min < max. In `def`, PATH may be relative: the host makes it absolute
 * against the folder of the configuration file.
 */
typedef struct cb_option {
  const char* key;     /* [a-z][a-z0-9_]{0,31} */
  const char* help;    /* one sentence */
  const char* def;     /* as it would be written in the file, or null for none */
  const char* choices; /* "fast|best" for ENUM, else null */
  int64_t min;
  int64_t max;
  uint32_t type;
  uint32_t flags;
} cb_option;

/* The value of one option. */
typedef struct cb_value {
  uint32_t type;
  uint32_t is_set; /* 0: neither written nor defaulted */
  int64_t number;
  const char* text; /* ends with a zero byte that `length` does not count; null when not text */
  size_t length;
} cb_value;

/* Values in the order of the descriptor's options, parsed, defaulted and checked by the host. */
typedef struct cb_config {
  uint32_t size;
  uint32_t value_size; /* stride of `values` */
  uint32_t count;
  uint32_t reserved;
  const cb_value* values;
} cb_config;

/* --- host services ------------------------------------------------------------------------------
 */

enum { CB_LOG_TRACE = 0, CB_LOG_DEBUG = 1, CB_LOG_INFO = 2, CB_LOG_WARN = 3, CB_LOG_ERROR = 4 };

/*
 * What the host offers. `ctx` belongs to one instance (or to the module, inside init), so lines and
 * cancellation are attributed to it. The table lives until destroy (or deinit) returns.
 */
typedef struct cb_host {
  uint32_t size;
  uint32_t abi_minor; /* of the host */
  void* ctx;
  const char* name;    /* of the host program */
  const char* version; /* of the host program */

  /* Writes one line of finished UTF-8 text, without newline and secrets. [any] */
  void (*log)(void* ctx, int32_t level, const char* text, size_t len);

  /* Fills `out` with `len` bytes fit for keys. On failure nothing may be assumed of `out`. [any] */
  cb_status (*random)(void* ctx, void* out, size_t len);

  /* Nanoseconds of a clock that never goes back; its zero means nothing. [any] */
  uint64_t (*monotonic_ns)(void* ctx);

  /* 1 when the work at hand should stop soon with CB_E_CANCELLED, else 0. [any] */
  int32_t (*cancelled)(void* ctx);

  /* A further table by id ("cb.store.lower/1"), or null when there is none. [any] */
  const void* (*service)(void* ctx, const char* id);
} cb_host;

/* --- descriptor and entry -----------------------------------------------------------------------
 */

/* What `create` makes: one configured plugin. Incomplete for the host. */
typedef struct cb_instance cb_instance;

/* Flags of a descriptor. */
enum { CB_OWN_THREADS = 1 /* keeps threads, joined in destroy */ };

/* Identity, interface, options and constructor. Plain data but for the last four members. */
typedef struct cb_descriptor {
  uint32_t size;
  uint32_t flags;
  const char* id;           /* [a-z0-9-]{1,32}, unique in a host */
  const char* interface_id; /* "cb.store/1" */
  const char* version;      /* of the plugin */
  const char* vendor;
  const char* license;   /* SPDX expression */
  const char* summary;   /* one sentence */
  const char* status;    /* "wip", "alpha" or "stable" */
  const char* posture;   /* "untrusted-peer" or "trusted-peer" */
  uint64_t capabilities; /* bits of the interface's header */
  const cb_option* options;
  uint32_t option_size; /* stride of `options` */
  uint32_t option_count;
  const void* ops; /* the table that interface_id names */

  /* Rules across options. No side effects. CB_OK or CB_E_INVALID. May be null. [setup] */
  cb_status (*check)(const cb_config* config, cb_error* error);

  /* Makes an instance into *out, which stays null on failure. May log, may not start work. [setup]
   */
  cb_status (*create)(const cb_host* host, const cb_config* config, cb_instance** out,
                      cb_error* error);

  /* Ends an instance; all its handles have been ended before. Accepts null. [setup] */
  void (*destroy)(cb_instance* instance);

  /* A table by id for what most plugins do not have; null for any id that is not known exactly. May
     itself be null. The table lives as long as the instance. [any] */
  const void* (*extension)(cb_instance* instance, const char* id);
} cb_descriptor;

/* cb_entry.magic: the bytes 'C','B','P','1' in memory (little-endian machines only). */
#define CB_ENTRY_MAGIC 0x31504243u

/*
 * The one exported object, named cb_plugin_entry_v1. The host reads it in this order, and refuses
 * with both values: magic, size, needs_minor <= host minor; then calls init.
 */
typedef struct cb_entry {
  uint32_t magic;
  uint32_t size;
  uint32_t abi_minor;   /* minor of the headers this was built with */
  uint32_t needs_minor; /* lowest host minor this can run on */

  /* Prepares the module. `module_dir` is the folder of its file. Calls come in matched pairs with
     deinit, perhaps more than one pair. May be null. [setup] */
  cb_status (*init)(const cb_host* host, const char* module_dir, cb_error* error);

  /* Undoes init. May be null. [setup] */
  void (*deinit)(void);

  /* The descriptors of this module: *count pointers that live as long as the module. [setup] */
  const cb_descriptor* const* (*descriptors)(uint32_t* count);
} cb_entry;

/* Marks the exported entry object: CB_EXPORT_ENTRY const cb_entry cb_plugin_entry_v1 = { ... }; */
#if defined(__cplusplus)
#define CB_EXPORT_ENTRY extern "C" __attribute__((visibility("default")))
#else
#define CB_EXPORT_ENTRY __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_BASE_H */
