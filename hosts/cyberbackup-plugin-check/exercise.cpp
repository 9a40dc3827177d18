// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/exercise.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "cyberbackup/compress.h"
#include "cyberbackup/crypto.h"
#include "cyberbackup/store.h"
#include "cyberbackup/transport.h"

namespace cb::check {
namespace {

constexpr size_t kRoom = size_t{256} << 10;
constexpr const char* kNullHandle = "gave OK without a handle";
constexpr const char* kHandleOfFailure = "failed, but left a handle in *out";
constexpr const char* kText = "exercise exercise exercise exercise";

// Memory that needs no allocation while a check makes allocations fail.
struct Room {
  std::array<std::byte, kRoom> out, back;
};
Room& room() {
  static Room room;
  return room;
}

template <typename... P, typename... A>
Used use(const char* name, cb_status (*function)(P...), A... args) {
  return {name, call(function, args...), nullptr};
}

// A function without a cb_error.
template <typename... P, typename... A>
Used use_plain(const char* name, cb_status (*function)(P...), A... args) {
  Used used{name, {}, nullptr};
  try {
    used.came.status = function(args...);
  } catch (const std::exception& e) {
    used.came.thrown = e.what();
  }
  return used;
}

// Looks whether a maker's handle fits its status. By reference: the call before sets it.
template <typename H>
Used made(Used used, H* const& handle) {
  if (!used.came.thrown.empty()) return used;
  if (used.came.status == CB_OK && handle == nullptr) used.broken = kNullHandle;
  if (used.came.status < CB_OK && handle != nullptr) used.broken = kHandleOfFailure;
  return used;
}

#define CB_USE(expression)                                             \
  do {                                                                 \
    if (Used used_now = (expression); !used_now.ok()) return used_now; \
  } while (false)

Used put_one(const cb_store_ops& ops, cb_instance* instance, const char* name) {
  cb_put* put = nullptr;
  CB_USE(
      made(use("put_begin", ops.put_begin, instance, name, uint64_t{0}, uint32_t{0}, &put), put));
  if (Used used = use("put_write", ops.put_write, put, static_cast<const void*>(kText),
                      std::string_view(kText).size());
      !used.ok()) {
    ops.put_abort(put);
    return used;
  }
  return use("put_commit", ops.put_commit, put);
}

Used get_one(const cb_store_ops& ops, cb_instance* instance, const char* name) {
  cb_get* get = nullptr;
  CB_USE(made(use("get_open", ops.get_open, instance, name, uint64_t{0}, uint64_t{0}, &get), get));
  size_t got = 0;
  Used used =
      use("get_read", ops.get_read, get, static_cast<void*>(room().out.data()), kRoom, &got);
  ops.get_close(get);
  return used;
}

Used list_all(const cb_store_ops& ops, cb_instance* instance) {
  cb_list* list = nullptr;
  CB_USE(made(use("list_open", ops.list_open, instance, "", "", &list), list));
  cb_object object{};
  object.size = sizeof object;
  Used used = use("list_next", ops.list_next, list, &object);
  ops.list_close(list);
  return used;
}

Used use_store(const cb_descriptor& descriptor, cb_instance* instance) {
  const auto& ops = *static_cast<const cb_store_ops*>(descriptor.ops);
  CB_USE(put_one(ops, instance, "exercise/a"));
  CB_USE(get_one(ops, instance, "exercise/a"));
  CB_USE(list_all(ops, instance));
  return use("remove", ops.remove, instance, "exercise/a");
}

Used use_codec(const cb_compress_ops& ops, cb_instance* instance) {
  cb_codec* codec = nullptr;
  CB_USE(
      made(use("codec_new", ops.codec_new, instance, uint32_t{CB_CODEC_COMPRESS}, &codec), codec));
  cb_flow flow{};
  flow.size = sizeof flow;
  flow.in = kText;
  flow.in_len = std::string_view(kText).size();
  flow.out = room().out.data();
  flow.out_cap = kRoom;
  Used used = use("codec_run", ops.codec_run, codec, &flow, uint32_t{CB_CODEC_FINISH});
  if (used.ok()) used = use("codec_reset", ops.codec_reset, codec);
  ops.codec_free(codec);
  return used;
}

Used use_compress(const cb_descriptor& descriptor, cb_instance* instance) {
  const auto& ops = *static_cast<const cb_compress_ops*>(descriptor.ops);
  const size_t size = std::string_view(kText).size();
  size_t packed = 0;
  size_t came = 0;
  CB_USE(use_plain("bound", ops.bound, instance, size, &packed));
  CB_USE(use("compress", ops.compress, instance, static_cast<const void*>(kText), size,
             static_cast<void*>(room().out.data()), kRoom, &packed));
  CB_USE(use("decompress", ops.decompress, instance, static_cast<const void*>(room().out.data()),
             packed, static_cast<void*>(room().back.data()), size, &came));
  if ((descriptor.capabilities & CB_COMPRESS_STREAM) == 0) return {"decompress", {}, nullptr};
  return use_codec(ops, instance);
}

Used use_pair(const cb_crypto_ops& ops, cb_instance* instance) {
  cb_pair* pair = nullptr;
  cb_key* key = nullptr;
  CB_USE(made(use("pair_new", ops.pair_new, instance, &pair), pair));
  size_t size = 0;
  Used used = use("pair_public", ops.pair_public, pair, static_cast<void*>(room().out.data()),
                  kRoom, &size);
  if (used.ok())
    used = made(use("encapsulate", ops.encapsulate, pair, static_cast<const void*>(""), size_t{0},
                    static_cast<void*>(room().out.data()), kRoom, &size, &key),
                key);
  ops.key_free(key);
  ops.pair_free(pair);
  return used;
}

Used use_seal(const cb_crypto_ops& ops, cb_key* key) {
  cb_seal* seal = nullptr;
  size_t size = 0;
  CB_USE(made(use("seal_begin", ops.seal_begin, key, static_cast<const void*>(""), size_t{0},
                  static_cast<void*>(room().out.data()), kRoom, &size, &seal),
              seal));
  Used used = use("seal_chunk", ops.seal_chunk, seal, static_cast<const void*>(kText), size_t{1},
                  int32_t{1}, static_cast<void*>(room().out.data()), kRoom, &size);
  ops.seal_free(seal);
  return used;
}

Used use_crypto(const cb_descriptor& descriptor, cb_instance* instance) {
  const auto& ops = *static_cast<const cb_crypto_ops*>(descriptor.ops);
  cb_crypto_props props{};
  props.size = sizeof props;
  CB_USE(use_plain("props", ops.props, instance, &props));
  cb_key* key = nullptr;
  room().back.fill(std::byte{7});
  CB_USE(made(use("key_import", ops.key_import, instance,
                  static_cast<const void*>(room().back.data()), size_t{props.key_size}, &key),
              key));
  Used used{"key_import", {}, nullptr};
  if ((descriptor.capabilities & CB_CRYPTO_STREAM) != 0) used = use_seal(ops, key);
  ops.key_free(key);
  if (!used.ok() || (descriptor.capabilities & CB_CRYPTO_KEM) == 0) return used;
  return use_pair(ops, instance);
}

// A stream below a filter, over one end of a pair of sockets.
cb_status below_read(void* ctx, void* buf, size_t cap, size_t* got, cb_error*) {
  const ssize_t n = ::recv(*static_cast<int*>(ctx), buf, cap, MSG_DONTWAIT);
  if (n < 0) return CB_WANT_READ;
  *got = static_cast<size_t>(n);
  return n == 0 ? CB_END : CB_OK;
}

cb_status below_write(void* ctx, const void* buf, size_t len, size_t* took, cb_error*) {
  const ssize_t n = ::send(*static_cast<int*>(ctx), buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0) return CB_WANT_WRITE;
  *took = static_cast<size_t>(n);
  return CB_OK;
}

cb_status below_shutdown(void*, cb_error*) { return CB_OK; }

Used use_filter(const cb_transport_ops& ops, cb_instance* instance, cb_endpoint& endpoint) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    return {"wrap", {}, nullptr};
  endpoint.peer_name = "localhost";
  endpoint.direction = CB_ENDPOINT_CONNECT;
  const cb_lower lower = {sizeof(cb_lower), ends[0],     ends.data(),
                          below_read,       below_write, below_shutdown};
  cb_stream* stream = nullptr;
  Used used = made(use("wrap", ops.wrap, instance, &endpoint, &lower, &stream), stream);
  if (used.ok()) {
    used = use("handshake", ops.handshake, stream);
    ops.close(stream);
  }
  for (const int end : ends) ::close(end);
  return used;
}

Used use_transport(const cb_descriptor& descriptor, cb_instance* instance) {
  const auto& ops = *static_cast<const cb_transport_ops*>(descriptor.ops);
  cb_endpoint endpoint{};
  endpoint.size = sizeof endpoint;
  endpoint.address = "127.0.0.1";
  endpoint.direction = CB_ENDPOINT_LISTEN;
  if ((descriptor.capabilities & CB_TRANSPORT_FILTER) != 0)
    return use_filter(ops, instance, endpoint);
  if ((descriptor.capabilities & CB_TRANSPORT_LISTEN) == 0) return {"create", {}, nullptr};
  cb_listener* listener = nullptr;
  CB_USE(made(use("listen", ops.listen, instance, &endpoint, &listener), listener));
  endpoint.direction = CB_ENDPOINT_CONNECT;
  endpoint.port = static_cast<uint32_t>(ops.listener_port(listener));
  cb_stream* stream = nullptr;
  Used used = made(use("connect", ops.connect, instance, &endpoint, &stream), stream);
  if (used.ok()) used = use("handshake", ops.handshake, stream);
  ops.close(stream);
  ops.listener_close(listener);
  return used;
}

}  // namespace

std::string Used::text() const {
  return std::string(function) +
         (broken != nullptr ? " " + std::string(broken) : " came to " + came.text());
}

Used exercise(const cb_descriptor& descriptor, cb_instance* instance) {
  const std::string_view interface_id = descriptor.interface_id;
  if (interface_id == CB_STORE_INTERFACE) return use_store(descriptor, instance);
  if (interface_id == CB_COMPRESS_INTERFACE) return use_compress(descriptor, instance);
  if (interface_id == CB_CRYPTO_INTERFACE) return use_crypto(descriptor, instance);
  return use_transport(descriptor, instance);
}

Used created(const RawPlugin& plugin, const cb_host& host, cb_instance*& instance) {
  Used used = made(Used{"create", plugin.create(host, instance), nullptr}, instance);
  if (used.came.status > CB_OK) used.broken = "gave a status that it may not give";
  return used;
}

Used create_and_exercise(const RawPlugin& plugin) {
  cb_instance* instance = nullptr;
  Used used = created(plugin, plugin.host(), instance);
  if (!used.ok()) return used;
  used = exercise(plugin.descriptor(), instance);
  if (!plugin.destroy(instance)) used.broken = "was followed by a destroy that threw";
  return used;
}

}  // namespace cb::check
