/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto-modern with one thing done wrong; which one, the build says: each WRONG_... is a module of
 * its own.
 */
#define _GNU_SOURCE
#include "cyberbackup/crypto.h"

#include <pthread.h>
#include <stdlib.h>

#include "wrapped_plugin.h"

static cb_crypto_ops real_ops, ops;
static const uint8_t zeros[64];

#ifdef WRONG_CRYPTO_OTHER_KEY_COMES_OUT
static cb_instance* instance_of_key;
static cb_status pair_new(cb_instance* instance, cb_pair** out, cb_error* error) {
  instance_of_key = instance;
  return real_ops.pair_new(instance, out, error);
}
static cb_status decapsulate(cb_pair* pair, const void* context, size_t context_len,
                             const void* cipher, size_t cipher_len, cb_key** key, cb_error* error) {
  cb_status status =
      real_ops.decapsulate(pair, context, context_len, cipher, cipher_len, key, error);
  if (status != CB_OK) return status;
  real_ops.key_free(*key);
  return real_ops.key_import(instance_of_key, zeros, 32, key, error);
}
static void change(void) {
  ops.pair_new = pair_new;
  ops.decapsulate = decapsulate;
}
#endif

#ifdef WRONG_CRYPTO_ANY_PAIR_WILL_DO
static cb_instance* instance_of_key;
static uint8_t last[32];
static cb_status pair_new(cb_instance* instance, cb_pair** out, cb_error* error) {
  instance_of_key = instance;
  return real_ops.pair_new(instance, out, error);
}
static cb_status encapsulate(cb_pair* pair, const void* context, size_t context_len, void* cipher,
                             size_t cap, size_t* len, cb_key** key, cb_error* error) {
  (void)pair, (void)context, (void)context_len, (void)cap;
  ++last[0];
  memcpy(cipher, last, 32);
  *len = 32;
  return real_ops.key_import(instance_of_key, last, 32, key, error);
}
static cb_status decapsulate(cb_pair* pair, const void* context, size_t context_len,
                             const void* cipher, size_t cipher_len, cb_key** key, cb_error* error) {
  (void)pair, (void)context, (void)context_len;
  return real_ops.key_import(instance_of_key, cipher, cipher_len, key, error);
}
static void change(void) {
  ops.pair_new = pair_new;
  ops.encapsulate = encapsulate;
  ops.decapsulate = decapsulate;
}
#endif

#ifdef WRONG_CRYPTO_LAST_BYTE_FREE
static cb_status props(cb_instance* instance, cb_crypto_props* out) {
  cb_status status = real_ops.props(instance, out);
  ++out->kem_cipher_max;
  return status;
}
static cb_status encapsulate(cb_pair* pair, const void* context, size_t context_len, void* cipher,
                             size_t cap, size_t* len, cb_key** key, cb_error* error) {
  cb_status status =
      real_ops.encapsulate(pair, context, context_len, cipher, cap - 1, len, key, error);
  ((uint8_t*)cipher)[(*len)++] = 0;
  return status;
}
static cb_status decapsulate(cb_pair* pair, const void* context, size_t context_len,
                             const void* cipher, size_t cipher_len, cb_key** key, cb_error* error) {
  return real_ops.decapsulate(pair, context, context_len, cipher, cipher_len - 1, key, error);
}
static void change(void) {
  ops.props = props;
  ops.encapsulate = encapsulate;
  ops.decapsulate = decapsulate;
}
#endif

#ifdef WRONG_CRYPTO_CONTEXT_FREE
static cb_status encapsulate(cb_pair* pair, const void* context, size_t context_len, void* cipher,
                             size_t cap, size_t* len, cb_key** key, cb_error* error) {
  (void)context, (void)context_len;
  return real_ops.encapsulate(pair, zeros, 0, cipher, cap, len, key, error);
}
static cb_status decapsulate(cb_pair* pair, const void* context, size_t context_len,
                             const void* cipher, size_t cipher_len, cb_key** key, cb_error* error) {
  (void)context, (void)context_len;
  return real_ops.decapsulate(pair, zeros, 0, cipher, cipher_len, key, error);
}
static void change(void) {
  ops.encapsulate = encapsulate;
  ops.decapsulate = decapsulate;
}
#endif

