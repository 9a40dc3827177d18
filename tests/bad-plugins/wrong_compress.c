/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compressor that does not compress, but keeps the contract, and with -DWRONG=... breaks it in
 * one way: what the checks of compressors are checked with. A frame is 'F' and then blocks: their
 * length in one byte, and as many bytes; a block of length 0 ends the frame. Instances do not
 * change; a codec is used by one thread at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "cyberbackup/compress.h"

/* The ways to be wrong. */
enum {
  NOTHING,
  FORGETS_PAST_32_MIB, /* what comes after that is lost */
  LIES_IN_BOUND,       /* does not count what each block costs */
  WRITES_PAST_CAP,     /* decompresses into more room than there is */
  CUTS_AT_CAP,         /* decompresses as much as fits and calls it all */
  TAKES_TRUNCATED,     /* takes the end of the input for the end of the frame */
  READS_PAST_INPUT,    /* believes the length of a block */
  RUBBISH_IS_IO,       /* calls rubbish a failure of the system */
  ONE_FRAME,           /* stops after the first frame */
  OTHER_STREAM,        /* streams frames that one shot does not know */
  NEEDS_TWO,           /* moves nothing into room for one byte */
  HOLDS_AT_FLUSH,      /* a flush gives nothing that was held */
  HALF_RESET,          /* a reset keeps the bytes that were held */
  ANY_OP               /* takes an unknown op for GO */
};
static const int wrong = WRONG;

enum { BLOCK = 255, ONE_SHOT = 'F', STREAM = 'S' };

struct cb_instance {
  int unused;
};

/* What a decoder waits for. */
enum { WANT_MAGIC, WANT_LENGTH, WANT_BYTES, DAMAGED };

struct cb_codec {
  uint32_t direction; /* 0: not a stream, but one shot */
  int magic;          /* of the frames that are written */

  /* Encoder: bytes without a block yet, and what is ready to be given out. */
  unsigned char held[BLOCK];
  size_t held_len;
  unsigned char ready[BLOCK + 4];
  size_t ready_at, ready_len;
  int open, closed; /* the frame's magic, its end is among what was made ready */

  /* Decoder */
  int want;
  size_t left; /* bytes of the block that are still to come */
};

static cb_status fail(cb_error* error, cb_status status, const char* message) {
  if (error != NULL) {
    error->status = status;
    error->flags = CB_ERROR_PERMANENT;
    strncpy(error->message, message, sizeof(error->message) - 1);
  }
  return status;
}

static cb_status create(const cb_host* host, const cb_config* config, cb_instance** out,
                        cb_error* error) {
  (void)host;
  (void)config;
  *out = calloc(1, sizeof(**out));
  return *out != NULL ? CB_OK : fail(error, CB_E_NO_MEMORY, "no memory for a compressor");
}

static void destroy(cb_instance* instance) { free(instance); }

/* --- encoder ---------------------------------------------------------------------------------- */

static void begin_frame(cb_codec* codec) {
  codec->held_len = 0;
  codec->ready_at = 0;
  codec->ready_len = 0;
  codec->open = 0;
  codec->closed = 0;
  codec->want = WANT_MAGIC;
  codec->left = 0;
}

static void ready_byte(cb_codec* codec, size_t byte) {
  codec->ready[codec->ready_len++] = (unsigned char)byte;
}

static void ready_block(cb_codec* codec) {
  if (!codec->open) ready_byte(codec, (size_t)codec->magic);
  codec->open = 1;
  if (codec->held_len == 0) return;
  ready_byte(codec, codec->held_len);
  memcpy(codec->ready + codec->ready_len, codec->held, codec->held_len);
  codec->ready_len += codec->held_len;
  codec->held_len = 0;
}

/* Gives out what is ready; true when nothing of it is left. */
static int drain(cb_codec* codec, cb_flow* flow) {
  size_t room = flow->out_cap - flow->out_len;
  size_t len = codec->ready_len - codec->ready_at;
  if (wrong == NEEDS_TWO && room == 1) room = 0;
  if (len > room) len = room;
  if (len > 0)
    memcpy((unsigned char*)flow->out + flow->out_len, codec->ready + codec->ready_at, len);
  flow->out_len += len;
  codec->ready_at += len;
  if (codec->ready_at < codec->ready_len) return 0;
  codec->ready_at = 0;
  codec->ready_len = 0;
  return 1;
}

