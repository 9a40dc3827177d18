// SPDX-License-Identifier: Apache-2.0
//
// What a load run of protocol v4 is asked to do. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cb::bench {

struct V4Plan {
  // Of these four the run does those that are not 0.
  uint32_t idle = 0;             // sessions that log in and then say nothing but heartbeats
  uint32_t logins = 0;           // in each of two bursts, without and with resumption
  uint32_t backups = 0;          // sessions that back up at once
  uint32_t unauthenticated = 0;  // connections of each kind that never log in

  std::string host = "127.0.0.1";
  uint16_t port = 0;              // serves protocol 4 over TLS
  uint16_t v3_port = 0;           // serves protocol 3 without; 0: those kinds are left out
  std::string pin;                // of its certificate
  std::string admin;              // the daemon's admin socket, to make accounts with
  int daemon = 0;                 // its process id
  std::string name = "load";      // accounts' names begin with it
  uint32_t devices = 100;         // accounts of a device each, among which sessions are dealt out
  uint32_t workers = 32;          // conversations under way at once, 1 to 250
  uint64_t size = 16 << 20;       // bytes of each backup
  std::chrono::seconds hold{30};  // how long idle sessions are held
  std::chrono::seconds lease{0};  // the daemon's: who is silent for so long is ended; 0: not tried
};

}  // namespace cb::bench
