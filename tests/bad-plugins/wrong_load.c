/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does one thing wrong in its file or while it is loaded; which one, the build says: each
 * WRONG_... is a module of its own. Without any, nothing is wrong.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "plain_store_c.h"

static const cb_store_ops ops = PLAIN_STORE_OPS;

static const cb_descriptor descriptor = {.size = sizeof(cb_descriptor),
                                         .id = PLUGIN_ID,
                                         .interface_id = CB_STORE_INTERFACE,
                                         .version = "1.0.0",
                                         .vendor = "CyberBackup",
                                         .license = "Apache-2.0",
                                         .summary = "A store in memory, for tests.",
                                         .status = "wip",
                                         .posture = "trusted-peer",
                                         .ops = &ops,
                                         .create = plain_create,
                                         .destroy = plain_destroy};

#ifdef WRONG_EXPORTS_MORE
__attribute__((visibility("default"))) int more_than_the_entry(void);
int more_than_the_entry(void) { return 1; }
#endif

#ifdef WRONG_RELOCATES_TEXT
/* An address in the code, which the linker has to write there. */
__asm__(".pushsection .text\n.quad cb_plugin_entry_v1\n.popsection");
#endif

#ifdef WRONG_UNLISTED_LIBRARY
/* The host happens to have it. */
const void* EVP_sha256(void);
const void* volatile digest;
__attribute__((constructor)) static void look_up(void) { digest = EVP_sha256(); }
#endif

#ifdef WRONG_STANDS_ALONE
/* Takes a name that only one module in a process can have. */
__attribute__((constructor)) static void take_name(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  const int taken = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "bad-plugin-%d", (int)getpid());
  if (bind(taken, (const struct sockaddr*)&name, sizeof name) != 0) abort();
}
#endif

#ifdef WRONG_THREAD_IN_INIT
static void* wait_for_ever(void* nothing) {
  for (;;) pause();
  return nothing;
}
#endif

static cb_status init(const cb_host* host, const char* module_dir, cb_error* error) {
  static int times = 0;
  (void)host;
  (void)module_dir;
  (void)error;
  ++times;
#ifdef WRONG_READS_PAST_HOST
  if (((const volatile unsigned char*)host)[sizeof *host + 1] == 1 && times > 1000)
    return CB_E_INVALID;
#endif
#ifdef WRONG_WANTS_EXACT_HOST
  if (host->size != sizeof *host) return plain_fail(error, CB_E_UNSUPPORTED, "another host");
#endif
#ifdef WRONG_INITS_ONCE
  if (times > 1) return plain_fail(error, CB_E_STATE, "initialised already");
#endif
#ifdef WRONG_LOADS_SLOWLY
  {
    const struct timespec some = {0, 80 * 1000 * 1000};
    nanosleep(&some, NULL);
  }
#endif
#ifdef WRONG_PRINTS_IN_INIT
  puts("hello from init");
#endif
#ifdef WRONG_THREAD_IN_INIT
  {
    pthread_t thread;
    if (times == 1) pthread_create(&thread, NULL, wait_for_ever, NULL);
  }
#endif
#ifdef WRONG_TAKES_SIGPIPE
  signal(SIGPIPE, SIG_IGN);
#endif
#ifdef WRONG_CHANGES_UMASK
  umask(0);
#endif
  return CB_OK;
}

static const cb_descriptor* const* descriptors(uint32_t* count) {
  static const cb_descriptor* const all[] = {&descriptor, &descriptor};
  *count = 1;
#ifdef WRONG_NO_DESCRIPTORS
  *count = 0;
#endif
#ifdef WRONG_OTHER_DESCRIPTORS_EACH_TIME
  {
    static uint32_t times = 0;
    *count = 1 + times++ % 2;
  }
#endif
  return all;
}

CB_EXPORT_ENTRY const cb_entry cb_plugin_entry_v1;
const cb_entry cb_plugin_entry_v1 = {CB_ENTRY_MAGIC, sizeof(cb_entry), CB_ABI_MINOR, 0, init,
                                     NULL,           descriptors};