#ifdef WRONG_CRYPTO_WRITES_ANOTHER_PAIR
static cb_pair* stranger;
static cb_status pair_new(cb_instance* instance, cb_pair** out, cb_error* error) {
  if (!stranger) real_ops.pair_new(instance, &stranger, error);
  return real_ops.pair_new(instance, out, error);
}
static cb_status pair_private(cb_pair* pair, void* out, size_t cap, size_t* len, cb_error* error) {
  cb_status status = real_ops.pair_private(pair, out, cap, len, error);
  return status == CB_OK ? real_ops.pair_private(stranger, out, cap, len, error) : status;
}
static void change(void) {
  ops.pair_new = pair_new;
  ops.pair_private = pair_private;
}
#endif

#ifdef WRONG_CRYPTO_TAKES_CUT_PAIRS
static cb_status pair_import_public(cb_instance* instance, const void* raw, size_t len,
                                    cb_pair** out, cb_error* error) {
  uint8_t padded[32];
  memset(padded, 7, sizeof padded);
  if (len >= 32) return real_ops.pair_import_public(instance, raw, len, out, error);
  memcpy(padded, raw, len);
  return real_ops.pair_import_public(instance, padded, 32, out, error);
}
static void change(void) { ops.pair_import_public = pair_import_public; }
#endif

#ifdef WRONG_CRYPTO_PADS_KEYS
static cb_status key_import(cb_instance* instance, const void* raw, size_t len, cb_key** key,
                            cb_error* error) {
  uint8_t padded[32];
  memset(padded, 0, sizeof padded);
  if (len >= 32) return real_ops.key_import(instance, raw, len, key, error);
  memcpy(padded, raw, len);
  return real_ops.key_import(instance, padded, 32, key, error);
}
static void change(void) { ops.key_import = key_import; }
#endif

#ifdef WRONG_CRYPTO_NAMES_WITHOUT_KEY
static cb_status keyed_id(cb_key* key, const void* data, size_t len, void* out, cb_error* error) {
  const uint8_t* bytes = data;
  uint32_t hash = 2166136261u;
  size_t i;
  (void)key, (void)error;
  for (i = 0; i < len; ++i) hash = (hash ^ bytes[i]) * 16777619u;
  memset(out, 0, CB_KEYED_ID_SIZE);
  memcpy(out, &hash, sizeof hash);
  return CB_OK;
}
static void change(void) { ops.keyed_id = keyed_id; }
#endif

#ifdef WRONG_CRYPTO_UNWRAPS_ANYTHING
static cb_instance* instance_of_key;
static cb_status key_import(cb_instance* instance, const void* raw, size_t len, cb_key** key,
                            cb_error* error) {
  instance_of_key = instance;
  return real_ops.key_import(instance, raw, len, key, error);
}
static cb_status key_unwrap(cb_key* wrapping, const void* wrapped, size_t len, cb_key** key,
                            cb_error* error) {
  cb_status status = real_ops.key_unwrap(wrapping, wrapped, len, key, error);
  if (status == CB_OK) return status;
  return real_ops.key_import(instance_of_key, zeros, 32, key, error);
}
static void change(void) {
  ops.key_import = key_import;
  ops.key_unwrap = key_unwrap;
}
#endif

#ifdef WRONG_CRYPTO_DERIVES_WITHOUT_CONTEXT
static cb_status key_derive(cb_key* key, const char* label, const void* context, size_t context_len,
                            cb_key** out, cb_error* error) {
  (void)context, (void)context_len;
  return real_ops.key_derive(key, label, zeros, 0, out, error);
}
static void change(void) { ops.key_derive = key_derive; }
#endif

#ifdef WRONG_CRYPTO_DROPS_A_LONE_BYTE
static cb_status open_chunk(cb_open* open, uint64_t index, int32_t last, const void* sealed,
                            size_t len, void* out, size_t cap, size_t* out_len, cb_error* error) {
  cb_status status = real_ops.open_chunk(open, index, last, sealed, len, out, cap, out_len, error);
  if (status == CB_OK && *out_len == 1) *out_len = 0;
  return status;
}
static void change(void) { ops.open_chunk = open_chunk; }
#endif

