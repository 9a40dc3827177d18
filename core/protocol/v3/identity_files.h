// SPDX-License-Identifier: Apache-2.0
//
// The files that a v3 client keeps beside itself: transfer.info, me.info and priv.key, in the forms
// that the known clients write. Functions work on content, not on files; they are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/id.h"
#include "core/base/secret.h"

namespace cb::v3 {

// Where a client connects to.
struct ServerAddress {
  std::string host;
  uint16_t port = 0;

  bool operator==(const ServerAddress&) const = default;
};

// Reads "host:port", "[v6]:port", "host" (port 1256). Code::invalid says what is wrong.
Result<ServerAddress> parse_server_address(std::string_view text);

// transfer.info: server, user name, path of the file.
struct TransferInfo {
  ServerAddress server;
  std::string user_name;
  std::string file;

  bool operator==(const TransferInfo&) const = default;
};

// Takes a trailing CR on every line, a byte order mark, and lines after the third (ignored).
// Code::invalid names the line that is missing or wrong.
Result<TransferInfo> parse_transfer_info(std::string_view content);

std::string format_transfer_info(const TransferInfo& info);

// me.info: user name, id, private key.
struct MeInfo {
  std::string user_name;
  ClientId id;
  Secret private_key;  // PKCS#8 DER; empty when the file has none, or none that can be read
};

// Takes a name padded with zero bytes, hex of either case, base64 on one line or wrapped, a
// trailing CR on every line. Code::corrupt names the line that is missing or wrong; the lack of a
// readable key is no error, since priv.key may have it.
Result<MeInfo> parse_me_info(ByteView content);

// Lower-case hex, base64 on one line; two lines when there is no key.
Secret format_me_info(const MeInfo& info);

// priv.key: PKCS#8 DER, binary or as base64 text; what follows the DER is dropped. Code::corrupt
// when it is neither.
Result<Secret> parse_private_key(ByteView content);

}  // namespace cb::v3
