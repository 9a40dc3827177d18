// SPDX-License-Identifier: Apache-2.0
#include "bench/floor_line.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace cb::bench {
namespace {

constexpr size_t kWrite = 256U << 10;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;
using OwnedContext = Owned<SSL_CTX, SSL_CTX_free>;
using OwnedSsl = Owned<SSL, SSL_free>;

// P-256, signed by itself.
OwnedContext make_server() {
  const Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
  const Owned<X509, X509_free> certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  OwnedContext context(SSL_CTX_new(TLS_server_method()));
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0 ||
      SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
    give_up("cannot make a certificate");
  return context;
}

struct Sockets {
  int near = -1;
  int far = -1;
};

Sockets connect_loopback() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, generic, &size) != 0)
    give_up("cannot listen on the loopback");
  Sockets pair;
  pair.near = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(pair.near, generic, size) != 0) give_up("cannot connect over the loopback");
  pair.far = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  return pair;
}

}  // namespace

struct Line::State {
  OwnedContext server_context = make_server();
  OwnedContext client_context{SSL_CTX_new(TLS_client_method())};
  Sockets sockets = connect_loopback();
  OwnedSsl server{SSL_new(server_context.get())};
  OwnedSsl client{SSL_new(client_context.get())};
  std::thread reader;

  // Reads blocks that begin with their size, and answers each with one byte.
  void serve() {
    SSL_set_fd(server.get(), sockets.far);
    if (SSL_accept(server.get()) != 1) give_up("the handshake failed");
    Buffer buffer(kWrite);
    for (uint64_t left = 0;;) {
      size_t got = 0;
      if (left == 0) {
        if (SSL_read_ex(server.get(), &left, sizeof left, &got) != 1) return;
        continue;
      }
      if (SSL_read_ex(server.get(), buffer.data(), buffer.size(), &got) != 1) return;
      left -= std::min<uint64_t>(left, got);
      if (left == 0) SSL_write_ex(server.get(), "", 1, &got);
    }
  }
};

Line::Line() : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.reader = std::thread([&state] { state.serve(); });
  SSL_set_fd(state.client.get(), state.sockets.near);
  if (SSL_connect(state.client.get()) != 1) give_up("the handshake failed");
}

Line::~Line() {
  SSL_shutdown(state_->client.get());
  ::shutdown(state_->sockets.near, SHUT_RDWR);
  state_->reader.join();
  ::close(state_->sockets.near);
  ::close(state_->sockets.far);
}

void Line::send(View content) {
  SSL* const client = state_->client.get();
  const uint64_t size = content.size();
  size_t done = 0;
  if (size == 0) return;
  if (SSL_write_ex(client, &size, sizeof size, &done) != 1) give_up("cannot send over TLS");
  for (; !content.empty(); content = content.subspan(done))
    if (SSL_write_ex(client, content.data(), std::min(kWrite, content.size()), &done) != 1)
      give_up("cannot send over TLS");
  unsigned char answer = 0;
  if (SSL_read_ex(client, &answer, 1, &done) != 1) give_up("no answer over TLS");
}

}  // namespace cb::bench
