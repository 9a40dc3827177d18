/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the plugin ABI that all interfaces share: status codes, errors, options, the host's
 * services, descriptors and the entry point.
 *
 * Conventions (they hold for every header of this SDK)
 *
 *  1. Plain C89 with <stdint.h> and <stddef.h>. Fixed-width integers, size_t, pointers, char
 * arrays. Text is UTF-8 that ends with a zero byte. No pointer is null unless its comment says so;
 * a buffer may be null when its length is 0. The buffers of one call do not overlap.
 *  2. A growable struct begins with `uint32_t size`. What one side makes and the other reads
 * (entry, descriptor, tables, configuration, endpoint) has the size that its maker was built with;
 * a reader touches a member only if it lies inside that size: CB_HAS asks this of pointers and
 * functions, CB_HAS_FIELD of numbers. What a caller owns and a callee fills (cb_error, cb_object,
 * cb_space, cb_crypto_props, cb_flow) has the size that the caller was built with; the caller sets
 * it before every call and zeroes what it does not fill itself (of text, the first byte). The
 * callee writes members inside that size only, and never `size`. Members of 1.0 are always inside.
 * Members are only ever appended; one that is appended to what a callee fills means "not told" when
 * it is zero. `reserved` is 0 and is not read.
 *  3. Nothing allocated on one side is freed on the other. Bytes go out through (out, cap, *len).
 * When they do not fit, the call does nothing else, sets *len to the need and returns
 * CB_E_TOO_SMALL. The caller sets lengths to 0 and handles to null before a call, and the callee
 * writes them when it succeeds. After a failure the bytes of `out` are undefined unless the
 * function says more.
 *  4. Arguments are borrowed for the call. Text in a descriptor lives as long as the module.
 *  5. A handle is made and ended by the plugin. An ender accepts null and cannot fail. All handles
 * of an instance end before it does. Apart from that one handle does not need another: a seal may
 * outlive the key it was made of, an accepted stream its listener.
 *  6. No exception crosses the line, in either direction.
 *  7. Each function names its thread rule. On one handle there is one call at a time, unless the
 * header of the interface allows more; different handles, and functions that take the instance, may
 * run in parallel.
 *       [setup]     one thread, nothing else of this module is running
 *       [io]        on the strand of that one stream; must not block
 *       [blocking]  on a worker; may block
 *       [any]       on any thread, also beside all others; may compute, but does not wait for
 *                   disk, network or people
 *  8. A plugin does not touch signals, locale, umask, the working folder or the environment; it
 * does not exit, fork, print, or keep threads (unless it declares CB_OWN_THREADS). Files it opens
 * are close-on-exec.
 *  9. After "Errors:" a function names the statuses that mean something special there. Any function
 * with a status may also return CB_E_INVALID (the caller broke a rule of the header) and what else
 * fits, but CB_E_NOT_FOUND, CB_E_EXISTS, CB_E_AUTH, CB_E_TOO_SMALL, CB_E_CLOSED and a positive
 * status come only from functions that name them; init, check, create, listen and reload may return
 * any failure. A bit that the callee does not know in the flags of a call is CB_E_UNSUPPORTED: it
 * is never ignored.
 * 10. Of what a plugin says of itself, a host passes over what it does not know: bits of
 * capabilities and of the flags of a descriptor, option or error, and whole descriptors of an
 * interface that it does not have. A plugin that cannot live with that raises needs_minor.
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
 * CB_HAS_FIELD(p, type, member): does the member lie inside the size of the struct that p points
 * to? This is the question for numbers and arrays, where zero is a value like any other.
 */
#define CB_HAS_FIELD(p, type, member) ((p)->size >= offsetof(type, member) + sizeof((p)->member))

/*
 * CB_HAS(p, type, member): the struct that p points to was filled by somebody who knew this pointer
 * or function member, and it is not null.
 */
#define CB_HAS(p, type, member) (CB_HAS_FIELD(p, type, member) && (p)->member != 0)

/* --- status -------------------------------------------------------------------------------------
 */

/* What every fallible function returns: 0 done, positive "not an error", negative a failure. */
typedef int32_t cb_status;

