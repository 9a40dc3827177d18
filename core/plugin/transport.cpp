// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/transport.h"

#include <utility>

#include "core/plugin/handle.h"
#include "core/plugin/lower_error.h"

namespace cb::plugin {
namespace {

constexpr Function kConnect{"connect", Tag::io};
constexpr Function kListen{"listen", Tag::blocking};
constexpr Function kAccept{"accept", Tag::io, kMayWantRead};
constexpr Function kListenerFd{"listener_fd", Tag::any};
constexpr Function kListenerPort{"listener_port", Tag::any};
constexpr Function kListenerClose{"listener_close", Tag::io};
constexpr Function kWrap{"wrap", Tag::io};
constexpr Function kHandshake{"handshake", Tag::io, kMayWant};
constexpr Function kRead{"read", Tag::io, kMayWant | kMayEnd};
constexpr Function kWrite{"write", Tag::io, kMayWant};
constexpr Function kShutdown{"shutdown", Tag::io, kMayWant};
constexpr Function kFd{"fd", Tag::any};
constexpr Function kInfo{"info", Tag::io};
constexpr Function kClose{"close", Tag::io};
constexpr Function kReload{"reload", Tag::blocking};

constexpr size_t kMostInfo = 64U << 10;
constexpr size_t kHashSize = 32;

const cb_transport_ops& transport_of(const std::shared_ptr<Instance>& instance) {
  return instance->ops<cb_transport_ops>();
}

IoStep step_of(cb_status status) {
  switch (status) {
    case CB_WANT_READ:
      return IoStep::want_read;
    case CB_WANT_WRITE:
      return IoStep::want_write;
    case CB_END:
      return IoStep::end;
    default:
      return IoStep::ok;
  }
}

cb_status status_of(IoStep step) {
  switch (step) {
    case IoStep::want_read:
      return CB_WANT_READ;
    case IoStep::want_write:
      return CB_WANT_WRITE;
    case IoStep::end:
      return CB_END;
    case IoStep::ok:
      break;
  }
  return CB_OK;
}

cb_endpoint endpoint_of(const Endpoint& from) {
  cb_endpoint endpoint{};
  endpoint.size = sizeof endpoint;
  endpoint.direction = from.direction;
  endpoint.address = from.address.c_str();
  endpoint.peer_name = from.peer_name.empty() ? nullptr : from.peer_name.c_str();
  endpoint.port = from.port;
  endpoint.backlog = from.backlog;
  return endpoint;
}

// Facts of a fixed size.
bool is_info_size_right(uint32_t what, size_t size) {
  if (what == CB_INFO_CHANNEL_BINDING || what == CB_INFO_PEER_SPKI) return size == kHashSize;
  if (what == CB_INFO_RESUMED) return size == 1;
  return true;
}

}  // namespace

// What a filter sees of the stream below. The context is that Stream.
struct Stream::Lower {
  explicit Lower(Stream& below) {
    table.size = sizeof table;
    table.fd = below.fd();
    table.ctx = &below;
    table.read = [](void* ctx, void* buf, size_t cap, size_t* got, cb_error* error) {
      return guarded(error, [&]() -> Result<cb_status> {
        if (cap == 0)
          return failed(Code::invalid, "the stream below", "a read needs room for one byte");
        CB_ASSIGN(const IoResult io,
                  static_cast<Stream*>(ctx)->read({static_cast<std::byte*>(buf), cap}));
        *got = io.bytes;
        return status_of(io.step);
      });
    };
    table.write = [](void* ctx, const void* buf, size_t len, size_t* took, cb_error* error) {
      return guarded(error, [&]() -> Result<cb_status> {
        if (len == 0) return failed(Code::invalid, "the stream below", "a write needs one byte");
        CB_ASSIGN(const IoResult io,
                  static_cast<Stream*>(ctx)->write({static_cast<const std::byte*>(buf), len}));
        *took = io.bytes;
        return status_of(io.step);
      });
    };
    table.shutdown = [](void* ctx, cb_error* error) {
      return guarded(error, [&]() -> Result<cb_status> {
        CB_ASSIGN(const IoStep step, static_cast<Stream*>(ctx)->shutdown());
        return status_of(step);
      });
    };
  }

