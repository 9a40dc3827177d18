// SPDX-License-Identifier: Apache-2.0
//
// The table of cb.transport/1 made of a class. Thread rules are those of transport.h: a stream's
// members run on its strand and must not block.
//
// T has type Stream, and
//   a root:    unique_ptr<Stream> connect(const cb_endpoint&)
//   LISTEN:    type Listener, unique_ptr<Listener> listen(const cb_endpoint&)
//   a filter:  unique_ptr<Stream> wrap(const cb_endpoint&, const cb_lower&); the cb_lower outlives
//              the stream
//   Stream:    cb_status handshake(), cb_status read(span<byte>, size_t& got),
//              cb_status write(span<const byte>, size_t& took), cb_status shutdown(), int fd(),
//              cb_status info(uint32_t what, vector<byte>& out); the destructor closes at once
//   Listener:  unique_ptr<Stream> accept() (null = WANT_READ), int fd(), int port()
// Wants and END are returned; failures are thrown (or returned, without a message). A class with
// `void reload()` hands transport_reload<T>() out of its extension().
#pragma once

#include "cyberbackup/cpp/guard.hpp"
#include "cyberbackup/transport.h"

namespace cyberbackup::sdk {
namespace detail {

template <class T>
struct TransportTable {
  using Stream = typename T::Stream;

  static cb_status connect(cb_instance* instance, const cb_endpoint* endpoint, cb_stream** made,
                           cb_error* error) {
    *made = nullptr;
    return guard(error, [&] { return give(from_handle<T>(instance).connect(*endpoint), made); });
  }

  static cb_status listen(cb_instance* instance, const cb_endpoint* endpoint, cb_listener** made,
                          cb_error* error) {
    *made = nullptr;
    return guard(error, [&] { return give(from_handle<T>(instance).listen(*endpoint), made); });
  }

  static cb_status accept(cb_listener* listener, cb_stream** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&]() -> cb_status {
      std::unique_ptr<Stream> stream = from_handle<typename T::Listener>(listener).accept();
      if (stream == nullptr) return CB_WANT_READ;
      return give(std::move(stream), made);
    });
  }

  static int32_t listener_fd(cb_listener* listener) {
    return guard_number(-1, [&] { return from_handle<typename T::Listener>(listener).fd(); });
  }

  static int32_t listener_port(cb_listener* listener) {
    return guard_number(-1, [&] { return from_handle<typename T::Listener>(listener).port(); });
  }

  static void listener_close(cb_listener* listener) { end<typename T::Listener>(listener); }

  static cb_status wrap(cb_instance* instance, const cb_endpoint* endpoint, const cb_lower* lower,
                        cb_stream** made, cb_error* error) {
    *made = nullptr;
    return guard(error,
                 [&] { return give(from_handle<T>(instance).wrap(*endpoint, *lower), made); });
  }

  static cb_status handshake(cb_stream* stream, cb_error* error) {
    return guard(error, [&] { return from_handle<Stream>(stream).handshake(); });
  }

  static cb_status read(cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error) {
    *got = 0;
    return guard(error, [&] {
      if (cap == 0) throw Failure(CB_E_INVALID, "a read needs room for one byte");
      return from_handle<Stream>(stream).read(out(buf, cap), *got);
    });
  }

  static cb_status write(cb_stream* stream, const void* buf, size_t len, size_t* took,
                         cb_error* error) {
    *took = 0;
    return guard(error, [&] {
      if (len == 0) throw Failure(CB_E_INVALID, "a write needs one byte");
      return from_handle<Stream>(stream).write(in(buf, len), *took);
    });
  }

  static cb_status shutdown(cb_stream* stream, cb_error* error) {
    return guard(error, [&] { return from_handle<Stream>(stream).shutdown(); });
  }

  static int32_t fd(cb_stream* stream) {
    return guard_number(-1, [&] { return from_handle<Stream>(stream).fd(); });
  }

  static cb_status info(cb_stream* stream, uint32_t what, void* to, size_t cap, size_t* len) {
    *len = 0;
    return guard(nullptr, [&]() -> cb_status {
      std::vector<std::byte> fact;
      const cb_status status = from_handle<Stream>(stream).info(what, fact);
      return status == CB_OK ? copy_out(fact, to, cap, len) : status;
    });
  }

  static void close(cb_stream* stream) { end<Stream>(stream); }

  static constexpr cb_transport_ops make() {
    cb_transport_ops ops{};
    ops.size = sizeof(ops);
    ops.handshake = &handshake;
    ops.read = &read;
    ops.write = &write;
    ops.shutdown = &shutdown;
    ops.fd = &fd;
    ops.info = &info;
    ops.close = &close;
    if constexpr (requires(T & plugin, const cb_endpoint& e) { plugin.connect(e); }) {
      ops.connect = &connect;
    }
    if constexpr (requires(T & plugin, const cb_endpoint& e, const cb_lower& l) {
                    plugin.wrap(e, l);
                  }) {
      ops.wrap = &wrap;
    }
    if constexpr (requires { typename T::Listener; }) {
      ops.listen = &listen;
      ops.accept = &accept;
      ops.listener_fd = &listener_fd;
      ops.listener_port = &listener_port;
      ops.listener_close = &listener_close;
    }
    return ops;
  }
};

template <class T>
struct ReloadTable {
  static cb_status reload(cb_instance* instance, cb_error* error) {
    return guard(error, [&] { from_handle<T>(instance).reload(); });
  }
};

template <class T>
inline constexpr cb_transport_reload kTransportReload = {sizeof(cb_transport_reload), 0,
                                                         &ReloadTable<T>::reload};

template <class T>
inline constexpr cb_transport_ops kTransportOps = TransportTable<T>::make();

}  // namespace detail

// The table of class T; lives as long as the module.
template <class T>
constexpr const cb_transport_ops& transport_ops() {
  return detail::kTransportOps<T>;
}

// The table of CB_TRANSPORT_RELOAD for a class with `void reload()`, which may run beside [io]
// calls.
template <class T>
constexpr const cb_transport_reload* transport_reload() {
  return &detail::kTransportReload<T>;
}

}  // namespace cyberbackup::sdk
