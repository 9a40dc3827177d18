/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cb.crypto/1: a key encapsulation mechanism (KEM), key wrap, sealed streams and keyed ids.
 *
 * There are no sockets and no nonces in this interface. A sealed object is
 *
 *     header || chunk 0 || ... || chunk k
 *
 * Every chunk but the last holds exactly props.chunk_plain bytes of plaintext; the last holds 0 to
 * chunk_plain. Each chunk carries its own tag (unless the suite is UNAUTHENTICATED); the chunk's
 * index and whether it is the last are authenticated, so truncation, reordering and splicing are
 * noticed and plaintext leaves only after its tag verified. The plugin draws a random header for
 * each object, derives the object's key from the key in hand and that header, and counts nonces
 * from 0.
 *
 * After CB_E_AUTH the output is wiped and the handle is only good for its ender. Instance-level
 * functions may run in parallel; one handle is used by one thread at a time, but a key may serve
 * several threads.
 */
#ifndef CYBERBACKUP_CRYPTO_H
#define CYBERBACKUP_CRYPTO_H

#include "cyberbackup/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CB_CRYPTO_INTERFACE "cb.crypto/1"

/* Capabilities; each stands for a whole set of functions. */
#define CB_CRYPTO_KEM ((uint64_t)1)             /* pair_*, encapsulate, decapsulate */
#define CB_CRYPTO_STREAM ((uint64_t)2)          /* seal_*, open_* */
#define CB_CRYPTO_KEYED_ID ((uint64_t)4)        /* keyed_id */
#define CB_CRYPTO_UNAUTHENTICATED ((uint64_t)8) /* chunks carry no tag: protocol v3 only */
#define CB_CRYPTO_KEY_WRAP ((uint64_t)16)       /* key_wrap, key_unwrap, key_derive */

#define CB_KEYED_ID_SIZE 32

typedef struct cb_key cb_key;   /* a symmetric key */
typedef struct cb_pair cb_pair; /* a key pair, or its public half alone */
typedef struct cb_seal cb_seal; /* one object being sealed */
typedef struct cb_open cb_open; /* one object being opened */

/* Sizes in bytes; constant for the life of an instance. */
typedef struct cb_crypto_props {
  uint32_t size;
  uint32_t chunk_plain;    /* plaintext in every chunk but the last */
  uint32_t chunk_overhead; /* most that sealing adds to a chunk */
  uint32_t header_size;    /* exactly, may be 0 */
  uint32_t key_size;       /* of a symmetric key */
  uint32_t public_max;
  uint32_t private_max;
  uint32_t kem_cipher_max;
  uint32_t wrap_max; /* of a wrapped key */
  uint32_t reserved;
  uint64_t max_chunks; /* in one object */
} cb_crypto_props;

typedef struct cb_crypto_ops {
  uint32_t size;
  uint32_t reserved;

  /* Fills *out, whose size the caller has set. [any] */
  cb_status (*props)(cb_instance* instance, cb_crypto_props* out);

  /* Makes a new pair. [blocking] */
  cb_status (*pair_new)(cb_instance* instance, cb_pair** out, cb_error* error);

  /* Reads a pair from its private form. CB_E_CORRUPT when malformed, CB_E_UNSUPPORTED when it is of
     another algorithm or size. [blocking] */
  cb_status (*pair_import_private)(cb_instance* instance, const void* raw, size_t len,
                                   cb_pair** out, cb_error* error);

  /* Reads a public half; errors as above. [blocking] */
  cb_status (*pair_import_public)(cb_instance* instance, const void* raw, size_t len, cb_pair** out,
                                  cb_error* error);

  /* Writes the public half. [blocking] */
  cb_status (*pair_public)(cb_pair* pair, void* out, size_t cap, size_t* len, cb_error* error);

  /* Writes the private form; CB_E_STATE when only the public half is there. [blocking] */
  cb_status (*pair_private)(cb_pair* pair, void* out, size_t cap, size_t* len, cb_error* error);

  /* Ends and wipes a pair; accepts null. [any] */
  void (*pair_free)(cb_pair* pair);

  /* Makes a fresh key and its encapsulation for the owner of `pair`. `context` is bound into the
     key (a suite that cannot bind one takes only an empty context). [blocking] */
  cb_status (*encapsulate)(cb_pair* pair, const void* context, size_t context_len, void* cipher,
                           size_t cap, size_t* len, cb_key** key, cb_error* error);

  /* Recovers the key. CB_E_AUTH when the suite can tell that it is the wrong pair, context or
     cipher; otherwise another key comes out, whose seals do not open. [blocking] */
  cb_status (*decapsulate)(cb_pair* pair, const void* context, size_t context_len,
                           const void* cipher, size_t cipher_len, cb_key** key, cb_error* error);

  /* Makes a key of raw bytes: props.key_size of them (a suite may allow further sizes). [any] */
  cb_status (*key_import)(cb_instance* instance, const void* raw, size_t len, cb_key** key,
                          cb_error* error);

  /* Derives a key from a key, a label (text) and a context. Same inputs, same key. [any] */
  cb_status (*key_derive)(cb_key* key, const char* label, const void* context, size_t context_len,
                          cb_key** out, cb_error* error);

  /* Ends and wipes a key; accepts null. [any] */
  void (*key_free)(cb_key* key);

  /* Puts `key` under `wrapping`. [any] */
  cb_status (*key_wrap)(cb_key* wrapping, cb_key* key, void* out, size_t cap, size_t* len,
                        cb_error* error);

  /* Takes a key from under `wrapping`; CB_E_AUTH when it does not verify. [any] */
  cb_status (*key_unwrap)(cb_key* wrapping, const void* wrapped, size_t len, cb_key** key,
                          cb_error* error);

  /* Writes the CB_KEYED_ID_SIZE bytes that name `data` under `key`. [any] */
  cb_status (*keyed_id)(cb_key* key, const void* data, size_t len, void* out, cb_error* error);

  /* Begins an object; `aad` is bound into every chunk. Writes the header. [any] */
  cb_status (*seal_begin)(cb_key* key, const void* aad, size_t aad_len, void* header, size_t cap,
                          size_t* len, cb_seal** out, cb_error* error);

  /* Seals the next chunk: exactly chunk_plain bytes, or 0..chunk_plain with last = 1, after which
     the handle is spent. `out` needs len + chunk_overhead bytes. CB_E_LIMIT past max_chunks. [any]
   */
  cb_status (*seal_chunk)(cb_seal* seal, const void* plain, size_t len, int32_t last, void* out,
                          size_t cap, size_t* out_len, cb_error* error);

  /* Ends a seal; accepts null. [any] */
  void (*seal_free)(cb_seal* seal);

  /* Begins to open an object. CB_E_UNSUPPORTED when the header names another suite. [any] */
  cb_status (*open_begin)(cb_key* key, const void* aad, size_t aad_len, const void* header,
                          size_t header_len, cb_open** out, cb_error* error);

  /* Opens chunk `index`. Any order, unless the suite is UNAUTHENTICATED: that may answer CB_E_STATE
     to an index out of turn. `out` needs `len` bytes. CB_E_AUTH when it does not verify;
     CB_E_CORRUPT when an unauthenticated suite finds bad padding. [any] */
  cb_status (*open_chunk)(cb_open* open, uint64_t index, int32_t last, const void* sealed,
                          size_t len, void* out, size_t cap, size_t* out_len, cb_error* error);

  /* Ends an open; accepts null. [any] */
  void (*open_free)(cb_open* open);
} cb_crypto_ops;

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_CRYPTO_H */
