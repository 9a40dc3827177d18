// SPDX-License-Identifier: Apache-2.0
//
// The beginning of a v3 session: reconnect or register, and come by the AES key, as tolerant of
// servers as legacy-protocol 9 asks. Runs on the connection's strand.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/client/v3_account.h"
#include "core/client/v3_wire.h"

namespace cb::client {

class V3Login {
 public:
  using Note = std::function<void(const std::string&)>;

  // All outlive this. The login must be done by `deadline`; 1607 is asked again `max_repeats`
  // times.
  V3Login(V3Wire& wire, V3Account& account, std::chrono::steady_clock::time_point deadline,
          uint32_t max_repeats, Note note);

  // Leaves the account with its id and gives the AES key of this session. Code::denied when the
  // server refuses the name; Code::closed, timeout or io when the connection broke, and then a new
  // connection may go on where this one ended; Code::auth when no key here opens the AES key.
  stream::Task<plugin::Key> run();

 private:
  stream::Task<V3Reply> ask(Bytes request);
  stream::Task<V3Reply> ask_once(const Bytes& request);
  stream::Task<bool> reconnect(std::optional<plugin::Key>& key);
  stream::Task<void> sign_up();
  stream::Task<plugin::Key> exchange_keys();

  V3Wire& wire_;
  V3Account& account_;
  std::chrono::steady_clock::time_point deadline_;
  uint32_t max_repeats_;
  Note note_;
};

}  // namespace cb::client
