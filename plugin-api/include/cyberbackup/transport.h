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
 * address. No read or write is of zero bytes: that is CB_E_INVALID. read and write before the
 * handshake is done, and write after shutdown, are CB_E_STATE. Drain before waiting: a filter may
 * hold bytes that no poller announces. The fd is constant for the life of the stream.
 *
 * One stream is used by one thread at a time; so is one listener. Functions that take the instance
 * may run in parallel.
 */
#ifndef CYBERBACKUP_TRANSPORT_H
#define CYBERBACKUP_TRANSPORT_H

#include "cyberbackup/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The interface_id of a transport's descriptor; its ops are a cb_transport_ops. */
#define CB_TRANSPORT_INTERFACE "cb.transport/1"

/* Capability: a root; connect is there. A transport is a root or a filter, not both. */
#define CB_TRANSPORT_ROOT ((uint64_t)1)
/* Capability: a filter; wrap is there. */
#define CB_TRANSPORT_FILTER ((uint64_t)2)
/* Capability of a root: listen, accept, listener_fd, listener_port and listener_close are there. */
#define CB_TRANSPORT_LISTEN ((uint64_t)4)
/* Capability: nobody on the way reads the bytes. */
#define CB_TRANSPORT_ENCRYPTS ((uint64_t)8)
/* Capability: handshake fails unless the peer proves who it is. */
#define CB_TRANSPORT_AUTHENTICATES_PEER ((uint64_t)16)

/* Directions of an endpoint. */
enum {
  CB_ENDPOINT_CONNECT = 1, /* this side connects; a filter becomes a client */
  CB_ENDPOINT_LISTEN = 2,  /* this side listens */
  CB_ENDPOINT_ACCEPTED = 3 /* this side accepted; a filter becomes a server */
};

/*
 * Where to connect or listen. The host resolves names; a plugin never calls the resolver. A filter
 * gets the endpoint of the stream below; when that was accepted, `address` is "" and `port` 0. Made
 * by the host, valid for the call.
 */
typedef struct cb_endpoint {
  uint32_t size;         /* of this struct, set by the host */
  uint32_t direction;    /* CB_ENDPOINT_CONNECT, _LISTEN or _ACCEPTED */
  const char* address;   /* numeric: "127.0.0.1", "::1"; or a path for local sockets */
  const char* peer_name; /* CONNECT: the name to verify, or null */
  uint32_t port;         /* 0..65535; LISTEN: 0 lets the system choose */
  uint32_t backlog;      /* LISTEN: pending connections wished for, 0 = the system's most */
} cb_endpoint;

/* A connection: connect, accept or wrap makes it, close ends it. */
typedef struct cb_stream cb_stream;
/* A place that accepts connections: listen makes it, listener_close ends it. */
typedef struct cb_listener cb_listener;

/* What a filter may do to the stream below it. The rules of cb_transport_ops hold for each. */
typedef struct cb_lower {
  uint32_t size; /* of this struct, set by the host */
  int32_t fd;    /* of the stream below, and so of the filter's */
  void* ctx;     /* first argument of the functions below */

  /* Reads from the stream below as cb_transport_ops.read does: CB_OK, CB_END, a want. Errors:
     CB_E_CLOSED; CB_E_INVALID for a `cap` of 0. [io] */
  cb_status (*read)(void* ctx, void* buf, size_t cap, size_t* got, cb_error* error);

  /* Writes to the stream below as cb_transport_ops.write does: CB_OK or a want. Errors:
     CB_E_CLOSED; CB_E_INVALID for a `len` of 0. [io] */
  cb_status (*write)(void* ctx, const void* buf, size_t len, size_t* took, cb_error* error);

  /* Shuts the stream below down as cb_transport_ops.shutdown does: CB_OK or a want. Errors:
     CB_E_CLOSED. [io] */
  cb_status (*shutdown)(void* ctx, cb_error* error);
} cb_lower;

/* What `info` can tell. */
enum {
  CB_INFO_PROTOCOL = 1,        /* text: "tcp", "TLSv1.3" */
  CB_INFO_PEER_ADDRESS = 2,    /* text: "127.0.0.1:4711", "[::1]:4711" */
  CB_INFO_LOCAL_ADDRESS = 3,   /* text, as that of the peer */
  CB_INFO_CHANNEL_BINDING = 4, /* 32 bytes, equal at both ends (RFC 9266 for TLS) */
  CB_INFO_PEER_SPKI = 5,       /* 32 bytes: SHA-256 of the peer's SubjectPublicKeyInfo */
  CB_INFO_PEER_SUBJECT = 6,    /* text: subject of the peer's certificate */
  CB_INFO_RESUMED = 7          /* 1 byte: 1 if an earlier session was resumed */
};