/* The statuses. The list is closed within a major, and no number ever changes. */
enum {
  CB_OK = 0, /* done */

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
enum {
  CB_ERROR_RETRY = 1,    /* the same call may succeed later */
  CB_ERROR_PERMANENT = 2 /* the same call will always fail */
};

/*
 * Details of a failure, owned by the caller, last parameter, may be null. The caller sets `size`
 * and zeroes the other members and the first byte of `message`. Functions whose status says all
 * there is to say (props, bound, info) have no such parameter.
 */
typedef struct cb_error {
  uint32_t size;     /* of this struct, set by the caller */
  cb_status status;  /* the status that the function returns */
  int32_t os_errno;  /* errno of the failed system call, or 0 */
  uint32_t flags;    /* CB_ERROR_RETRY or CB_ERROR_PERMANENT, or 0 */
  char message[496]; /* one line of UTF-8 without newline or secrets; names the object (path, peer),
                        not the function */
} cb_error;

/* --- options ------------------------------------------------------------------------------------
 */

/* Types of options and values. */
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

/* Flags of options. */
enum {
  CB_OPTION_REQUIRED = 1,  /* must be written: there is no default */
  CB_OPTION_ADVANCED = 2,  /* few people need it; manuals list it last */
  CB_OPTION_DEPRECATED = 4 /* still works; `help` says what replaces it */
};

/* One option of a plugin. Defaults live here and nowhere else. An array of these has the stride
 * option_size of its descriptor. */
typedef struct cb_option {
  const char* key;     /* name in the file: [a-z][a-z0-9_]{0,31} */
  const char* help;    /* one sentence */
  const char* def;     /* as it would be written in the file, or null for none; a relative PATH
                          counts from the folder of the configuration file */
  const char* choices; /* "fast|best" for ENUM, else null */
  int64_t min;         /* least number, or length of text in bytes; both bounds hold if min < max */
  int64_t max;         /* greatest number, or length of text in bytes */
  uint32_t type;       /* one of CB_OPTION_BOOL ... CB_OPTION_LIST */
  uint32_t flags;      /* CB_OPTION_REQUIRED ... CB_OPTION_DEPRECATED, or 0 */
} cb_option;

/* The value of one option. An array of these has the stride value_size of its cb_config. */
typedef struct cb_value {
  uint32_t type;    /* of the option */
  uint32_t is_set;  /* 0: neither written nor defaulted; then the rest is 0 and null */
  int64_t number;   /* what the option's type says, else 0 */
  const char* text; /* ends with a zero byte that `length` does not count; null when not text */
  size_t length;    /* of `text` in bytes */
} cb_value;

/* Values in the order of the descriptor's options, parsed, defaulted and checked by the host. Made
 * by the host, valid for the call. */
typedef struct cb_config {
  uint32_t size;          /* of this struct, set by the host */
  uint32_t value_size;    /* stride of `values` in bytes */
  uint32_t count;         /* of values: that of the descriptor's options */
  uint32_t reserved;      /* 0 */
  const cb_value* values; /* the first of them; null when there are none */
} cb_config;

/* --- host services ------------------------------------------------------------------------------
 */

/* Levels of log lines. The host takes another number for the nearest of these. */
enum {
  CB_LOG_TRACE = 0, /* every step, for the plugin's author */
  CB_LOG_DEBUG = 1, /* what helps to find a fault */
  CB_LOG_INFO = 2,  /* what an operator may like to know */
  CB_LOG_WARN = 3,  /* what an operator should look at */
  CB_LOG_ERROR = 4  /* what does not work */
};

/*
 * What the host offers. `ctx` belongs to one instance (or to the module, inside init), so lines and
 * cancellation are attributed to it. The table lives until destroy (or deinit) returns.
 */
typedef struct cb_host {
  uint32_t size;       /* of this struct, set by the host */
  uint32_t abi_minor;  /* minor of the headers the host was built with */
  void* ctx;           /* first argument of the functions below */
  const char* name;    /* of the host program */
  const char* version; /* of the host program */

  /* Writes one line of finished UTF-8 text of `len` bytes, without newline and secrets. [any] */
  void (*log)(void* ctx, int32_t level, const char* text, size_t len);

  /* Fills `out` with `len` bytes fit for keys. On failure nothing may be assumed of `out`. [any] */
  cb_status (*random)(void* ctx, void* out, size_t len);

  /* Nanoseconds of a clock that never goes back; its zero means nothing. [any] */
  uint64_t (*monotonic_ns)(void* ctx);

  /* 1 when the work at hand should stop soon with CB_E_CANCELLED, else 0. A call that
     may block asks now and then while it waits, so that nothing keeps a host from ending. [any] */
  int32_t (*cancelled)(void* ctx);

  /* A further table by id ("cb.store.lower/1"), or null when there is none. It lives as long as
     this table. [any] */
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
  uint32_t size;            /* of this struct, set by the plugin */
  uint32_t flags;           /* CB_OWN_THREADS or 0 */
  const char* id;           /* [a-z0-9-]{1,32}, unique in a host */
  const char* interface_id; /* "cb.store/1": what `ops` is */
  const char* version;      /* of the plugin */
  const char* vendor;       /* who made it */
  const char* license;      /* SPDX expression */
  const char* summary;      /* one sentence */
  const char* status;       /* "wip", "alpha" or "stable" */
  const char* posture;      /* "untrusted-peer" or "trusted-peer" */
  uint64_t capabilities;    /* bits of the interface's header */
  const cb_option* options; /* the first of them; null when there are none */
  uint32_t option_size;     /* stride of `options` in bytes */
  uint32_t option_count;    /* of options */
  const void* ops;          /* the table that interface_id names */

  /* Checks rules across options, without side effects. May be null. Errors: CB_E_INVALID when a
     rule is broken. [setup] */
  cb_status (*check)(const cb_config* config, cb_error* error);

  /* Makes an instance into *out. It may log; it may read and prepare what its options name; it may
     not start work of its own. [setup] */
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
  uint32_t magic;       /* CB_ENTRY_MAGIC */
  uint32_t size;        /* of this struct, set by the plugin */
  uint32_t abi_minor;   /* minor of the headers this was built with */
  uint32_t needs_minor; /* lowest host minor this can run on */

  /* Prepares the module. `module_dir` is the folder of its file. Calls come in matched pairs with
     deinit, perhaps more than one pair. May be null. [setup] */
  cb_status (*init)(const cb_host* host, const char* module_dir, cb_error* error);

  /* Undoes init. Not called when init failed. May be null. [setup] */
  void (*deinit)(void);

  /* The descriptors of this module: *count pointers, the same at each call, that live as long as
     the module. No two have one id, unless they are for different revisions of an interface: of
     those the host takes the newest it knows. [setup] */
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
