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
 * Input and output of one call never overlap, not even exactly: a chunk is not sealed or opened in
 * place. After CB_E_AUTH the output is wiped and the handle is only good for its ender. Functions
 * that take the instance may run in parallel, and a key or pair may serve several threads; a seal
 * or open is used by one thread at a time. A seal, open or key outlives what it was made of.
 */
#ifndef CYBERBACKUP_CRYPTO_H
#define CYBERBACKUP_CRYPTO_H

#include "cyberbackup/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The interface_id of a suite's descriptor; its ops are a cb_crypto_ops. */
#define CB_CRYPTO_INTERFACE "cb.crypto/1"

/* Capability: pair_*, encapsulate and decapsulate are there. */
#define CB_CRYPTO_KEM ((uint64_t)1)
/* Capability: seal_* and open_* are there. */
#define CB_CRYPTO_STREAM ((uint64_t)2)
/* Capability: keyed_id is there. */
#define CB_CRYPTO_KEYED_ID ((uint64_t)4)
/* Capability of a kind: chunks carry no tag. For protocol v3 only. */
#define CB_CRYPTO_UNAUTHENTICATED ((uint64_t)8)
/* Capability: key_wrap and key_unwrap are there. */
#define CB_CRYPTO_KEY_WRAP ((uint64_t)16)
/* Capability: key_derive is there. */
#define CB_CRYPTO_KEY_DERIVE ((uint64_t)32)

/* Bytes of a keyed id. */
#define CB_KEYED_ID_SIZE 32

/* A symmetric key; key_free ends it. */
typedef struct cb_key cb_key;
/* A key pair, or its public half alone; pair_free ends it. */
typedef struct cb_pair cb_pair;
/* One object being sealed: seal_begin makes it, seal_free ends it. */
typedef struct cb_seal cb_seal;
/* One object being opened: open_begin makes it, open_free ends it. */
typedef struct cb_open cb_open;

/* Sizes of a suite in bytes; constant for the life of an instance. Owned by the caller. */
typedef struct cb_crypto_props {
  uint32_t size;           /* of this struct, set by the caller */
  uint32_t chunk_plain;    /* plaintext in every chunk but the last */
  uint32_t chunk_overhead; /* most that sealing adds to a chunk */
  uint32_t header_size;    /* of an object's header, exactly; may be 0 */
  uint32_t key_size;       /* of a symmetric key */
  uint32_t public_max;     /* most that pair_public writes */
  uint32_t private_max;    /* most that pair_private writes */
  uint32_t kem_cipher_max; /* most that encapsulate writes */
  uint32_t wrap_max;       /* most that key_wrap writes; 0 without KEY_WRAP */
  uint32_t reserved;       /* 0 */
  uint64_t max_chunks;     /* in one object */
} cb_crypto_props;

