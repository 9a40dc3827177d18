/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cb.compress/1: compression in one shot and as a stream.
 *
 * A frame is self-contained: the stream's frames and the one-shot's are the same format, and frames
 * in a row are one text. The host compresses before sealing and keeps the plain bytes when they do
 * not shrink. Rubbish and truncated input are CB_E_CORRUPT, and no input makes a plugin take memory
 * without bound.
 *
 * A codec moves bytes from `in` to `out` with codec_run and keeps what it needs in between, so it
 * may take input without giving output and the other way round. A run makes progress (takes or
 * gives at least one byte, or ends a frame) whenever there is a byte of input and a byte of room;
 * without input it gives what it still holds, perhaps nothing; without room it takes what it can,
 * perhaps nothing. After a frame has ended (FINISH answered CB_OK, or a run answered CB_END) the
 * next run begins the next frame, without a reset.
 *
 * Functions that take the instance may run in parallel; one codec is used by one thread at a time.
 */
#ifndef CYBERBACKUP_COMPRESS_H
#define CYBERBACKUP_COMPRESS_H

#include "cyberbackup/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The interface_id of a compressor's descriptor; its ops are a cb_compress_ops. */
#define CB_COMPRESS_INTERFACE "cb.compress/1"

/* Capability: the four codec functions are there. */
#define CB_COMPRESS_STREAM ((uint64_t)1)

/* One direction of a stream of frames: codec_new makes it, codec_free ends it. */
typedef struct cb_codec cb_codec;

/* Directions of a codec. */
enum {
  CB_CODEC_COMPRESS = 1,  /* plain bytes in, frames out */
  CB_CODEC_DECOMPRESS = 2 /* frames in, plain bytes out */
};

/* What a run should aim at. Decompression takes only GO. */
enum {
  CB_CODEC_GO = 0,    /* take the input; output may be held back */
  CB_CODEC_FLUSH = 1, /* take the input, then give all that makes it readable */
  CB_CODEC_FINISH = 2 /* take the input, then give the end of the frame */
};

/* Input and output of one run. Owned by the caller, who fills all but in_used and out_len. */
typedef struct cb_flow {
  uint32_t size;     /* of this struct, set by the caller */
  uint32_t reserved; /* 0 */
  const void* in;    /* the input; may be null when in_len is 0 */
  size_t in_len;     /* bytes of input */
  size_t in_used;    /* bytes taken by this run, also when it failed */
  void* out;         /* the room; may be null when out_cap is 0 */
  size_t out_cap;    /* bytes of room */
  size_t out_len;    /* bytes written by this run, also when it failed */
} cb_flow;

/* The functions of a compressor. */
typedef struct cb_compress_ops {
  uint32_t size;     /* of this struct, set by the plugin */
  uint32_t reserved; /* 0 */

  /* Tells the most that `plain_len` bytes can become in one shot. Errors: CB_E_LIMIT if that is too
     many for one shot. [any] */
  cb_status (*bound)(cb_instance* instance, size_t plain_len, size_t* out);

  /* Compresses `len` bytes, perhaps none, into one frame; a `cap` of bound() is always enough.
     Errors: CB_E_TOO_SMALL, with *out_len = bound() and `out` undefined. [any] */
  cb_status (*compress)(cb_instance* instance, const void* in, size_t len, void* out, size_t cap,
                        size_t* out_len, cb_error* error);

  /* Decompresses all frames in `in`, one or more, into one text. Never writes past cap. Errors:
     CB_E_LIMIT when more than `cap` bytes would come; CB_E_CORRUPT for no frame at all, rubbish, or
     a frame cut short. [any] */
  cb_status (*decompress)(cb_instance* instance, const void* in, size_t len, void* out, size_t cap,
                          size_t* out_len, cb_error* error);

  /* Makes a codec for one direction into *out. STREAM only. Errors: CB_E_INVALID for another
     direction. [any] */
  cb_status (*codec_new)(cb_instance* instance, uint32_t direction, cb_codec** out,
                         cb_error* error);

  /* Moves bytes (the file comment says how). CB_OK: all input is taken and, for FLUSH and FINISH,
     all output given. CB_MORE: the room is full; call again with more room, the rest of the input
     and the same op, until CB_OK (decompressing, MORE may turn out to be nothing more). CB_END,
     decompressing only: a frame is complete; input after it is left in place. FINISH without input
     makes an empty frame when none is begun. Input that ends inside a frame is the caller's to
     notice: no END came. After a failure other than CB_E_INVALID every run is CB_E_STATE until a
     reset. STREAM only. Errors: CB_E_INVALID for an op that this direction does not know;
     CB_E_CORRUPT; CB_E_LIMIT when a frame wants more memory than allowed; CB_E_STATE. [any] */
  cb_status (*codec_run)(cb_codec* codec, cb_flow* flow, uint32_t op, cb_error* error);

  /* Makes the codec as new, whatever state it is in: what it held is dropped, direction and options
     stay. STREAM only. [any] */
  cb_status (*codec_reset)(cb_codec* codec, cb_error* error);

  /* Ends a codec; accepts null. STREAM only. [any] */
  void (*codec_free)(cb_codec* codec);
} cb_compress_ops;

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_COMPRESS_H */
