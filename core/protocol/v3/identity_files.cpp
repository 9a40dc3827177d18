// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/identity_files.h"

#include <algorithm>
#include <charconv>

#include "core/protocol/v3/messages.h"
#include "core/protocol/v3/names.h"

namespace cb::v3 {
namespace {

// Takes the next line off `rest`, without LF and the CRs before it.
std::string_view next_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Without byte order marks.
std::string_view without_marks(std::string_view content) {
  while (content.starts_with("\xef\xbb\xbf")) content.remove_prefix(3);
  return content;
}

Result<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0)
    return failed(Code::invalid, "port \"" + std::string(text) + "\"",
                  "is not a number from 1 to 65535");
  return port;
}

// The host's text and what follows it: "" or ":port".
struct SplitAddress {
  std::string_view host;
  std::string_view rest;
};

Result<SplitAddress> split_address(std::string_view text) {
  if (!text.starts_with('[')) {
    const size_t colon = std::min(text.find(':'), text.size());
    return SplitAddress{text.substr(0, colon), text.substr(colon)};
  }
  const size_t close = text.find(']');
  if (close == std::string_view::npos)
    return failed(Code::invalid, "server \"" + std::string(text) + "\"", "lacks a closing ]");
  return SplitAddress{text.substr(1, close - 1), text.substr(close + 1)};
}

// Names, IPv4 and IPv6 addresses with a zone.
bool is_host_character(char c) {
  return c > ' ' && c < 0x7f && std::string_view("[]/\\@\"").find(c) == std::string_view::npos;
}

// The DER sequence at the start of `bytes`; PKCS#8 of RSA-1024 has a length of two bytes.
Result<ByteView> der_sequence(ByteView bytes) {
  const auto bad = [] {
    return failed(Code::corrupt, "private key", "is neither PKCS#8 DER nor base64 of it");
  };
  if (bytes.size() < 4 || bytes[0] != std::byte{0x30} || bytes[1] != std::byte{0x82}) return bad();
  const size_t size =
      4 + (std::to_integer<size_t>(bytes[2]) << 8 | std::to_integer<size_t>(bytes[3]));
  if (size > bytes.size()) return bad();
  return bytes.first(size);
}

void append(Secret& out, size_t& at, std::string_view text) {
  const ByteView bytes = as_bytes(text);
  std::copy(bytes.begin(), bytes.end(), out.span().begin() + static_cast<ptrdiff_t>(at));
  at += bytes.size();
}

}  // namespace

Result<ServerAddress> parse_server_address(std::string_view text) {
  CB_ASSIGN(const SplitAddress split, split_address(text));
  if (split.host.empty() || !std::all_of(split.host.begin(), split.host.end(), is_host_character))
    return failed(Code::invalid, "server \"" + std::string(text) + "\"",
                  "has no host name or address", "write HOST:PORT");
  if (split.rest.empty()) return ServerAddress{std::string(split.host), kDefaultPort};
  if (!split.rest.starts_with(':'))
    return failed(Code::invalid, "server \"" + std::string(text) + "\"", "has text after the ]",
                  "write [HOST]:PORT");
  CB_ASSIGN(const uint16_t port, parse_port(split.rest.substr(1)));
  return ServerAddress{std::string(split.host), port};
}

Result<TransferInfo> parse_transfer_info(std::string_view content) {
  std::string_view rest = without_marks(content);
  TransferInfo info;
  CB_ASSIGN(info.server, parse_server_address(next_line(rest)));
  info.user_name = next_line(rest);
  if (auto name = check_user_name(info.user_name); !name)
    return failed(Code::invalid, "transfer.info line 2", "user name " + name.error().cause,
                  "write the user name on line 2");
  info.file = next_line(rest);
  if (info.file.empty() || info.file.find('\0') != std::string::npos)
    return failed(Code::invalid, "transfer.info line 3", "names no file",
                  "write the path of the file on line 3");
  return info;
}

std::string format_transfer_info(const TransferInfo& info) {
  const bool v6 = info.server.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + info.server.host + "]" : info.server.host;
  return host + ":" + std::to_string(info.server.port) + "\n" + info.user_name + "\n" + info.file +
         "\n";
}

Result<MeInfo> parse_me_info(ByteView content) {
  std::string_view rest = without_marks(as_text(content));
  MeInfo info;
  const std::string_view name = next_line(rest);
  info.user_name = name.substr(0, name.find('\0'));
  if (!check_user_name(info.user_name))
    return failed(Code::corrupt, "me.info line 1", "is no user name");
  auto id = ClientId::from_hex_text(next_line(rest));
  if (!id) return failed(Code::corrupt, "me.info line 2", "is not an id of 32 hex digits");
  info.id = *id;
  if (auto key = parse_private_key(as_bytes(rest))) info.private_key = std::move(*key);
  return info;
}

Secret format_me_info(const MeInfo& info) {
  std::string key = to_base64(info.private_key.view());
  const std::string id = info.id.hex();
  Secret out(info.user_name.size() + 1 + id.size() + 1 + (key.empty() ? 0 : key.size() + 1));
  size_t at = 0;
  append(out, at, info.user_name);
  append(out, at, "\n");
  append(out, at, id);
  append(out, at, "\n");
  if (!key.empty()) {
    append(out, at, key);
    append(out, at, "\n");
  }
  wipe(std::as_writable_bytes(std::span(key)));
  return out;
}

Result<Secret> parse_private_key(ByteView content) {
  if (auto binary = der_sequence(content)) return Secret(*binary);
  auto decoded = from_base64(as_text(content));
  if (!decoded)
    return failed(Code::corrupt, "private key", "is neither PKCS#8 DER nor base64 of it");
  auto der = der_sequence(*decoded);
  if (!der) return failed(der.error());
  Secret key(*der);
  wipe(*decoded);
  return key;
}

}  // namespace cb::v3
