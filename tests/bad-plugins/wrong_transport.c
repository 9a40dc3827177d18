/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport-tcp or transport-tls with one thing done wrong; which one, the build says: each
 * WRONG_... is a module of its own.
 */
#define _GNU_SOURCE
#include "cyberbackup/transport.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#include "wrapped_plugin.h"

static cb_transport_ops real_ops, ops;

#ifdef WRONG_TCP_CHANGES_A_BYTE
static cb_status do_read(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error) {
  cb_status status = real_ops.read(stream, buf, cap, got, error);
  if (status == CB_OK && cap > 50000 && *got > 10000) ((uint8_t*)buf)[10000] ^= 1;
  return status;
}
static void change(void) { ops.read = do_read; }
#endif

#ifdef WRONG_TCP_LOSES_SHORT_WRITES
static cb_status do_write(cb_stream* stream, const void* buf, size_t len, size_t* took,
                          cb_error* error) {
  cb_status status = real_ops.write(stream, buf, len, took, error);
  if (status == CB_OK && len >= (1u << 20) && *took < 64u << 10) *took += 1;
  return status;
}
static void change(void) { ops.write = do_write; }
#endif

#ifdef WRONG_TCP_SKIPS_AT_ONE_BYTE
static cb_status do_read(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error) {
  uint8_t two[2];
  cb_status status;
  if (cap != 1) return real_ops.read(stream, buf, cap, got, error);
  status = real_ops.read(stream, two, 2, got, error);
  if (status != CB_OK) return status;
  *(uint8_t*)buf = two[0];
  *got = 1;
  return CB_OK;
}
static void change(void) { ops.read = do_read; }
#endif

#ifdef WRONG_TCP_WANTS_THE_OTHER
static cb_status do_read(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error) {
  cb_status status = real_ops.read(stream, buf, cap, got, error);
  return status == CB_WANT_READ ? CB_WANT_WRITE : status;
}
static void change(void) { ops.read = do_read; }
#endif

#ifdef WRONG_TCP_MOVES_ITS_FD
static cb_stream* moved;
static int other;
static cb_status do_shutdown(cb_stream* stream, cb_error* error) {
  cb_status status = real_ops.shutdown(stream, error);
  if (!other) other = fcntl(real_ops.fd(stream), F_DUPFD_CLOEXEC, 0);
  moved = stream;
  return status;
}
static int32_t fd(cb_stream* stream) { return stream == moved ? other : real_ops.fd(stream); }
static void change(void) {
  ops.shutdown = do_shutdown;
  ops.fd = fd;
}
#endif

#ifdef WRONG_TCP_ONE_THREAD_ONLY
static pthread_t owner;
static cb_status do_connect(cb_instance* instance, const cb_endpoint* endpoint, cb_stream** out,
                            cb_error* error) {
  owner = pthread_self();
  return real_ops.connect(instance, endpoint, out, error);
}
static cb_status handshake(cb_stream* stream, cb_error* error) {
  if (!pthread_equal(owner, pthread_self())) return CB_E_BUSY;
  return real_ops.handshake(stream, error);
}
static void change(void) {
  ops.connect = do_connect;
  ops.handshake = handshake;
}
#endif

#ifdef WRONG_TCP_ENDS_BOTH_WAYS
static cb_stream* ended;
static cb_status do_shutdown(cb_stream* stream, cb_error* error) {
  ended = stream;
  return real_ops.shutdown(stream, error);
}
static cb_status do_read(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error) {
  if (stream == ended) return CB_END;
  return real_ops.read(stream, buf, cap, got, error);
}
static void change(void) {
  ops.shutdown = do_shutdown;
  ops.read = do_read;
}
#endif

#if defined(WRONG_TCP_RESET_IS_END) || defined(WRONG_TLS_CUT_IS_END)
static cb_status do_read(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error) {
  cb_status status = real_ops.read(stream, buf, cap, got, error);
  return status == CB_E_CLOSED ? CB_END : status;
}
static void change(void) { ops.read = do_read; }
#endif

#ifdef WRONG_TCP_READS_TOO_EARLY
static cb_status do_read(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error) {
  cb_status status = real_ops.read(stream, buf, cap, got, error);
  return status == CB_E_STATE ? CB_WANT_READ : status;
}
static void change(void) { ops.read = do_read; }
#endif

#ifdef WRONG_TCP_LEAKS_AT_CLOSE
static void do_close(cb_stream* stream) {
  if (stream) (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
  real_ops.close(stream);
}
static void change(void) { ops.close = do_close; }
#endif

#ifdef WRONG_TCP_KNOWS_EVERYTHING
static cb_status info(cb_stream* stream, uint32_t what, void* out, size_t cap, size_t* len) {
  cb_status status = real_ops.info(stream, what, out, cap, len);
  if (status != CB_E_UNSUPPORTED) return status;
  *len = 0;
  return CB_OK;
}
static void change(void) { ops.info = info; }
#endif

#ifdef WRONG_TLS_TAKES_GARBAGE
static cb_status handshake(cb_stream* stream, cb_error* error) {
  cb_status status = real_ops.handshake(stream, error);
  return status == CB_E_CORRUPT ? CB_OK : status;
}
static void change(void) { ops.handshake = handshake; }
#endif

#ifdef WRONG_TLS_SPINS_IN_HANDSHAKE
static cb_status handshake(cb_stream* stream, cb_error* error) {
  cb_status status = real_ops.handshake(stream, error);
  return status == CB_WANT_READ ? CB_WANT_WRITE : status;
}
static void change(void) { ops.handshake = handshake; }
#endif

#ifdef WRONG_TLS_BINDS_TO_NOTHING
static cb_status info(cb_stream* stream, uint32_t what, void* out, size_t cap, size_t* len) {
  cb_status status = real_ops.info(stream, what, out, cap, len);
  if (status == CB_OK && what == CB_INFO_CHANNEL_BINDING) memset(out, 0, *len);
  return status;
}
static void change(void) { ops.info = info; }
#endif

static const void* change_ops(const void* from) {
  memcpy(&real_ops, from, sizeof real_ops);
  ops = real_ops;
  change();
  return &ops;
}