static void hold(cb_codec* codec, cb_flow* flow) {
  size_t len = flow->in_len - flow->in_used;
  if (len > BLOCK - codec->held_len) len = BLOCK - codec->held_len;
  if (len > 0)
    memcpy(codec->held + codec->held_len, (const unsigned char*)flow->in + flow->in_used, len);
  codec->held_len += len;
  flow->in_used += len;
}

/* All input is taken: does what the op wants beyond that. */
static void complete(cb_codec* codec, uint32_t op) {
  if (op == CB_CODEC_FLUSH && codec->held_len > 0 && wrong != HOLDS_AT_FLUSH) ready_block(codec);
  if (op != CB_CODEC_FINISH || codec->closed) return;
  ready_block(codec);
  ready_byte(codec, 0);
  codec->closed = 1;
}

static cb_status encode(cb_codec* codec, cb_flow* flow, uint32_t op) {
  if (!drain(codec, flow)) return CB_MORE;
  while (!codec->closed && flow->in_used < flow->in_len) {
    hold(codec, flow);
    if (codec->held_len == BLOCK) ready_block(codec);
    if (!drain(codec, flow)) return CB_MORE;
  }
  complete(codec, op);
  if (!drain(codec, flow)) return CB_MORE;
  if (codec->closed) begin_frame(codec);
  return CB_OK;
}

/* --- decoder ---------------------------------------------------------------------------------- */

static cb_status decode_magic(cb_codec* codec, int byte, cb_error* error) {
  codec->want = WANT_LENGTH;
  if (byte == ONE_SHOT || (byte == STREAM && wrong == OTHER_STREAM && codec->magic == STREAM))
    return CB_OK;
  codec->want = DAMAGED;
  return fail(error, wrong == RUBBISH_IS_IO ? CB_E_IO : CB_E_CORRUPT, "no frame");
}

static int is_shot(const cb_codec* codec) { return codec->direction == 0; }

static void decode_bytes(cb_codec* codec, cb_flow* flow) {
  size_t len = codec->left;
  if (len > flow->in_len - flow->in_used && !(wrong == READS_PAST_INPUT && is_shot(codec)))
    len = flow->in_len - flow->in_used;
  if (len > flow->out_cap - flow->out_len) len = flow->out_cap - flow->out_len;
  memcpy((unsigned char*)flow->out + flow->out_len, (const unsigned char*)flow->in + flow->in_used,
         len);
  flow->in_used += len;
  flow->out_len += len;
  codec->left -= len;
  if (codec->left == 0) codec->want = WANT_LENGTH;
}

static cb_status decode(cb_codec* codec, cb_flow* flow, cb_error* error) {
  const unsigned char* in = flow->in;
  while (flow->in_used < flow->in_len) {
    if (codec->want == WANT_MAGIC) {
      const cb_status status = decode_magic(codec, in[flow->in_used++], error);
      if (status != CB_OK) return status;
    } else if (codec->want == WANT_BYTES) {
      if (flow->out_len == flow->out_cap) return CB_MORE;
      decode_bytes(codec, flow);
    } else {
      codec->left = in[flow->in_used++];
      if (codec->left == 0) {
        begin_frame(codec);
        return CB_END;
      }
      codec->want = WANT_BYTES;
    }
  }
  return CB_OK;
}

/* --- codec ------------------------------------------------------------------------------------ */

static cb_status codec_new(cb_instance* instance, uint32_t direction, cb_codec** out,
                           cb_error* error) {
  (void)instance;
  if (direction != CB_CODEC_COMPRESS && direction != CB_CODEC_DECOMPRESS)
    return fail(error, CB_E_INVALID, "no direction");
  *out = calloc(1, sizeof(**out));
  if (*out == NULL) return fail(error, CB_E_NO_MEMORY, "no memory for a codec");
  (*out)->direction = direction;
  (*out)->magic = wrong == OTHER_STREAM ? STREAM : ONE_SHOT;
  begin_frame(*out);
  return CB_OK;
}

