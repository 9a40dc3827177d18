/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does one thing wrong in what it says of itself, or between create and destroy; which one, the
 * build says: each WRONG_... is a module of its own. Without any, nothing is wrong.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "cyberbackup/transport.h"
#include "plain_store_c.h"

static const cb_store_ops ops = PLAIN_STORE_OPS;

static const cb_option options[] = {
    {"greeting", "What it says.", NULL, NULL, 0, 0, CB_OPTION_STRING, 0},
    {"password", "What it keeps to itself.", NULL, NULL, 0, 0, CB_OPTION_SECRET, 0},
#ifdef WRONG_OPTION_WITHOUT_HELP
    {"level", "", "1", NULL, 1, 9, CB_OPTION_INT, 0},
#endif
#ifdef WRONG_REQUIRED_WITH_DEFAULT
    {"level", "How hard to try.", "1", NULL, 1, 9, CB_OPTION_INT, CB_OPTION_REQUIRED},
#endif
#ifdef WRONG_UNKNOWN_OPTION_FLAG
    {"level", "How hard to try.", "1", NULL, 1, 9, CB_OPTION_INT, 4096},
#endif
};

#ifdef WRONG_UNDECLARED_THREAD
static int ends[2];
static pthread_t thread;
static void* wait_for_the_end(void* nothing) {
  char byte;
  while (read(ends[0], &byte, 1) > 0) continue;
  return nothing;
}
#endif

static cb_status create(const cb_host* host, const cb_config* config, cb_instance** out,
                        cb_error* error) {
  cb_status status;
#ifdef WRONG_REFUSES_SILENTLY
  if (config->values[0].is_set) return CB_E_INVALID;
#endif
#ifdef WRONG_REFUSES_AND_MAKES
  if (config->values[0].is_set) {
    plain_create(host, config, out, error);
    return plain_fail(error, CB_E_INVALID, "no greeting is wanted");
  }
#endif
#ifdef WRONG_CREATE_READS_PAST_HOST
  if (((const volatile unsigned char*)host)[sizeof *host + 1] == 1 && config->count > 1000)
    return CB_E_INVALID;
#endif
#ifdef WRONG_CREATE_WANTS_EXACT_HOST
  if (host->size != sizeof *host) return plain_fail(error, CB_E_UNSUPPORTED, "another host");
#endif
#ifdef WRONG_LEAKS_DESCRIPTOR
  (void)!dup(0);
#endif
#ifdef WRONG_PRINTS_IN_CREATE
  puts("hello from create");
#endif
#ifdef WRONG_ABORTS_WITHOUT_RANDOM
  {
    unsigned char seed[16];
    if (host->random(host->ctx, seed, sizeof seed) != CB_OK) abort();
  }
#endif
#ifdef WRONG_LOGS_SECRET
  if (config->values[1].is_set)
    host->log(host->ctx, CB_LOG_DEBUG, config->values[1].text, config->values[1].length);
#endif
  status = plain_create(host, config, out, error);
  if (status != CB_OK) return status;
#ifdef WRONG_LEAKS_MEMORY
  (*out)->extra = calloc(1, 24);
#endif
#ifdef WRONG_TRUSTS_MALLOC
  (*out)->extra = malloc(24);
  *(volatile char*)(*out)->extra = 1;
#endif
#ifdef WRONG_UNDECLARED_THREAD
  if (pipe2(ends, O_CLOEXEC) != 0 || pthread_create(&thread, NULL, wait_for_the_end, NULL) != 0) {
    close(ends[0]);
    close(ends[1]);
    plain_destroy(*out);
    *out = NULL;
    return plain_fail(error, CB_E_NO_MEMORY, "no thread");
  }
#endif
  return CB_OK;
}

static void destroy(cb_instance* instance) {
#ifdef WRONG_DESTROYS_NULL
  instance->extra = NULL;
#endif
#ifdef WRONG_TRUSTS_MALLOC
  if (instance != NULL) free(instance->extra);
#endif
#ifdef WRONG_UNDECLARED_THREAD
  if (instance != NULL) {
    close(ends[1]);
    pthread_join(thread, NULL);
    close(ends[0]);
  }
#endif
  plain_destroy(instance);
}

static const void* extension(cb_instance* instance, const char* id) {
  (void)instance;
  (void)id;
#ifdef WRONG_EXTENSION_FOR_ALL
  return &ops;
#endif
#ifdef WRONG_EXTENSION_BY_PREFIX
  if (strncmp(id, CB_TRANSPORT_RELOAD, strlen(CB_TRANSPORT_RELOAD)) == 0) return &ops;
#endif
  return NULL;
}

static const cb_descriptor descriptor = {.size = sizeof(cb_descriptor),
                                         .id = PLUGIN_ID,
                                         .interface_id = CB_STORE_INTERFACE,
                                         .version = "1.0.0",
                                         .vendor = "CyberBackup",
                                         .license = "Apache-2.0",
#ifdef WRONG_SUMMARY_OF_LINES
                                         .summary = "A store in memory,\nfor tests.",
#else
                                         .summary = "A store in memory, for tests.",
#endif
                                         .status = "wip",
                                         .posture = "trusted-peer",
#ifdef WRONG_UNKNOWN_CAPABILITY
                                         .capabilities = (uint64_t)1 << 40,
#endif
                                         .options = options,
                                         .option_size = sizeof(cb_option),
                                         .option_count = sizeof options / sizeof options[0],
                                         .ops = &ops,
                                         .create = create,
                                         .destroy = destroy,
                                         .extension = extension};

static const cb_descriptor* const* descriptors(uint32_t* count) {
  static const cb_descriptor* const all[] = {&descriptor};
  *count = 1;
  return all;
}

CB_EXPORT_ENTRY const cb_entry cb_plugin_entry_v1;
const cb_entry cb_plugin_entry_v1 = {CB_ENTRY_MAGIC, sizeof(cb_entry), CB_ABI_MINOR, 0, NULL,
                                     NULL,           descriptors};