  cb_lower table{};
};

Stream::Stream(std::shared_ptr<Instance> instance, cb_stream* handle, std::unique_ptr<Stream> below)
    : instance_(std::move(instance)), below_(std::move(below)), handle_(handle) {
  if (below_ != nullptr) lower_ = std::make_unique<Lower>(*below_);
}

Stream::~Stream() {
  if (handle_ != nullptr) instance_->gate().end(kClose, transport_of(instance_).close, handle_);
}

Result<IoStep> Stream::handshake() {
  if (below_ != nullptr && !below_stands_) {
    CB_ASSIGN(const IoStep step, below_->handshake());
    if (step != IoStep::ok) return step;
    below_stands_ = true;
  }
  CB_ASSIGN(const cb_status status,
            instance_->gate().call(kHandshake, transport_of(instance_).handshake, handle_));
  return step_of(status);
}

Result<IoResult> Stream::read(ByteSpan into) {
  if (into.empty()) return IoResult{};
  size_t got = 0;
  CB_ASSIGN(const cb_status status,
            instance_->gate().call(kRead, transport_of(instance_).read, handle_, data_of(into),
                                   into.size(), &got));
  if (status != CB_OK) return IoResult{step_of(status), 0};
  if (got == 0) return failed(instance_->gate().violation(kRead, "returned OK without any bytes"));
  CB_TRY(within(*instance_, kRead, got, into.size()));
  return IoResult{IoStep::ok, got};
}

Result<IoResult> Stream::write(ByteView from) {
  if (from.empty()) return IoResult{};
  size_t took = 0;
  CB_ASSIGN(const cb_status status,
            instance_->gate().call(kWrite, transport_of(instance_).write, handle_, data_of(from),
                                   from.size(), &took));
  if (status != CB_OK) return IoResult{step_of(status), 0};
  if (took == 0)
    return failed(instance_->gate().violation(kWrite, "returned OK without taking any bytes"));
  CB_TRY(within(*instance_, kWrite, took, from.size()));
  return IoResult{IoStep::ok, took};
}

Result<IoStep> Stream::shutdown() {
  CB_ASSIGN(const cb_status status,
            instance_->gate().call(kShutdown, transport_of(instance_).shutdown, handle_));
  return step_of(status);
}

int Stream::fd() const {
  return instance_->gate().query(kFd, int32_t{-1}, transport_of(instance_).fd, handle_);
}

Result<Bytes> Stream::info(uint32_t what) {
  Bytes out(256);
  size_t len = 0;
  const auto ask = [&] {
    return instance_->gate().call(kInfo, transport_of(instance_).info, handle_, what,
                                  static_cast<void*>(out.data()), out.size(), &len);
  };
  auto status = ask();
  if (!status && status.error().code == Code::too_small && len > out.size() && len <= kMostInfo) {
    out.resize(len);
    status = ask();
  }
  if (!status && status.error().code == Code::unsupported && below_ != nullptr)
    return below_->info(what);
  if (!status) return failed(std::move(status.error()));
  CB_TRY(within(*instance_, kInfo, len, out.size()));
  if (!is_info_size_right(what, len))
    return failed(instance_->gate().violation(
        kInfo, "returned " + std::to_string(len) + " bytes for fact " + std::to_string(what)));
  out.resize(len);
  return out;
}

uint64_t Stream::capabilities() const {
  return instance_->capabilities() | (below_ != nullptr ? below_->capabilities() : 0);
}

Listener::Listener(std::shared_ptr<Instance> instance, cb_listener* handle)
    : instance_(std::move(instance)), handle_(handle) {}
Listener::Listener(Listener&& other) noexcept
    : instance_(std::move(other.instance_)), handle_(std::exchange(other.handle_, nullptr)) {}
Listener& Listener::operator=(Listener&& other) noexcept {
  if (this == &other) return *this;
  const Listener ended(std::move(*this));
  instance_ = std::move(other.instance_);
  handle_ = std::exchange(other.handle_, nullptr);
  return *this;
}
Listener::~Listener() {
  if (handle_ != nullptr)
    instance_->gate().end(kListenerClose, transport_of(instance_).listener_close, handle_);
}

Result<std::unique_ptr<Stream>> Listener::accept() {
  cb_stream* handle = nullptr;
  auto status = instance_->gate().call(kAccept, transport_of(instance_).accept, handle_, &handle);
  if (status && *status == CB_WANT_READ) return std::unique_ptr<Stream>();
  CB_TRY(made(*instance_, kAccept, status, handle));
  return std::make_unique<Stream>(instance_, handle, nullptr);
}

int Listener::fd() const {
  return instance_->gate().query(kListenerFd, int32_t{-1}, transport_of(instance_).listener_fd,
                                 handle_);
}

uint16_t Listener::port() const {
  const int32_t port = instance_->gate().query(kListenerPort, int32_t{0},
                                               transport_of(instance_).listener_port, handle_);
  return port > 0 && port <= UINT16_MAX ? static_cast<uint16_t>(port) : uint16_t{0};
}

Transport::Transport(std::shared_ptr<Instance> instance) : instance_(std::move(instance)) {}

uint64_t Transport::capabilities() const { return instance_->capabilities(); }

Result<std::unique_ptr<Stream>> Transport::connect(const Endpoint& endpoint) const {
  if ((capabilities() & CB_TRANSPORT_ROOT) == 0)
    return not_offered(*instance_, "connections of its own; it is a filter");
  const cb_endpoint to = endpoint_of(endpoint);
  cb_stream* handle = nullptr;
  const auto status = instance_->gate().call(kConnect, transport_of(instance_).connect,
                                             instance_->handle(), &to, &handle);
  CB_TRY(made(*instance_, kConnect, status, handle));
  return std::make_unique<Stream>(instance_, handle, nullptr);
}

Result<Listener> Transport::listen(const Endpoint& endpoint) const {
  if ((capabilities() & CB_TRANSPORT_LISTEN) == 0) return not_offered(*instance_, "listening");
  const cb_endpoint at = endpoint_of(endpoint);
  cb_listener* handle = nullptr;
  const auto status = instance_->gate().call(kListen, transport_of(instance_).listen,
                                             instance_->handle(), &at, &handle);
  CB_TRY(made(*instance_, kListen, status, handle));
  return Listener(instance_, handle);
}

Result<std::unique_ptr<Stream>> Transport::wrap(const Endpoint& endpoint,
                                                std::unique_ptr<Stream> below) const {
  if ((capabilities() & CB_TRANSPORT_FILTER) == 0)
    return not_offered(*instance_, "a layer above another stream; it is a root");
  const cb_endpoint at = endpoint_of(endpoint);
  auto stream = std::make_unique<Stream>(instance_, nullptr, std::move(below));
  cb_stream* handle = nullptr;
  const auto status =
      instance_->gate().call(kWrap, transport_of(instance_).wrap, instance_->handle(), &at,
                             static_cast<const cb_lower*>(&stream->lower_->table), &handle);
  CB_ASSIGN(stream->handle_, made(*instance_, kWrap, status, handle));
  return stream;
}

Status Transport::reload() const {
  const auto* table =
      static_cast<const cb_transport_reload*>(instance_->extension(CB_TRANSPORT_RELOAD));
  if (table == nullptr || !CB_HAS(table, cb_transport_reload, reload))
    return not_offered(*instance_, "rereading of its files");
  CB_TRY(instance_->gate().call(kReload, table->reload, instance_->handle()));
  return {};
}

}  // namespace cb::plugin