static cb_status codec_run(cb_codec* codec, cb_flow* flow, uint32_t op, cb_error* error) {
  const uint32_t last = codec->direction == CB_CODEC_COMPRESS ? CB_CODEC_FINISH : CB_CODEC_GO;
  flow->in_used = 0;
  flow->out_len = 0;
  if (op > last && wrong != ANY_OP) return fail(error, CB_E_INVALID, "no such op");
  if (codec->direction == CB_CODEC_COMPRESS) return encode(codec, flow, op);
  if (codec->want == DAMAGED) return fail(error, CB_E_STATE, "the last run failed");
  return decode(codec, flow, error);
}

static cb_status codec_reset(cb_codec* codec, cb_error* error) {
  const size_t held_len = codec->held_len;
  (void)error;
  begin_frame(codec);
  if (wrong == HALF_RESET) codec->held_len = held_len;
  return CB_OK;
}

static void codec_free(cb_codec* codec) { free(codec); }

/* --- one shot --------------------------------------------------------------------------------- */

static cb_status bound(cb_instance* instance, size_t plain_len, size_t* out) {
  const size_t blocks = wrong == LIES_IN_BOUND ? 0 : plain_len / BLOCK;
  (void)instance;
  if (plain_len > SIZE_MAX - blocks - 3) return CB_E_LIMIT;
  *out = plain_len + blocks + 3;
  return CB_OK;
}

static cb_flow whole(const void* in, size_t len, void* out, size_t cap) {
  const cb_flow flow = {sizeof(cb_flow), 0, in, len, 0, out, cap, 0};
  return flow;
}

static cb_status compress(cb_instance* instance, const void* in, size_t len, void* out, size_t cap,
                          size_t* out_len, cb_error* error) {
  const size_t most = (size_t)32 << 20;
  cb_codec codec;
  cb_flow flow = whole(in, wrong == FORGETS_PAST_32_MIB && len > most ? most : len, out, cap);
  memset(&codec, 0, sizeof(codec));
  codec.magic = ONE_SHOT;
  if (encode(&codec, &flow, CB_CODEC_FINISH) != CB_OK) {
    if (bound(instance, len, out_len) != CB_OK) return fail(error, CB_E_LIMIT, "too much");
    return fail(error, CB_E_TOO_SMALL, "less room than bound() says");
  }
  *out_len = flow.out_len;
  return CB_OK;
}

/* What the last step of decoding all the input means for one shot. */
static cb_status judge(cb_status last, size_t len, cb_error* error) {
  if (last == CB_END) return CB_OK;
  if (last == CB_OK && wrong == TAKES_TRUNCATED && len > 0) return CB_OK;
  if (last == CB_MORE && wrong == CUTS_AT_CAP) return CB_OK;
  if (last == CB_OK) return fail(error, CB_E_CORRUPT, "the input ends in a frame");
  if (last == CB_MORE) return fail(error, CB_E_LIMIT, "more than fits");
  return last;
}

static cb_status decompress(cb_instance* instance, const void* in, size_t len, void* out,
                            size_t cap, size_t* out_len, cb_error* error) {
  cb_codec codec;
  cb_flow flow = whole(in, len, out, wrong == WRITES_PAST_CAP ? SIZE_MAX / 2 : cap);
  cb_status status;
  (void)instance;
  memset(&codec, 0, sizeof(codec));
  codec.magic = ONE_SHOT;
  do {
    status = decode(&codec, &flow, error);
  } while (status == CB_END && flow.in_used < flow.in_len && wrong != ONE_FRAME);
  status = judge(status, len, error);
  if (status != CB_OK) return status;
  *out_len = flow.out_len;
  return CB_OK;
}

/* --- descriptor and entry --------------------------------------------------------------------- */

static const cb_compress_ops OPS = {sizeof(cb_compress_ops),
                                    0,
                                    bound,
                                    compress,
                                    decompress,
                                    codec_new,
                                    codec_run,
                                    codec_reset,
                                    codec_free};

static const cb_descriptor DESCRIPTOR = {
    .size = sizeof(cb_descriptor),
    .id = PLUGIN_ID,
    .interface_id = CB_COMPRESS_INTERFACE,
    .version = "1.0.0",
    .vendor = "CyberBackup",
    .license = "Apache-2.0",
    .summary = "Frames of what came in, for tests.",
    .status = "wip",
    .posture = "trusted-peer",
    .capabilities = CB_COMPRESS_STREAM,
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
