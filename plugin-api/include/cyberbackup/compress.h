/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cb.compress/1: compression in one shot and as a stream.
 *
 * A frame is self-contained: the stream's frames and the one-shot's are the same format. The host
 * compresses before sealing and keeps the plain bytes when they do not shrink. Rubbish and
 * truncated input are CB_E_CORRUPT, within the memory of the window option. Instance-level
 * functions may run in parallel; one codec is used by one thread at a time.
 */
#ifndef CYBERBACKUP_COMPRESS_H
#define CYBERBACKUP_COMPRESS_H

#include "cyberbackup/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CB_COMPRESS_INTERFACE "cb.compress/1"

/* Capabilities. STREAM stands for all four codec functions. */
#define CB_COMPRESS_STREAM ((uint64_t)1)
#define CB_COMPRESS_MULTITHREAD ((uint64_t)2)

typedef struct cb_codec cb_codec;

enum { CB_CODEC_COMPRESS = 1, CB_CODEC_DECOMPRESS = 2 };

/* What a run should aim at. Decompression takes only GO. */
enum { CB_CODEC_GO = 0, CB_CODEC_FLUSH = 1, CB_CODEC_FINISH = 2 };

/* Input and output of one run; the caller fills all but in_used and out_len. */
typedef struct cb_flow {
  uint32_t size;
  uint32_t reserved;
  const void* in;
  size_t in_len;
  size_t in_used; /* bytes taken by this run */
  void* out;
  size_t out_cap;
  size_t out_len; /* bytes written by this run */
} cb_flow;

typedef struct cb_compress_ops {
  uint32_t size;
  uint32_t reserved;

  /* The most that `plain_len` bytes can become; CB_E_LIMIT if too large for one shot. [any] */
  cb_status (*bound)(cb_instance* instance, size_t plain_len, size_t* out);

  /* Compresses in one shot; a `cap` of bound() is always enough. [any] */
  cb_status (*compress)(cb_instance* instance, const void* in, size_t len, void* out, size_t cap,
                        size_t* out_len, cb_error* error);

  /* Decompresses all frames in `in`. Never writes past cap: CB_E_LIMIT when more would come. [any]
   */
  cb_status (*decompress)(cb_instance* instance, const void* in, size_t len, void* out, size_t cap,
                          size_t* out_len, cb_error* error);

  /* Makes a codec for one direction. [any] */
  cb_status (*codec_new)(cb_instance* instance, uint32_t direction, cb_codec** out,
                         cb_error* error);

  /* Moves bytes. OK: all input used and, for FLUSH and FINISH, all output given. MORE: call again
     with more room. END: (decompressing) the frame is complete, unused input is left in place. Any
     input and one byte of room make progress. Input that ends inside a frame is the caller's to
     notice: no END came. [any] */
  cb_status (*codec_run)(cb_codec* codec, cb_flow* flow, uint32_t op, cb_error* error);

  /* Makes the codec as new. [any] */
  cb_status (*codec_reset)(cb_codec* codec, cb_error* error);

  /* Ends a codec; accepts null. [any] */
  void (*codec_free)(cb_codec* codec);
} cb_compress_ops;

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_COMPRESS_H */
