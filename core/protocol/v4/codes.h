// SPDX-License-Identifier: Apache-2.0
//
// The codes of protocol v4 and the sizes of its frames (docs/protocol-v4.md). Constants only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cb::v4 {

constexpr uint8_t kVersion = 4;
constexpr size_t kFrameMax = 256 * 1024;  // bytes of a payload: request id, message, bulk
constexpr size_t kIdsMax = 4096;          // ids in one Have, Get or list of missing ones

// In both hellos: there is a request for signatures.
constexpr std::string_view kSignaturesFeature = "signatures";

enum class Request : uint16_t {
  hello = 2001,
  enroll = 2002,
  login = 2003,
  password_login = 2004,
  open_invite = 2005,
  join = 2006,
  migrate = 2007,
  prove_key = 2008,
  adopt = 2009,
  heartbeat = 2010,
  have = 2020,
  put = 2021,
  put_more = 2022,
  flush = 2023,
  commit = 2024,
  get = 2030,
  snapshots = 2040,
  forget = 2041,
  undelete = 2042,
  slots = 2050,
  add_slot = 2051,
  remove_slot = 2052,
  counts = 2060,
  devices = 2070,
  add_invite = 2071,
  remove_invite = 2072,
  set_device = 2073,
  put_record = 2074,
  add_device = 2075,
  sessions = 2080,
  put_sessions = 2081,
  chain = 2090,
  copies = 2091,
  verified = 2092,
  retention = 2100,
  set_retention = 2101,
  wanted = 2110,
  signatures = 2111,
  replica_login = 2130,
  replica_accounts = 2131,
  replica_records = 2132,
  replica_devices = 2133,
  replica_chain = 2134,
  replica_get = 2135,
  drill_result = 2140,
};

enum class Response : uint16_t {
  hello = 3001,
  enroll = 3002,
  login = 3003,
  password_login = 3004,
  open_invite = 3005,
  migrate = 3007,
  prove_key = 3008,
  heartbeat = 3010,
  have = 3020,
  taken = 3021,
  flush = 3023,
  commit = 3024,
  blob = 3030,
  blob_more = 3031,
  get_end = 3032,
  snapshots = 3040,
  forget = 3041,
  slots = 3050,
  done = 3051,
  counts = 3060,
  devices = 3070,
  sessions = 3080,
  chain = 3090,
  copies = 3091,
  retention = 3100,
  set_retention = 3101,
  wanted = 3110,
  signatures = 3111,
  replica_login = 3130,
  replica_accounts = 3131,
  replica_records = 3132,
  drill_result = 3140,
  failure = 3999,
};

}  // namespace cb::v4