#ifdef WRONG_CRYPTO_HEADER_BYTE_FREE
static cb_status props(cb_instance* instance, cb_crypto_props* out) {
  cb_status status = real_ops.props(instance, out);
  ++out->header_size;
  return status;
}
static cb_status seal_begin(cb_key* key, const void* aad, size_t aad_len, void* header, size_t cap,
                            size_t* len, cb_seal** out, cb_error* error) {
  cb_status status = real_ops.seal_begin(key, aad, aad_len, header, cap - 1, len, out, error);
  ((uint8_t*)header)[(*len)++] = 0;
  return status;
}
static cb_status open_begin(cb_key* key, const void* aad, size_t aad_len, const void* header,
                            size_t header_len, cb_open** out, cb_error* error) {
  return real_ops.open_begin(key, aad, aad_len, header, header_len - 1, out, error);
}
static void change(void) {
  ops.props = props;
  ops.seal_begin = seal_begin;
  ops.open_begin = open_begin;
}
#endif

#if defined(WRONG_CRYPTO_LAST_OR_NOT) || defined(WRONG_CRYPTO_INDEX_FREE)
/* Everything that is needed to try again: after a failure an open is good for nothing. */
struct again {
  cb_key* key;
  uint8_t aad[64], header[64];
  size_t aad_len, header_len;
};
static cb_status open_begin(cb_key* key, const void* aad, size_t aad_len, const void* header,
                            size_t header_len, cb_open** out, cb_error* error) {
  struct again* again;
  cb_open* first;
  cb_status status = real_ops.open_begin(key, aad, aad_len, header, header_len, &first, error);
  if (status != CB_OK) return status;
  real_ops.open_free(first);
  again = calloc(1, sizeof *again);
  again->key = key;
  memcpy(again->aad, aad, again->aad_len = aad_len);
  memcpy(again->header, header, again->header_len = header_len);
  *out = (cb_open*)again;
  return CB_OK;
}
static cb_status try_chunk(const struct again* again, uint64_t index, int32_t last,
                           const void* sealed, size_t len, void* out, size_t cap, size_t* out_len,
                           cb_error* error) {
  cb_open* open;
  cb_status status = real_ops.open_begin(again->key, again->aad, again->aad_len, again->header,
                                         again->header_len, &open, error);
  if (status != CB_OK) return status;
  status = real_ops.open_chunk(open, index, last, sealed, len, out, cap, out_len, error);
  real_ops.open_free(open);
  return status;
}
static cb_status open_chunk(cb_open* open, uint64_t index, int32_t last, const void* sealed,
                            size_t len, void* out, size_t cap, size_t* out_len, cb_error* error) {
  const struct again* again = (const struct again*)open;
  cb_status status = try_chunk(again, index, last, sealed, len, out, cap, out_len, error);
#ifdef WRONG_CRYPTO_LAST_OR_NOT
  if (status == CB_E_AUTH)
    status = try_chunk(again, index, !last, sealed, len, out, cap, out_len, error);
#else
  for (index = 0; status == CB_E_AUTH && index < 4; ++index)
    status = try_chunk(again, index, last, sealed, len, out, cap, out_len, error);
#endif
  return status;
}
static void open_free(cb_open* open) { free(open); }
static void change(void) {
  ops.open_begin = open_begin;
  ops.open_chunk = open_chunk;
  ops.open_free = open_free;
}
#endif

#ifdef WRONG_CRYPTO_AAD_FREE
static cb_status seal_begin(cb_key* key, const void* aad, size_t aad_len, void* header, size_t cap,
                            size_t* len, cb_seal** out, cb_error* error) {
  (void)aad, (void)aad_len;
  return real_ops.seal_begin(key, zeros, 0, header, cap, len, out, error);
}
static cb_status open_begin(cb_key* key, const void* aad, size_t aad_len, const void* header,
                            size_t header_len, cb_open** out, cb_error* error) {
  (void)aad, (void)aad_len;
  return real_ops.open_begin(key, zeros, 0, header, header_len, out, error);
}
static void change(void) {
  ops.seal_begin = seal_begin;
  ops.open_begin = open_begin;
}
#endif

