// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_login.h"

#include <algorithm>

namespace cb::client {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using v3::Reply;
using v3::Request;

Error unexpected(const V3Wire& wire, Request request, Reply reply) {
  return fail(Code::corrupt, wire.peer(),
              "answered " + std::string(name_of(reply)) + " to " + std::string(name_of(request)),
              "check that this address and port belong to a v3 server");
}

Error name_refused(const V3Wire& wire, const std::string& name) {
  return fail(Code::denied, wire.peer(), "refused to register \"" + name + "\"",
              "another client may have this name: use another, or bring the me.info and priv.key "
              "of the client that registered it");
}

Error answered_error(const V3Wire& wire, Request request) {
  return fail(Code::denied, wire.peer(),
              "answered " + std::string(name_of(request)) + " with an error",
              "look into the server's log; the user name may not suit it");
}

Result<v3::TextField> name_field(const V3Account& account) {
  return v3::text_field(account.user_name());
}

}  // namespace

V3Login::V3Login(V3Wire& wire, V3Account& account, steady_clock::time_point deadline,
                 uint32_t max_repeats, Note note)
    : wire_(wire),
      account_(account),
      deadline_(deadline),
      max_repeats_(max_repeats),
      note_(std::move(note)) {}

stream::Task<plugin::Key> V3Login::run() {
  if (account_.id()) {
    std::optional<plugin::Key> key;
    CB_CO_ASSIGN(const bool known, co_await reconnect(key));
    if (key) co_return std::move(*key);
    if (known) co_return co_await exchange_keys();
  }
  CB_CO_TRY(co_await sign_up());
  co_return co_await exchange_keys();
}

stream::Task<V3Reply> V3Login::ask_once(const Bytes& request) {
  CB_CO_TRY(co_await wire_.send(request));
  for (;;) {
    const nanoseconds left = std::max<nanoseconds>(deadline_ - steady_clock::now(), nanoseconds(1));
    CB_CO_ASSIGN(V3Reply reply, co_await wire_.receive(left));
    if (reply.kind != Reply::acknowledged) co_return reply;
  }
}

stream::Task<V3Reply> V3Login::ask(Bytes request) {
  CB_CO_ASSIGN(V3Reply reply, co_await ask_once(request));
  for (uint32_t repeat = 1; reply.kind == Reply::error && repeat <= max_repeats_; ++repeat) {
    note_("the server answered with an error, asking again (" + std::to_string(repeat) + " of " +
          std::to_string(max_repeats_) + ")");
    auto again = co_await ask_once(request);
    if (!again) co_return reply;  // it closed after its error: the error is the answer
    reply = std::move(*again);
  }
  co_return reply;
}

// True: the server knows the id; then `key` is set if a key here opens what came.
stream::Task<bool> V3Login::reconnect(std::optional<plugin::Key>& key) {
  CB_CO_ASSIGN(const v3::TextField name, name_field(account_));
  Bytes request = v3::request_bytes(*account_.id(), Request::reconnect, {name});
  CB_CO_ASSIGN(const V3Reply reply, co_await ask(std::move(request)));
  if (reply.kind == Reply::error) co_return failed(answered_error(wire_, Request::reconnect));
  if (reply.kind == Reply::reconnect_refused) {
    note_("the server does not know this client any more, registering again");
    account_.refused(v3::parse_optional_id(reply.payload));
    co_return false;
  }
  if (reply.kind != Reply::reconnected && reply.kind != Reply::key)
    co_return failed(unexpected(wire_, Request::reconnect, reply.kind));
  CB_CO_ASSIGN(const v3::KeyReply sent, v3::parse_key_reply(reply.payload));
  if (auto opened = account_.keys().unwrap(sent.wrapped_key)) {
    key.emplace(std::move(*opened));
    CB_CO_TRY(account_.keep_keys());
    co_return true;
  }
  note_("the private key of this client is lost, sending a new public key");
  CB_CO_TRY(account_.keys().make_new());
  co_return true;
}

stream::Task<void> V3Login::sign_up() {
  CB_CO_ASSIGN(const v3::TextField name, name_field(account_));
  Bytes request = v3::request_bytes(ClientId{}, Request::sign_up, {name});
  CB_CO_ASSIGN(const V3Reply reply, co_await ask(std::move(request)));
  if (reply.kind == Reply::signed_up) {
    CB_CO_ASSIGN(const ClientId id, v3::parse_id_reply(reply.payload));
    co_return account_.registered(id);
  }
  if (reply.kind == Reply::error) co_return failed(answered_error(wire_, Request::sign_up));
  if (reply.kind != Reply::sign_up_refused)
    co_return failed(unexpected(wire_, Request::sign_up, reply.kind));
  if (!account_.fallback_id()) co_return failed(name_refused(wire_, account_.user_name()));
  account_.adopt_fallback();
  co_return Status{};
}

stream::Task<plugin::Key> V3Login::exchange_keys() {
  CB_CO_ASSIGN(const v3::TextField name, name_field(account_));
  CB_CO_ASSIGN(const Bytes key, account_.keys().public_key());
  Bytes request = v3::request_bytes(*account_.id(), Request::send_key, {name, key});
  CB_CO_ASSIGN(const V3Reply reply, co_await ask(std::move(request)));
  if (reply.kind == Reply::error || reply.kind == Reply::sign_up_refused)
    co_return failed(name_refused(wire_, account_.user_name()));
  if (reply.kind != Reply::key && reply.kind != Reply::reconnected)
    co_return failed(unexpected(wire_, Request::send_key, reply.kind));
  CB_CO_ASSIGN(const v3::KeyReply sent, v3::parse_key_reply(reply.payload));
  CB_CO_ASSIGN(plugin::Key opened, account_.keys().unwrap(sent.wrapped_key));
  CB_CO_TRY(account_.keep_keys());
  co_return opened;
}

}  // namespace cb::client
