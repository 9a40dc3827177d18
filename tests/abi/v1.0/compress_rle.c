/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress-rle: a plugin of the interface cb.compress/1 in one file of C99. Its format is
 * run-length coding, too simple to be of much use and short enough to be read at once. Replace it
 * by yours.
 *
 * A frame is the four bytes "RLE1" and then blocks, each of which begins with one byte n:
 *   0           the end of the frame
 *   1..127      n bytes follow as they are
 *   128..255    the next byte, n - 125 times (3..130)
 *
 * Instances do not change after create, so any number of threads may use one; a codec is used by
 * one thread at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "cyberbackup/compress.h"

enum { MAGIC_SIZE = 4, LITERAL_MAX = 127, RUN_MIN = 3, RUN_MAX = 130, RUN_BASE = 125 };
static const unsigned char MAGIC[MAGIC_SIZE] = {'R', 'L', 'E', '1'};

/* --- options -------------------------------------------------------------------------------------
 */

enum { OPTION_SHORTEST_RUN, OPTION_COUNT };

static const cb_option OPTIONS[OPTION_COUNT] = {
    {"shortest_run", "How many equal bytes in a row are worth a block of their own.", "3", NULL,
     RUN_MIN, LITERAL_MAX, CB_OPTION_INT, 0},
};

/* The value of one option. A newer host may have longer values, so the stride is the host's. */
static const cb_value* value_of(const cb_config* config, size_t option) {
  const char* first = (const char*)config->values;
  return (const cb_value*)(const void*)(first + option * config->value_size);
}

/* --- instance ------------------------------------------------------------------------------------
 */

struct cb_instance {
  size_t shortest_run;
};

/* Fills the caller's record, if there is one; returns the status. */
static cb_status fail(cb_error* error, cb_status status, const char* message) {
  if (error != NULL && CB_HAS_FIELD(error, cb_error, message)) {
    error->status = status;
    error->os_errno = 0;
    error->flags = status == CB_E_NO_MEMORY ? CB_ERROR_RETRY : CB_ERROR_PERMANENT;
    strncpy(error->message, message, sizeof(error->message) - 1);
    error->message[sizeof(error->message) - 1] = '\0';
  }
  return status;
}

static cb_status create(const cb_host* host, const cb_config* config, cb_instance** out,
                        cb_error* error) {
  cb_instance* made = malloc(sizeof(*made));
  (void)host; /* keep the pointer if you want to log, or need random bytes */
  *out = NULL;
  if (made == NULL) return fail(error, CB_E_NO_MEMORY, "compress-rle: out of memory");
  made->shortest_run = (size_t)value_of(config, OPTION_SHORTEST_RUN)->number;
  *out = made;
  return CB_OK;
}

static void destroy(cb_instance* instance) { free(instance); }

/* --- codec ---------------------------------------------------------------------------------------
 */

/* What a decoder waits for. */
enum { WANT_MAGIC, WANT_BLOCK, WANT_LITERALS, WANT_RUN_BYTE, WANT_ROOM_FOR_RUN, DAMAGED };

struct cb_codec {
  uint32_t direction;
  size_t shortest_run;

  /* Encoder: what has been read and is not coded yet, then what is coded and not given out yet. */
  size_t literal_len;
  unsigned char literal[LITERAL_MAX];
  unsigned char run_byte; /* of both directions */
  size_t run_len;         /* of both directions */
  int frame_open;
  int frame_ended;
  size_t ready_at;
  size_t ready_len;
  unsigned char ready[MAGIC_SIZE + 2 * (1 + LITERAL_MAX) + 2 + 1]; /* most that one step makes */

  /* Decoder */
  int want;
  size_t left; /* bytes of the magic or of the literals that are still to come */
};

static void begin_frame(cb_codec* codec) {
  codec->literal_len = 0;
  codec->run_len = 0;
  codec->frame_open = 0;
  codec->frame_ended = 0;
  codec->ready_at = 0;
  codec->ready_len = 0;
  codec->want = WANT_MAGIC;
  codec->left = MAGIC_SIZE;
}

static void put(cb_codec* codec, const void* bytes, size_t len) {
  memcpy(codec->ready + codec->ready_len, bytes, len);
  codec->ready_len += len;
}

static void put_byte(cb_codec* codec, size_t byte) {
  codec->ready[codec->ready_len++] = (unsigned char)byte;
}

static void put_literals(cb_codec* codec) {
  if (codec->literal_len == 0) return;
  put_byte(codec, codec->literal_len);
  put(codec, codec->literal, codec->literal_len);
  codec->literal_len = 0;
}

/* Codes the run that has just ended, or makes literals of it when it is too short. */
static void end_run(cb_codec* codec) {
  if (codec->run_len >= codec->shortest_run) {
    put_literals(codec);
    put_byte(codec, codec->run_len + RUN_BASE);
    put_byte(codec, codec->run_byte);
    codec->run_len = 0;
  }
  for (; codec->run_len > 0; --codec->run_len) {
    codec->literal[codec->literal_len++] = codec->run_byte;
    if (codec->literal_len == LITERAL_MAX) put_literals(codec);
  }
}