/* The functions of a transport. */
typedef struct cb_transport_ops {
  uint32_t size;     /* of this struct, set by the plugin */
  uint32_t reserved; /* 0 */

  /* Begins a connection; *out is a stream whose handshake tells when it stands. ROOT only. Errors:
     CB_E_CLOSED when nobody answers; CB_E_INVALID for an address that is not numeric. [io] */
  cb_status (*connect)(cb_instance* instance, const cb_endpoint* endpoint, cb_stream** out,
                       cb_error* error);

  /* Begins to listen, *out is the listener. LISTEN only. Errors: CB_E_BUSY if the address is taken.
     [blocking] */
  cb_status (*listen)(cb_instance* instance, const cb_endpoint* endpoint, cb_listener** out,
                      cb_error* error);

  /* Takes one connection into *out; CB_WANT_READ when none waits. LISTEN only. Errors: CB_E_LIMIT
     with the retry flag when the process or system is out of descriptors. [io] */
  cb_status (*accept)(cb_listener* listener, cb_stream** out, cb_error* error);

  /* The descriptor to poll for readable before accept. LISTEN only. [any] */
  int32_t (*listener_fd)(cb_listener* listener);

  /* The port that it listens on, whether the endpoint named it or said 0; 0 where there are no
     ports. LISTEN only. [any] */
  int32_t (*listener_port)(cb_listener* listener);

  /* Ends a listener; accepts null. Connections that nobody took are lost. LISTEN only. [io] */
  void (*listener_close)(cb_listener* listener);

  /* Puts a stream into *out above `lower`, which outlives it. FILTER only. [io] */
  cb_status (*wrap)(cb_instance* instance, const cb_endpoint* endpoint, const cb_lower* lower,
                    cb_stream** out, cb_error* error);

  /* Goes on with the handshake: CB_OK when it is done, and from then on; a want; or a failure.
     Errors: CB_E_AUTH when the peer's identity did not verify; CB_E_CLOSED; CB_E_CORRUPT for bytes
     that are no handshake. [io] */
  cb_status (*handshake)(cb_stream* stream, cb_error* error);

  /* Reads 1..cap bytes into buf, *got tells how many: CB_OK. CB_END at a clean end, a want, or a
     failure, and *got is 0. Errors: CB_E_CLOSED when the stream was cut; CB_E_CORRUPT; CB_E_INVALID
     for a `cap` of 0; CB_E_STATE before the handshake. [io] */
  cb_status (*read)(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error);

  /* Takes 1..len bytes, *took tells how many: CB_OK. A want or a failure, and *took is 0. Errors:
     CB_E_CLOSED when the peer is gone; CB_E_INVALID for a `len` of 0; CB_E_STATE before the
     handshake and after shutdown. [io] */
  cb_status (*write)(cb_stream* stream, const void* buf, size_t len, size_t* took, cb_error* error);

  /* Tells the peer that nothing more will be written; reading goes on. CB_OK, and again CB_OK if
     asked again, or a want. Errors: CB_E_CLOSED when the peer is gone. [io] */
  cb_status (*shutdown)(cb_stream* stream, cb_error* error);

  /* The descriptor to poll, constant for the life of the stream. [any] */
  int32_t (*fd)(cb_stream* stream);

  /* Tells a fact about the stream (CB_INFO_*), after the handshake. Text has no zero byte. Errors:
     CB_E_UNSUPPORTED when this stream does not know, or knows no such fact: the host then asks the
     stream below; CB_E_TOO_SMALL. [io] */
  cb_status (*info)(cb_stream* stream, uint32_t what, void* out, size_t cap, size_t* len);

  /* Ends the stream at once; accepts null; never closes the stream below. [io] */
  void (*close)(cb_stream* stream);
} cb_transport_ops;

/* The id of the extension for rereading files; its table is a cb_transport_reload. */
#define CB_TRANSPORT_RELOAD "cb.transport.reload/1"

/*
 * Extension of an instance: reread what files say (certificates, keys, trust) without touching
 * running streams.
 */
typedef struct cb_transport_reload {
  uint32_t size;     /* of this struct, set by the plugin */
  uint32_t reserved; /* 0 */

  /* Rereads the files. On failure the former state stays in force. It may run beside [io] calls of
     the same instance, one reload at a time. [blocking] */
  cb_status (*reload)(cb_instance* instance, cb_error* error);
} cb_transport_reload;

#ifdef __cplusplus
}
#endif

#endif /* CYBERBACKUP_TRANSPORT_H */