/* The functions of a suite. */
typedef struct cb_crypto_ops {
  uint32_t size;     /* of this struct, set by the plugin */
  uint32_t reserved; /* 0 */

  /* Tells the sizes of this suite. [any] */
  cb_status (*props)(cb_instance* instance, cb_crypto_props* out);

  /* Makes a new pair into *out. KEM only. [blocking] */
  cb_status (*pair_new)(cb_instance* instance, cb_pair** out, cb_error* error);

  /* Reads a pair from its private form into *out. KEM only. Errors: CB_E_CORRUPT when malformed;
     CB_E_UNSUPPORTED when it is of another algorithm or size. [blocking] */
  cb_status (*pair_import_private)(cb_instance* instance, const void* raw, size_t len,
                                   cb_pair** out, cb_error* error);

  /* Reads a public half into *out. KEM only. Errors: CB_E_CORRUPT when malformed; CB_E_UNSUPPORTED
     when it is of another algorithm or size. [blocking] */
  cb_status (*pair_import_public)(cb_instance* instance, const void* raw, size_t len, cb_pair** out,
                                  cb_error* error);

  /* Writes the public half. KEM only. Errors: CB_E_TOO_SMALL. [blocking] */
  cb_status (*pair_public)(cb_pair* pair, void* out, size_t cap, size_t* len, cb_error* error);

  /* Writes the private form, which the caller wipes. KEM only. Errors: CB_E_STATE when only the
     public half is there; CB_E_TOO_SMALL. [blocking] */
  cb_status (*pair_private)(cb_pair* pair, void* out, size_t cap, size_t* len, cb_error* error);

  /* Ends and wipes a pair; accepts null. KEM only. [any] */
  void (*pair_free)(cb_pair* pair);

  /* Makes a fresh key into *key and its encapsulation for the owner of `pair`. `context` is bound
     into the key; a suite that cannot bind one takes only an empty context. KEM only. Errors:
     CB_E_INVALID for a context that cannot be bound; CB_E_CORRUPT for a public half that is no
     good; CB_E_TOO_SMALL. [blocking] */
  cb_status (*encapsulate)(cb_pair* pair, const void* context, size_t context_len, void* cipher,
                           size_t cap, size_t* len, cb_key** key, cb_error* error);

  /* Recovers the key into *key. KEM only. Errors: CB_E_AUTH when the suite can tell that it is the
     wrong pair, context or cipher (otherwise another key comes out, whose seals do not open);
     CB_E_CORRUPT when it makes no key; CB_E_STATE when only the public half is there.
     [blocking] */
  cb_status (*decapsulate)(cb_pair* pair, const void* context, size_t context_len,
                           const void* cipher, size_t cipher_len, cb_key** key, cb_error* error);

  /* Makes a key of raw bytes into *key: props.key_size of them (a suite may allow further sizes).
     Errors: CB_E_INVALID for another size. [any] */
  cb_status (*key_import)(cb_instance* instance, const void* raw, size_t len, cb_key** key,
                          cb_error* error);

  /* Derives a key into *out from a key, a label (text, says what for) and a context; either may be
     empty. Same inputs, same key; any other input, an unrelated key. KEY_DERIVE only. [any] */
  cb_status (*key_derive)(cb_key* key, const char* label, const void* context, size_t context_len,
                          cb_key** out, cb_error* error);

  /* Ends and wipes a key; accepts null. [any] */
  void (*key_free)(cb_key* key);

  /* Writes `key` as it is put under `wrapping`, both of one instance. KEY_WRAP only. Errors:
     CB_E_TOO_SMALL. [any] */
  cb_status (*key_wrap)(cb_key* wrapping, cb_key* key, void* out, size_t cap, size_t* len,
                        cb_error* error);

  /* Takes a key from under `wrapping` into *key. KEY_WRAP only. Errors: CB_E_AUTH when it does not
   * verify. [any] */
  cb_status (*key_unwrap)(cb_key* wrapping, const void* wrapped, size_t len, cb_key** key,
                          cb_error* error);

  /* Writes the CB_KEYED_ID_SIZE bytes that name `data` under `key`. KEYED_ID only. [any] */
  cb_status (*keyed_id)(cb_key* key, const void* data, size_t len, void* out, cb_error* error);

  /* Begins to seal an object into *out and writes its header. `aad` is bound into every chunk; a
     suite that cannot bind it takes only an empty one. STREAM only. Errors: CB_E_INVALID for an aad
     that cannot be bound; CB_E_TOO_SMALL. [any] */
  cb_status (*seal_begin)(cb_key* key, const void* aad, size_t aad_len, void* header, size_t cap,
                          size_t* len, cb_seal** out, cb_error* error);

  /* Seals the next chunk: exactly chunk_plain bytes with `last` 0, or 0..chunk_plain with `last` 1,
     after which the handle is spent. `cap` is at least len + chunk_overhead. STREAM only. Errors:
     CB_E_INVALID for another size; CB_E_TOO_SMALL; CB_E_LIMIT past max_chunks; CB_E_STATE when
     spent. The first three leave the seal as it was, any other failure spends it. [any] */
  cb_status (*seal_chunk)(cb_seal* seal, const void* plain, size_t len, int32_t last, void* out,
                          size_t cap, size_t* out_len, cb_error* error);

  /* Ends and wipes a seal; accepts null. STREAM only. [any] */
  void (*seal_free)(cb_seal* seal);

  /* Begins to open an object into *out. STREAM only. Errors: CB_E_UNSUPPORTED when the header names
     another suite; CB_E_CORRUPT when it is of another size. [any] */
  cb_status (*open_begin)(cb_key* key, const void* aad, size_t aad_len, const void* header,
                          size_t header_len, cb_open** out, cb_error* error);

  /* Opens chunk `index`; `last` is 1 for the last of the object, else 0. Chunks may come in any
     order and again. `cap` is at least `len`. STREAM only. Errors: CB_E_AUTH when it is not the
     chunk that was sealed there; CB_E_LIMIT past max_chunks; CB_E_TOO_SMALL; CB_E_STATE after
     CB_E_AUTH. A suite that is UNAUTHENTICATED may answer CB_E_STATE to an index out of turn, and
     CB_E_CORRUPT to an impossible size or bad padding. [any] */
  cb_status (*open_chunk)(cb_open* open, uint64_t index, int32_t last, const void* sealed,
                          size_t len, void* out, size_t cap, size_t* out_len, cb_error* error);

  /* Ends and wipes an open; accepts null. STREAM only. [any] */
  void (*open_free)(cb_open* open);
} cb_crypto_ops;

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_CRYPTO_H */
