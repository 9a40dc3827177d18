/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cb.transport/1: a non-blocking byte stream.
 *
 * Two kinds share one table. A root (tcp) makes a file descriptor: connect, listen, accept. A
 * filter (tls) is given the stream below it: wrap. A configuration stacks them, transport = ["tls",
 * "tcp"].
 *
 * Rules. handshake is called until it stops wanting. WANT_READ and WANT_WRITE mean: nothing moved,
 * wait for that readiness on fd(), then call the same function again; a read may want writable.
 * read with OK moves at least one byte; END is a clean end only, a cut TLS stream is CB_E_CLOSED.
 * write may take fewer bytes; after a want the retry offers the same bytes, perhaps at another
 * address. Drain before waiting: a filter may hold bytes that no poller announces. The fd is
 * constant for the life of the stream.
 */
#ifndef CYBERBACKUP_TRANSPORT_H
#define CYBERBACKUP_TRANSPORT_H

#include "cyberbackup/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CB_TRANSPORT_INTERFACE "cb.transport/1"

/* Capabilities. A root has connect (and listen, accept, listener_fd, listener_close if it says
   LISTEN); a filter has wrap. */
#define CB_TRANSPORT_ROOT ((uint64_t)1)
#define CB_TRANSPORT_FILTER ((uint64_t)2)
#define CB_TRANSPORT_LISTEN ((uint64_t)4)
#define CB_TRANSPORT_ENCRYPTS ((uint64_t)8)
#define CB_TRANSPORT_AUTHENTICATES_PEER ((uint64_t)16)

/* Directions of an endpoint. */
enum { CB_ENDPOINT_CONNECT = 1, CB_ENDPOINT_LISTEN = 2, CB_ENDPOINT_ACCEPTED = 3 };

/*
 * Where to connect or listen. The host resolves names; a plugin never calls the resolver. A filter
 * gets the endpoint of the stream below: CONNECT makes it a client, ACCEPTED a server.
 */
typedef struct cb_endpoint {
  uint32_t size;
  uint32_t direction;
  const char* address;   /* numeric: "127.0.0.1", "::1"; or a path for local sockets */
  const char* peer_name; /* the name to verify, or null */
  uint32_t port;
  uint32_t backlog; /* LISTEN: pending connections wished for, 0 = the system's most */
} cb_endpoint;

typedef struct cb_stream cb_stream;
typedef struct cb_listener cb_listener;

/* What a filter may do to the stream below it. Same rules as the functions of cb_transport_ops.
 * [io] */
typedef struct cb_lower {
  uint32_t size;
  int32_t fd;
  void* ctx;
  cb_status (*read)(void* ctx, void* buf, size_t cap, size_t* got, cb_error* error);
  cb_status (*write)(void* ctx, const void* buf, size_t len, size_t* took, cb_error* error);
  cb_status (*shutdown)(void* ctx, cb_error* error);
} cb_lower;

/* What `info` can tell. */
enum {
  CB_INFO_PROTOCOL = 1,        /* text: "tcp", "TLSv1.3" */
  CB_INFO_PEER_ADDRESS = 2,    /* text: "127.0.0.1:4711", "[::1]:4711" */
  CB_INFO_LOCAL_ADDRESS = 3,   /* text */
  CB_INFO_CHANNEL_BINDING = 4, /* 32 bytes, equal at both ends (RFC 9266 for TLS) */
  CB_INFO_PEER_SPKI = 5,       /* 32 bytes: SHA-256 of the peer's SubjectPublicKeyInfo */
  CB_INFO_PEER_SUBJECT = 6,    /* text: subject of the peer's certificate */
  CB_INFO_RESUMED = 7          /* 1 byte: 1 if an earlier session was resumed */
};

typedef struct cb_transport_ops {
  uint32_t size;
  uint32_t reserved;

  /* Begins a connection; *out is a stream whose handshake tells when it stands. Root only. [io] */
  cb_status (*connect)(cb_instance* instance, const cb_endpoint* endpoint, cb_stream** out,
                       cb_error* error);

  /* Begins to listen. CB_E_BUSY if the address is taken. Port 0 lets the system choose; see
     listener_port. LISTEN only. [blocking] */
  cb_status (*listen)(cb_instance* instance, const cb_endpoint* endpoint, cb_listener** out,
                      cb_error* error);

  /* Takes one connection into *out, or WANT_READ when none waits. CB_E_LIMIT with the retry flag
     when the process or system is out of descriptors. LISTEN only. [io] */
  cb_status (*accept)(cb_listener* listener, cb_stream** out, cb_error* error);

  /* The descriptor to poll for readable before accept. LISTEN only. [any] */
  int32_t (*listener_fd)(cb_listener* listener);

  /* Ends a listener; accepts null. LISTEN only. [io] */
  void (*listener_close)(cb_listener* listener);

  /* Puts a stream above `lower`, which outlives it. Filter only. [io] */
  cb_status (*wrap)(cb_instance* instance, const cb_endpoint* endpoint, const cb_lower* lower,
                    cb_stream** out, cb_error* error);

  /* Goes on with the handshake: OK when it is done, a want, or a failure (CB_E_AUTH when the peer's
     identity did not verify). [io] */
  cb_status (*handshake)(cb_stream* stream, cb_error* error);

  /* Reads 1..cap bytes into buf, *got tells how many. OK, END, a want, or a failure. [io] */
  cb_status (*read)(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error);

  /* Takes up to len bytes, *took tells how many (at least 1 with OK). OK, a want, or a failure.
   * [io] */
  cb_status (*write)(cb_stream* stream, const void* buf, size_t len, size_t* took, cb_error* error);

  /* Tells the peer that nothing more will be written; reading goes on. OK, a want, or a failure.
   * [io] */
  cb_status (*shutdown)(cb_stream* stream, cb_error* error);

  /* The descriptor to poll, constant for the life of the stream. [any] */
  int32_t (*fd)(cb_stream* stream);

  /* A fact about the stream (see CB_INFO_*), valid after the handshake. Text has no zero byte.
     CB_E_UNSUPPORTED when this stream does not know: the host then asks the stream below. [io] */
  cb_status (*info)(cb_stream* stream, uint32_t what, void* out, size_t cap, size_t* len);

  /* Ends the stream at once; accepts null; never closes the stream below. [io] */
  void (*close)(cb_stream* stream);

  /* Port number that a listener got, when the endpoint said 0. LISTEN only. [any] */
  int32_t (*listener_port)(cb_listener* listener);
} cb_transport_ops;

/*
 * Extension of an instance: reread what files say (certificates, keys, trust) without touching
 * running streams. On failure the former state stays in force.
 */
#define CB_TRANSPORT_RELOAD "cb.transport.reload/1"
typedef struct cb_transport_reload {
  uint32_t size;
  uint32_t reserved;
  /* [blocking], may run beside [io] calls of the same instance. */
  cb_status (*reload)(cb_instance* instance, cb_error* error);
} cb_transport_reload;

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_TRANSPORT_H */