static void open_frame(cb_codec* codec) {
  if (!codec->frame_open) put(codec, MAGIC, MAGIC_SIZE);
  codec->frame_open = 1;
}

static void encode_byte(cb_codec* codec, unsigned char byte) {
  open_frame(codec);
  if (codec->run_len > 0 && (byte != codec->run_byte || codec->run_len == RUN_MAX)) end_run(codec);
  codec->run_byte = byte;
  ++codec->run_len;
}

/* Gives out what is ready, as far as there is room; true when nothing is left. */
static int drain(cb_codec* codec, cb_flow* flow) {
  const size_t room = flow->out_cap - flow->out_len;
  size_t len = codec->ready_len - codec->ready_at;
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

static cb_status encode(cb_codec* codec, cb_flow* flow, uint32_t op) {
  const unsigned char* in = flow->in;
  if (!drain(codec, flow)) return CB_MORE;
  while (flow->in_used < flow->in_len && !codec->frame_ended) {
    encode_byte(codec, in[flow->in_used++]);
    if (!drain(codec, flow)) return CB_MORE;
  }
  if (op != CB_CODEC_GO && !codec->frame_ended) {
    end_run(codec);
    put_literals(codec);
  }
  if (op == CB_CODEC_FINISH && !codec->frame_ended) {
    open_frame(codec);
    put_byte(codec, 0);
    codec->frame_ended = 1;
  }
  if (!drain(codec, flow)) return CB_MORE;
  if (codec->frame_ended) begin_frame(codec);
  return CB_OK;
}

/* Takes the byte that says what comes next; true at the end of the frame. */
static int decode_block(cb_codec* codec, unsigned char n) {
  if (n == 0) return 1;
  codec->want = n <= LITERAL_MAX ? WANT_LITERALS : WANT_RUN_BYTE;
  if (n <= LITERAL_MAX)
    codec->left = n;
  else
    codec->run_len = (size_t)n - RUN_BASE;
  return 0;
}

/* Moves literals, or a run, as far as input and room go. */
static void decode_bytes(cb_codec* codec, cb_flow* flow) {
  unsigned char* out = (unsigned char*)flow->out + flow->out_len;
  const int is_run = codec->want == WANT_ROOM_FOR_RUN;
  size_t len = is_run ? codec->run_len : codec->left;
  if (len > flow->out_cap - flow->out_len) len = flow->out_cap - flow->out_len;
  if (is_run) {
    memset(out, codec->run_byte, len);
    codec->run_len -= len;
  } else {
    if (len > flow->in_len - flow->in_used) len = flow->in_len - flow->in_used;
    memcpy(out, (const unsigned char*)flow->in + flow->in_used, len);
    flow->in_used += len;
    codec->left -= len;
  }
  flow->out_len += len;
  if ((is_run ? codec->run_len : codec->left) == 0) codec->want = WANT_BLOCK;
}

static cb_status decode_magic(cb_codec* codec, unsigned char byte, cb_error* error) {
  if (byte != MAGIC[MAGIC_SIZE - codec->left]) {
    codec->want = DAMAGED;
    return fail(error, CB_E_CORRUPT, "not a frame of compress-rle");
  }
  if (--codec->left == 0) codec->want = WANT_BLOCK;
  return CB_OK;
}

static cb_status decode(cb_codec* codec, cb_flow* flow, cb_error* error) {
  const unsigned char* in = flow->in;
  for (;;) {
    const int wants_room = codec->want == WANT_LITERALS || codec->want == WANT_ROOM_FOR_RUN;
    if (codec->want != WANT_ROOM_FOR_RUN && flow->in_used == flow->in_len) return CB_OK;
    if (wants_room && flow->out_len == flow->out_cap) return CB_MORE;
    if (wants_room) {
      decode_bytes(codec, flow);
    } else if (codec->want == WANT_MAGIC) {
      if (decode_magic(codec, in[flow->in_used++], error) != CB_OK) return CB_E_CORRUPT;
    } else if (codec->want == WANT_RUN_BYTE) {
      codec->run_byte = in[flow->in_used++];
      codec->want = WANT_ROOM_FOR_RUN;
    } else if (decode_block(codec, in[flow->in_used++])) {
      begin_frame(codec);
      return CB_END;
    }
  }
}

static cb_status codec_new(cb_instance* instance, uint32_t direction, cb_codec** out,
                           cb_error* error) {
  cb_codec* made;
  *out = NULL;
  if (direction != CB_CODEC_COMPRESS && direction != CB_CODEC_DECOMPRESS)
    return fail(error, CB_E_INVALID, "a codec compresses or decompresses");
  made = malloc(sizeof(*made));
  if (made == NULL) return fail(error, CB_E_NO_MEMORY, "compress-rle: out of memory");
  made->direction = direction;
  made->shortest_run = instance->shortest_run;
  begin_frame(made);
  *out = made;
  return CB_OK;
}

static cb_status codec_run(cb_codec* codec, cb_flow* flow, uint32_t op, cb_error* error) {
  const uint32_t last_op = codec->direction == CB_CODEC_COMPRESS ? CB_CODEC_FINISH : CB_CODEC_GO;
  flow->in_used = 0;
  flow->out_len = 0;
  if (op > last_op) return fail(error, CB_E_INVALID, "not an operation of this codec");
  if (codec->direction == CB_CODEC_COMPRESS) return encode(codec, flow, op);
  if (codec->want == DAMAGED) return fail(error, CB_E_STATE, "the last run failed: reset first");
  return decode(codec, flow, error);
}

static cb_status codec_reset(cb_codec* codec, cb_error* error) {
  (void)error;
  begin_frame(codec);
  return CB_OK;
}

static void codec_free(cb_codec* codec) { free(codec); }

/* --- one shot ------------------------------------------------------------------------------------
 */

/* At worst all bytes are literals: one byte more for each 127 of them, magic and end. */
static cb_status bound(cb_instance* instance, size_t plain_len, size_t* out) {
  const size_t more = plain_len / LITERAL_MAX + MAGIC_SIZE + 2;
  (void)instance;
  *out = 0;
  if (plain_len > SIZE_MAX - more) return CB_E_LIMIT;
  *out = plain_len + more;
  return CB_OK;
}

static cb_flow whole(const void* in, size_t len, void* out, size_t cap) {
  cb_flow flow;
  memset(&flow, 0, sizeof(flow));
  flow.size = sizeof(flow);
  flow.in = in;
  flow.in_len = len;
  flow.out = out;
  flow.out_cap = cap;
  return flow;
}

/* The codec lies on the stack, so that one shot allocates nothing. */
static cb_status compress(cb_instance* instance, const void* in, size_t len, void* out, size_t cap,
                          size_t* out_len, cb_error* error) {
  cb_codec codec;
  cb_flow flow = whole(in, len, out, cap);
  *out_len = 0;
  codec.direction = CB_CODEC_COMPRESS;
  codec.shortest_run = instance->shortest_run;
  begin_frame(&codec);
  if (encode(&codec, &flow, CB_CODEC_FINISH) != CB_OK) {
    if (bound(instance, len, out_len) != CB_OK) return fail(error, CB_E_LIMIT, "too large");
    return fail(error, CB_E_TOO_SMALL, "the room is smaller than bound() says");
  }
  *out_len = flow.out_len;
  return CB_OK;
}

static cb_status decompress(cb_instance* instance, const void* in, size_t len, void* out,
                            size_t cap, size_t* out_len, cb_error* error) {
  cb_codec codec;
  cb_flow flow = whole(in, len, out, cap);
  cb_status status = CB_OK;
  (void)instance;
  *out_len = 0;
  codec.direction = CB_CODEC_DECOMPRESS;
  begin_frame(&codec);
  do {
    status = decode(&codec, &flow, error);
  } while (status == CB_END && flow.in_used < flow.in_len);
  if (status == CB_OK) return fail(error, CB_E_CORRUPT, "the input ends inside a frame");
  if (status == CB_MORE) return fail(error, CB_E_LIMIT, "there is more than fits");
  if (status != CB_END) return status;
  *out_len = flow.out_len;
  return CB_OK;
}

/* --- descriptor and entry ------------------------------------------------------------------------
 */

static const cb_compress_ops OPS = {
    .size = sizeof(cb_compress_ops),
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
    .codec_new = codec_new,
    .codec_run = codec_run,
    .codec_reset = codec_reset,
    .codec_free = codec_free,
};

static const cb_descriptor DESCRIPTOR = {
    .size = sizeof(cb_descriptor),
    .id = "compress-rle",
    .interface_id = CB_COMPRESS_INTERFACE,
    .version = CB_PLUGIN_VERSION,
    .vendor = "Example",
    .license = "Apache-2.0",
    .summary = "Run-length coding.",
    .status = "wip",
    .posture = "untrusted-peer",
    .capabilities = CB_COMPRESS_STREAM,
    .options = OPTIONS,
    .option_size = sizeof(cb_option),
    .option_count = OPTION_COUNT,
    .ops = &OPS,
    .create = create,
    .destroy = destroy,
};

static const cb_descriptor* const DESCRIPTORS[] = {&DESCRIPTOR};

static const cb_descriptor* const* descriptors(uint32_t* count) {
  *count = sizeof(DESCRIPTORS) / sizeof(DESCRIPTORS[0]);
  return DESCRIPTORS;
}

/* The one symbol that leaves this file. */
CB_EXPORT_ENTRY const cb_entry cb_plugin_entry_v1 = {
    .magic = CB_ENTRY_MAGIC,
    .size = sizeof(cb_entry),
    .abi_minor = CB_ABI_MINOR,
    .descriptors = descriptors,
};