#ifdef WRONG_CRYPTO_ONE_KEY_FOR_ALL
static cb_status key_import(cb_instance* instance, const void* raw, size_t len, cb_key** key,
                            cb_error* error) {
  if (len != 32) return real_ops.key_import(instance, raw, len, key, error);
  return real_ops.key_import(instance, zeros, 32, key, error);
}
static void change(void) { ops.key_import = key_import; }
#endif

#ifdef WRONG_CRYPTO_LEAVES_PLAINTEXT
static uint8_t kept[65536];
static cb_status seal_chunk(cb_seal* seal, const void* plain, size_t len, int32_t last, void* out,
                            size_t cap, size_t* out_len, cb_error* error) {
  if (len == sizeof kept) memcpy(kept, plain, len);
  return real_ops.seal_chunk(seal, plain, len, last, out, cap, out_len, error);
}
static cb_status open_chunk(cb_open* open, uint64_t index, int32_t last, const void* sealed,
                            size_t len, void* out, size_t cap, size_t* out_len, cb_error* error) {
  cb_status status = real_ops.open_chunk(open, index, last, sealed, len, out, cap, out_len, error);
  if (status == CB_E_AUTH && cap >= sizeof kept) memcpy(out, kept, sizeof kept);
  return status;
}
static void change(void) {
  ops.seal_chunk = seal_chunk;
  ops.open_chunk = open_chunk;
}
#endif

#ifdef WRONG_CRYPTO_REPEATS_HEADERS
static cb_host poor_host;
static cb_status poor_random(void* ctx, void* out, size_t len) {
  static unsigned turn;
  (void)ctx;
  memset(out, (int)(turn++ % 251), len);
  return CB_OK;
}
static cb_status create(const cb_host* host, const cb_config* config, cb_instance** out,
                        cb_error* error) {
  poor_host = *host;
  poor_host.random = poor_random;
  return real->create(&poor_host, config, out, error);
}
static void change(void) {}
#endif

#ifdef WRONG_CRYPTO_WRITES_BEFORE_ROOM
static cb_status seal_chunk(cb_seal* seal, const void* plain, size_t len, int32_t last, void* out,
                            size_t cap, size_t* out_len, cb_error* error) {
  if (len == 17) ((uint8_t*)out)[-1] ^= 1;
  return real_ops.seal_chunk(seal, plain, len, last, out, cap, out_len, error);
}
static void change(void) { ops.seal_chunk = seal_chunk; }
#endif

#ifdef WRONG_CRYPTO_SEALS_AFTER_LAST
static cb_status seal_chunk(cb_seal* seal, const void* plain, size_t len, int32_t last, void* out,
                            size_t cap, size_t* out_len, cb_error* error) {
  cb_status status = real_ops.seal_chunk(seal, plain, len, last, out, cap, out_len, error);
  if (status != CB_E_STATE) return status;
  *out_len = 0;
  return CB_OK;
}
static void change(void) { ops.seal_chunk = seal_chunk; }
#endif

#ifdef WRONG_CRYPTO_ONE_THREAD_ONLY
/* Serves the thread that sealed first, whatever the order in which threads run. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_t owner;
static int is_owned;
static cb_status seal_begin(cb_key* key, const void* aad, size_t aad_len, void* header, size_t cap,
                            size_t* len, cb_seal** out, cb_error* error) {
  int is_mine;
  pthread_mutex_lock(&mutex);
  if (!is_owned) owner = pthread_self();
  is_owned = 1;
  is_mine = pthread_equal(owner, pthread_self());
  pthread_mutex_unlock(&mutex);
  if (!is_mine) return CB_E_BUSY;
  return real_ops.seal_begin(key, aad, aad_len, header, cap, len, out, error);
}
static void change(void) { ops.seal_begin = seal_begin; }
#endif

static const void* change_ops(const void* from) {
  (void)zeros;
  memcpy(&real_ops, from, sizeof real_ops);
  ops = real_ops;
  change();
#ifdef WRONG_CRYPTO_REPEATS_HEADERS
  descriptor.create = create;
#endif
  return &ops;
}
