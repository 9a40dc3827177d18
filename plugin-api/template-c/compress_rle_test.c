/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The author's own test: loads the module as a host does and uses it. Usage: compress_rle_test
 * ./compress-rle.so. What every compressor must do is cyberbackup-plugin-check's work; here is what
 * only this one does. One thread.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cyberbackup/compress.h"

static int failures;

#define EXPECT(condition)                                         \
  do {                                                            \
    if (!(condition)) {                                           \
      ++failures;                                                 \
      fprintf(stderr, "line %d: not %s\n", __LINE__, #condition); \
    }                                                             \
  } while (0)

static const cb_compress_ops* ops;
static cb_instance* instance;

/* Compresses `plain`, compares with the expected bytes, and decompresses again. */
static void expect_frame(const char* plain, size_t plain_len, const char* frame, size_t frame_len) {
  unsigned char packed[512];
  unsigned char back[512];
  size_t len = 0;
  EXPECT(ops->compress(instance, plain, plain_len, packed, sizeof packed, &len, NULL) == CB_OK);
  EXPECT(len == frame_len && memcmp(packed, frame, len) == 0);
  EXPECT(ops->decompress(instance, packed, frame_len, back, plain_len, &len, NULL) == CB_OK);
  EXPECT(len == plain_len && memcmp(back, plain, len) == 0);
}

static void the_format_is_as_described(void) {
  expect_frame("", 0, "RLE1\0", 5);
  expect_frame("ab", 2, "RLE1\2ab\0", 8);
  expect_frame("aabb", 4, "RLE1\4aabb\0", 10);
  expect_frame("xaaaay", 6, "RLE1\1x\201a\1y\0", 11);
}

static void a_long_run_is_cut(void) {
  char plain[300];
  memset(plain, 'z', sizeof plain);
  expect_frame(plain, sizeof plain, "RLE1\377z\377z\245z\0", 11);
}

static void a_stream_gives_what_one_shot_gives(void) {
  const char plain[] = "aaaaabcdefgggggggggggggggggggggg";
  unsigned char whole[128];
  unsigned char pieces[128];
  size_t whole_len = 0;
  size_t pieces_len = 0;
  size_t at = 0;
  cb_codec* codec = NULL;
  cb_status status = CB_MORE;
  EXPECT(ops->compress(instance, plain, sizeof plain, whole, sizeof whole, &whole_len, NULL) ==
         CB_OK);
  EXPECT(ops->codec_new(instance, CB_CODEC_COMPRESS, &codec, NULL) == CB_OK);
  while (at < sizeof plain || status == CB_MORE) {
    cb_flow flow = {sizeof(cb_flow),     0, plain + at, at < sizeof plain, 0,
                    pieces + pieces_len, 1, 0};
    status = ops->codec_run(codec, &flow,
                            at + flow.in_len == sizeof plain ? CB_CODEC_FINISH : CB_CODEC_GO, NULL);
    EXPECT(status == CB_OK || status == CB_MORE);
    at += flow.in_used;
    pieces_len += flow.out_len;
    if (failures > 0) break;
  }
  ops->codec_free(codec);
  EXPECT(pieces_len == whole_len && memcmp(pieces, whole, whole_len) == 0);
}

static void other_formats_are_refused(void) {
  unsigned char back[16];
  size_t len = 0;
  cb_error error;
  memset(&error, 0, sizeof error);
  error.size = sizeof error;
  EXPECT(ops->decompress(instance, "PK\3\4", 4, back, sizeof back, &len, &error) == CB_E_CORRUPT);
  EXPECT(error.status == CB_E_CORRUPT && strstr(error.message, "compress-rle") != NULL);
  EXPECT(ops->decompress(instance, "RLE1\5ab", 7, back, sizeof back, &len, NULL) == CB_E_CORRUPT);
}

int main(int count, char** arguments) {
  const cb_value shortest_run = {CB_OPTION_INT, 1, 3, NULL, 0};
  const cb_config config = {sizeof(cb_config), sizeof(cb_value), 1, 0, &shortest_run};
  uint32_t offered = 0;
  void* module = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  const cb_entry* entry = module != NULL ? dlsym(module, CB_ENTRY_SYMBOL) : NULL;
  const cb_descriptor* plugin;
  if (entry == NULL) {
    fprintf(stderr, "no plugin loaded: %s\n", count == 2 ? dlerror() : "name one .so file");
    return 2;
  }
  plugin = entry->descriptors(&offered)[0];
  ops = plugin->ops;
  EXPECT(offered == 1);
  EXPECT(plugin->create(NULL, &config, &instance, NULL) == CB_OK);
  if (failures == 0) {
    the_format_is_as_described();
    a_long_run_is_cut();
    a_stream_gives_what_one_shot_gives();
    other_formats_are_refused();
  }
  plugin->destroy(instance);
  printf("compress_rle_test: %d failures\n", failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
