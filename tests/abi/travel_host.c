/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host in one file of C: loads plugins and uses each through its interface, with whatever headers
 * it is built on. Built on old headers it is an old host, built on headers that have grown a new
 * one. All that it hands over ends right before a page that nobody may touch, so a plugin that
 * reaches past the size it was told dies; what a plugin writes must stay inside that size too.
 * Usage: travel_host SCRATCH_FOLDER PLUGIN.so...      One thread.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cyberbackup/base.h"
#include "cyberbackup/compress.h"
#include "cyberbackup/crypto.h"
#include "cyberbackup/store.h"
#include "cyberbackup/transport.h"

enum { PAGE = 4096, TEXT_SIZE = 70000, CAPACITY = 400000, PATH_SIZE = 512 };

static const char* scratch;
static const char* plugin_name = "";
static cb_error* error;

#define EXPECT(what)                    \
  do {                                  \
    if (!(what)) fail(#what, __LINE__); \
  } while (0)

static void fail(const char* what, int line) {
  fprintf(stderr, "%s: line %d: not so: %s; last error: %s\n", plugin_name, line, what,
          error != NULL ? error->message : "");
  exit(1);
}

/* Zeroed memory of `size` bytes, a multiple of 8, that ends where the next page may not be touched.
 */
static void* at_edge(size_t size) {
  const size_t pages = (size + PAGE - 1) / PAGE;
  char* map =
      mmap(NULL, (pages + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || mprotect(map + pages * PAGE, PAGE, PROT_NONE) != 0) abort();
  return map + pages * PAGE - size;
}

#define NEW(type) ((type*)sized(at_edge(sizeof(type)), sizeof(type)))

static void* sized(void* record, uint32_t size) {
  memcpy(record, &size, sizeof(size));
  return record;
}

/* A record that a callee filled has kept its size, and what lies past its last member of 1.0. */
#define EXPECT_WITHIN(record, type, last_member)                                     \
  do {                                                                               \
    const size_t end_ = offsetof(type, last_member) + sizeof((record)->last_member); \
    EXPECT((record)->size == sizeof(type));                                          \
    EXPECT(all_zero((const char*)(record) + end_, sizeof(type) - end_));             \
  } while (0)

static int all_zero(const char* bytes, size_t size) {
  size_t i;
  for (i = 0; i < size; ++i)
    if (bytes[i] != 0) return 0;
  return 1;
}

/* --- the services of this host -----------------------------------------------------------------*/

static void say(void* ctx, int32_t level, const char* text, size_t len) {
  (void)ctx;
  if (level >= CB_LOG_WARN) fprintf(stderr, "%s says: %.*s\n", plugin_name, (int)len, text);
}

static cb_status draw(void* ctx, void* out, size_t len) {
  (void)ctx;
  return getentropy(out, len < 256 ? len : 256) == 0 ? CB_OK : CB_E_IO;
}

static uint64_t now(void* ctx) {
  static uint64_t clock = 1;
  (void)ctx;
  return clock++;
}

static int32_t never(void* ctx) {
  (void)ctx;
  return 0;
}

static const void* nothing(void* ctx, const char* id) {
  (void)ctx;
  (void)id;
  return NULL;
}

static const cb_host* make_host(void) {
  cb_host* host = NEW(cb_host);
  host->abi_minor = CB_ABI_MINOR;
  host->name = "travel_host";
  host->version = "0";
  host->log = say;
  host->random = draw;
  host->monotonic_ns = now;
  host->cancelled = never;
  host->service = nothing;
  return host;
}

/* --- options -----------------------------------------------------------------------------------*/

/* A number as it is written in a configuration: 64MiB, 30s, 3, true. */
static int64_t number_of(const char* text) {
  static const struct {
    const char* unit;
    int64_t factor;
  } units[] = {{"KiB", 1024},        {"MiB", 1 << 20},     {"GiB", 1 << 30},  {"ns", 1},
               {"us", 1000},         {"ms", 1000000},      {"s", 1000000000}, {"min", 60000000000},
               {"h", 3600000000000}, {"d", 86400000000000}};
  char* unit = NULL;
  const int64_t number = strtoll(text, &unit, 10);
  size_t i;
  if (strcmp(text, "true") == 0) return 1;
  if (strcmp(text, "false") == 0 || *unit == '\0') return number;
  for (i = 0; i < sizeof(units) / sizeof(units[0]); ++i)
    if (strcmp(unit, units[i].unit) == 0) return number * units[i].factor;
  fail(text, __LINE__);
  return 0;
}

/* What this host writes for options that have no default and are needed; else null. */
static const char* written(const char* key) {
  if (strcmp(key, "insecure") == 0) return "true";
  if (strcmp(key, "folder") != 0 && strcmp(key, "file") != 0) return NULL;
  char* path = at_edge(PATH_SIZE);
  snprintf(path, PATH_SIZE, "%s/%s-%s", scratch, plugin_name, key);
  return path;
}

static void set_value(cb_value* value, const cb_option* option) {
  const char* text = written(option->key);
  if (text == NULL) text = option->def;
  value->type = option->type;
  if (text == NULL) return;
  value->is_set = 1;
  if (option->type >= CB_OPTION_STRING && option->type != CB_OPTION_LIST) {
    value->text = text;
    value->length = strlen(text);
  } else if (option->type != CB_OPTION_LIST) {
    value->number = number_of(text);
  }
}

static const cb_config* make_config(const cb_descriptor* descriptor) {
  cb_config* config = NEW(cb_config);
  cb_value* values = at_edge(descriptor->option_count * sizeof(cb_value));
  uint32_t i;
  config->value_size = sizeof(cb_value);
  config->count = descriptor->option_count;
  config->values = values;
  for (i = 0; i < config->count; ++i)
    set_value(&values[i], (const cb_option*)(const void*)((const char*)descriptor->options +
                                                          i * descriptor->option_size));
  return config;
}

/* --- one use of each interface -----------------------------------------------------------------*/

static unsigned char text[TEXT_SIZE];
static unsigned char room[CAPACITY];
static unsigned char back[CAPACITY];

static void read_object(const cb_store_ops* ops, cb_instance* instance, uint64_t offset,
                        size_t expected) {
  cb_get* get = NULL;
  size_t size = 0;
  size_t got = 0;
  EXPECT(ops->get_open(instance, "a/b", offset, 0, &get, error) == CB_OK);
  while (ops->get_read(get, back + size, CAPACITY - size, &got, error) == CB_OK) size += got;
  EXPECT(size == expected && memcmp(back, text + offset, size) == 0);
  ops->get_close(get);
}

static void use_store(const cb_descriptor* descriptor, cb_instance* instance) {
  const cb_store_ops* ops = descriptor->ops;
  cb_object* object = NEW(cb_object);
  cb_space* space = NEW(cb_space);
  cb_put* put = NULL;
  cb_list* list = NULL;
  EXPECT(ops->put_begin(instance, "a/b", 0, CB_PUT_IF_ABSENT, &put, error) == CB_OK);
  EXPECT(ops->put_write(put, text, TEXT_SIZE, error) == CB_OK);
  EXPECT(ops->put_commit(put, error) == CB_OK);
  EXPECT(ops->put_begin(instance, "a/c", 0, 0, &put, error) == CB_OK);
  ops->put_abort(put);
  EXPECT(ops->stat(instance, "a/b", object, error) == CB_OK);
  EXPECT(object->length == TEXT_SIZE && object->name_len == 3);
  EXPECT_WITHIN(object, cb_object, name);
  read_object(ops, instance, 0, TEXT_SIZE);
  read_object(ops, instance, TEXT_SIZE, 0);
  EXPECT(ops->list_open(instance, "a", "", &list, error) == CB_OK);
  EXPECT(ops->list_next(list, object, error) == CB_OK && strcmp(object->name, "a/b") == 0);
  EXPECT_WITHIN(object, cb_object, name);
  EXPECT(ops->list_next(list, object, error) == CB_END);
  ops->list_close(list);
  EXPECT(ops->space(instance, space, error) == CB_OK && space->total > 0);
  EXPECT_WITHIN(space, cb_space, free);
  EXPECT(ops->stat(instance, "no/such", object, error) == CB_E_NOT_FOUND);
  EXPECT(error->message[0] != '\0');
  EXPECT_WITHIN(error, cb_error, message);
  EXPECT(ops->remove(instance, "a/b", error) == CB_OK);
}

/* Runs a codec until its frame is done; returns the bytes that came out. */
static size_t run_codec(const cb_compress_ops* ops, cb_instance* instance, uint32_t direction,
                        const void* in, size_t in_len, unsigned char* out) {
  const uint32_t op = direction == CB_CODEC_COMPRESS ? CB_CODEC_FINISH : CB_CODEC_GO;
  cb_codec* codec = NULL;
  cb_flow* flow = NEW(cb_flow);
  size_t size = 0;
  cb_status status = CB_MORE;
  EXPECT(ops->codec_new(instance, direction, &codec, error) == CB_OK);
  flow->in = in;
  flow->in_len = in_len;
  while (status == CB_MORE) {
    flow->out = out + size;
    flow->out_cap = 1000;
    status = ops->codec_run(codec, flow, op, error);
    flow->in = (const char*)flow->in + flow->in_used;
    flow->in_len -= flow->in_used;
    size += flow->out_len;
  }
  EXPECT(status == (direction == CB_CODEC_COMPRESS ? CB_OK : CB_END));
  EXPECT_WITHIN(flow, cb_flow, out_len);
  EXPECT(ops->codec_reset(codec, error) == CB_OK);
  ops->codec_free(codec);
  return size;
}

static void use_compress(const cb_descriptor* descriptor, cb_instance* instance) {
  const cb_compress_ops* ops = descriptor->ops;
  size_t bound = 0;
  size_t small = 0;
  size_t size = 0;
  EXPECT(ops->bound(instance, TEXT_SIZE, &bound) == CB_OK && bound <= CAPACITY);
  EXPECT(ops->compress(instance, text, TEXT_SIZE, room, bound, &small, error) == CB_OK);
  EXPECT(ops->decompress(instance, room, small, back, TEXT_SIZE, &size, error) == CB_OK);
  EXPECT(size == TEXT_SIZE && memcmp(back, text, size) == 0);
  EXPECT(ops->decompress(instance, "rubbish", 7, back, 100, &size, error) == CB_E_CORRUPT);
  EXPECT(error->message[0] != '\0');
  EXPECT_WITHIN(error, cb_error, message);
  if ((descriptor->capabilities & CB_COMPRESS_STREAM) == 0) return;
  small = run_codec(ops, instance, CB_CODEC_COMPRESS, text, TEXT_SIZE, room);
  size = run_codec(ops, instance, CB_CODEC_DECOMPRESS, room, small, back);
  EXPECT(size == TEXT_SIZE && memcmp(back, text, size) == 0);
}

static void seal_and_open(const cb_crypto_ops* ops, const cb_crypto_props* props, cb_key* key) {
  unsigned char header[200];
  size_t header_size = 0;
  size_t sealed = 0;
  size_t size = 0;
  cb_seal* seal = NULL;
  cb_open* open = NULL;
  EXPECT(ops->seal_begin(key, NULL, 0, header, sizeof(header), &header_size, &seal, error) ==
         CB_OK);
  EXPECT(header_size == props->header_size);
  EXPECT(ops->seal_chunk(seal, text, 5000, 1, room, CAPACITY, &sealed, error) == CB_OK);
  EXPECT(ops->open_begin(key, NULL, 0, header, header_size, &open, error) == CB_OK);
  EXPECT(ops->open_chunk(open, 0, 1, room, sealed, back, CAPACITY, &size, error) == CB_OK);
  EXPECT(size == 5000 && memcmp(back, text, size) == 0);
  ops->seal_free(seal);
  ops->open_free(open);
}

static void use_pairs(const cb_crypto_ops* ops, const cb_crypto_props* props,
                      cb_instance* instance) {
  cb_pair* pair = NULL;
  cb_key* sent = NULL;
  cb_key* received = NULL;
  size_t size = 0;
  EXPECT(ops->pair_new(instance, &pair, error) == CB_OK);
  EXPECT(ops->encapsulate(pair, NULL, 0, room, CAPACITY, &size, &sent, error) == CB_OK);
  EXPECT(size <= props->kem_cipher_max);
  EXPECT(ops->decapsulate(pair, NULL, 0, room, size, &received, error) == CB_OK);
  EXPECT(ops->pair_public(pair, room, CAPACITY, &size, error) == CB_OK &&
         size <= props->public_max);
  seal_and_open(ops, props, received);
  ops->key_free(sent);
  ops->key_free(received);
  ops->pair_free(pair);
}

static void use_crypto(const cb_descriptor* descriptor, cb_instance* instance) {
  const cb_crypto_ops* ops = descriptor->ops;
  const uint64_t has = descriptor->capabilities;
  cb_crypto_props* props = NEW(cb_crypto_props);
  cb_key* key = NULL;
  cb_key* other = NULL;
  size_t size = 0;
  EXPECT(ops->props(instance, props) == CB_OK);
  EXPECT_WITHIN(props, cb_crypto_props, max_chunks);
  EXPECT(ops->key_import(instance, text, props->key_size, &key, error) == CB_OK);
  if ((has & CB_CRYPTO_STREAM) != 0) seal_and_open(ops, props, key);
  if ((has & CB_CRYPTO_KEM) != 0) use_pairs(ops, props, instance);
  if ((has & CB_CRYPTO_KEYED_ID) != 0) EXPECT(ops->keyed_id(key, text, 100, back, error) == CB_OK);
  if ((has & CB_CRYPTO_KEY_WRAP) != 0) {
    EXPECT(ops->key_wrap(key, key, room, CAPACITY, &size, error) == CB_OK);
    EXPECT(ops->key_unwrap(key, room, size, &other, error) == CB_OK);
    ops->key_free(other);
    room[0] ^= 1;
    EXPECT(ops->key_unwrap(key, room, size, &other, error) == CB_E_AUTH);
  }
  if ((has & CB_CRYPTO_KEY_DERIVE) != 0) {
    EXPECT(ops->key_derive(key, "label", NULL, 0, &other, error) == CB_OK);
    ops->key_free(other);
  }
  ops->key_free(key);
}

static void wait_for(int fd, cb_status want) {
  struct pollfd one;
  one.fd = fd;
  one.events = want == CB_WANT_READ ? POLLIN : POLLOUT;
  EXPECT(want > 0 && poll(&one, 1, 10000) == 1);
}

static cb_stream* connected(const cb_transport_ops* ops, cb_instance* instance, int32_t port) {
  cb_endpoint* endpoint = NEW(cb_endpoint);
  cb_stream* stream = NULL;
  cb_status status;
  endpoint->direction = CB_ENDPOINT_CONNECT;
  endpoint->address = "127.0.0.1";
  endpoint->port = (uint32_t)port;
  EXPECT(ops->connect(instance, endpoint, &stream, error) == CB_OK);
  while ((status = ops->handshake(stream, error)) > 0) wait_for(ops->fd(stream), status);
  EXPECT(status == CB_OK);
  return stream;
}

static void use_root(const cb_transport_ops* ops, cb_instance* instance) {
  cb_endpoint* endpoint = NEW(cb_endpoint);
  cb_listener* listener = NULL;
  cb_stream* near_end = NULL;
  cb_stream* far_end = NULL;
  size_t moved = 0;
  endpoint->direction = CB_ENDPOINT_LISTEN;
  endpoint->address = "127.0.0.1";
  EXPECT(ops->listen(instance, endpoint, &listener, error) == CB_OK);
  EXPECT(ops->listener_port(listener) > 0);
  near_end = connected(ops, instance, ops->listener_port(listener));
  wait_for(ops->listener_fd(listener), CB_WANT_READ);
  EXPECT(ops->accept(listener, &far_end, error) == CB_OK);
  ops->listener_close(listener);
  EXPECT(ops->handshake(far_end, error) == CB_OK);
  EXPECT(ops->write(near_end, "hello", 5, &moved, error) == CB_OK && moved == 5);
  EXPECT(ops->shutdown(near_end, error) == CB_OK);
  wait_for(ops->fd(far_end), CB_WANT_READ);
  EXPECT(ops->read(far_end, back, 100, &moved, error) == CB_OK && memcmp(back, "hello", 5) == 0);
  wait_for(ops->fd(far_end), CB_WANT_READ);
  EXPECT(ops->read(far_end, back, 100, &moved, error) == CB_END);
  EXPECT(ops->info(far_end, CB_INFO_PROTOCOL, back, 100, &moved) == CB_OK && moved > 0);
  ops->close(near_end);
  ops->close(far_end);
}

/* The stream below a filter: takes everything, has nothing to give. */
static size_t sent_below;

static cb_status read_below(void* ctx, void* buf, size_t cap, size_t* got, cb_error* of) {
  (void)ctx, (void)buf, (void)cap, (void)got, (void)of;
  return CB_WANT_READ;
}

static cb_status write_below(void* ctx, const void* buf, size_t len, size_t* took, cb_error* of) {
  (void)ctx, (void)buf, (void)of;
  sent_below += len;
  *took = len;
  return CB_OK;
}

static cb_status shutdown_below(void* ctx, cb_error* of) {
  (void)ctx, (void)of;
  return CB_OK;
}

static void use_filter(const cb_transport_ops* ops, cb_instance* instance) {
  cb_endpoint* endpoint = NEW(cb_endpoint);
  cb_lower* lower = NEW(cb_lower);
  cb_stream* stream = NULL;
  endpoint->direction = CB_ENDPOINT_CONNECT;
  endpoint->address = "127.0.0.1";
  endpoint->peer_name = "example.test";
  lower->read = read_below;
  lower->write = write_below;
  lower->shutdown = shutdown_below;
  EXPECT(ops->wrap(instance, endpoint, lower, &stream, error) == CB_OK);
  EXPECT(ops->handshake(stream, error) == CB_WANT_READ && sent_below > 0);
  ops->close(stream);
}

static void use_transport(const cb_descriptor* descriptor, cb_instance* instance) {
  if ((descriptor->capabilities & CB_TRANSPORT_ROOT) != 0) use_root(descriptor->ops, instance);
  if ((descriptor->capabilities & CB_TRANSPORT_FILTER) != 0) use_filter(descriptor->ops, instance);
}

/* --- loading -----------------------------------------------------------------------------------*/

static void use(const cb_descriptor* descriptor, cb_instance* instance) {
  static const struct {
    const char* id;
    void (*use)(const cb_descriptor*, cb_instance*);
  } interfaces[] = {{CB_STORE_INTERFACE, use_store},
                    {CB_COMPRESS_INTERFACE, use_compress},
                    {CB_CRYPTO_INTERFACE, use_crypto},
                    {CB_TRANSPORT_INTERFACE, use_transport}};
  size_t i;
  for (i = 0; i < 4; ++i) {
    if (strcmp(interfaces[i].id, descriptor->interface_id) != 0) continue;
    interfaces[i].use(descriptor, instance);
    return;
  }
  fail("the interface is known", __LINE__);
}

static void run_descriptor(const cb_descriptor* descriptor) {
  const cb_host* host = make_host();
  cb_instance* instance = NULL;
  plugin_name = descriptor->id;
  if (CB_HAS(descriptor, cb_descriptor, check))
    EXPECT(descriptor->check(make_config(descriptor), error) == CB_OK);
  EXPECT(descriptor->create(host, make_config(descriptor), &instance, error) == CB_OK);
  use(descriptor, instance);
  if (CB_HAS(descriptor, cb_descriptor, extension))
    EXPECT(descriptor->extension(instance, "example.test.nothing/1") == NULL);
  descriptor->destroy(instance);
  printf("travel_host: %s works in a host of 1.%d\n", descriptor->id, CB_ABI_MINOR);
}

static void run_module(const char* path) {
  void* module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const cb_entry* entry = module == NULL ? NULL : dlsym(module, CB_ENTRY_SYMBOL);
  const cb_descriptor* const* descriptors;
  uint32_t count = 0;
  uint32_t i;
  plugin_name = path;
  if (entry == NULL) fail(dlerror(), __LINE__);
  EXPECT(entry->magic == CB_ENTRY_MAGIC);
  EXPECT(CB_HAS(entry, cb_entry, descriptors));
  EXPECT(entry->needs_minor <= CB_ABI_MINOR);
  if (CB_HAS(entry, cb_entry, init)) EXPECT(entry->init(make_host(), scratch, error) == CB_OK);
  descriptors = entry->descriptors(&count);
  EXPECT(count > 0);
  for (i = 0; i < count; ++i) run_descriptor(descriptors[i]);
  if (CB_HAS(entry, cb_entry, deinit)) entry->deinit();
}

int main(int argc, char** argv) {
  size_t i;
  int module;
  if (argc < 3) {
    fprintf(stderr, "usage: travel_host SCRATCH_FOLDER PLUGIN.so...\n");
    return 2;
  }
  scratch = argv[1];
  error = NEW(cb_error);
  for (i = 0; i < TEXT_SIZE; ++i) text[i] = (unsigned char)(i * i / 977);
  for (module = 2; module < argc; ++module) run_module(argv[module]);
  return 0;
}
