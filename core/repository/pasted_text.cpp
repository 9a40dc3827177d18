// SPDX-License-Identifier: Apache-2.0
#include "core/repository/pasted_text.h"

#include <algorithm>

#include "core/identity/signing.h"

namespace cb::repository {
namespace {

constexpr size_t kCheckSize = 4;
constexpr size_t kLongest = 8192;  // characters
constexpr size_t kLongestServer = 300;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

tl::unexpected<Error> mistyped(const PastedKind& kind, std::string cause) {
  return failed(Code::invalid, std::string(kind.name), std::move(cause),
                "copy it once more, from the first character to the last");
}

std::string to_base64url(ByteView bytes) {
  std::string text = to_base64(bytes);
  text.erase(std::min(text.find('='), text.size()));
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

Result<Bytes> from_base64url(const PastedKind& kind, std::string text) {
  const std::string name(kind.name);
  if (text.find_first_of("+/=") != std::string::npos || text.size() % 4 == 1)
    return mistyped(kind, "has a character that no " + name + " has, or one too few");
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  auto bytes = from_base64(text);
  if (!bytes) return mistyped(kind, "has a character that no " + name + " has");
  return bytes;
}

bool is_server(std::string_view server) {
  const size_t colon = server.rfind(':');
  return server.size() <= kLongestServer && colon != std::string_view::npos && colon > 0 &&
         colon + 1 < server.size() &&
         std::all_of(server.begin(), server.end(), [](char c) { return c > ' ' && c < '\x7f'; }) &&
         std::all_of(server.begin() + static_cast<ptrdiff_t>(colon) + 1, server.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string format_pasted(const PastedKind& kind, ByteView content) {
  const identity::Hash hash = identity::sha256(content);
  Secret whole(content.size() + kCheckSize);
  std::copy(content.begin(), content.end(), whole.span().begin());
  std::copy_n(hash.begin(), kCheckSize,
              whole.span().begin() + static_cast<ptrdiff_t>(content.size()));
  return std::string(kind.prefix) + to_base64url(whole.view());
}

Result<Secret> parse_pasted(const PastedKind& kind, std::string_view text) {
  if (text.size() > kLongest) return mistyped(kind, "is longer than any " + std::string(kind.name));
  std::string plain;
  std::copy_if(text.begin(), text.end(), std::back_inserter(plain),
               [](char c) { return !is_space(c); });
  if (!plain.starts_with(kind.prefix))
    return mistyped(kind, "does not begin with '" + std::string(kind.prefix) + "', so it is no " +
                              std::string(kind.title));
  CB_ASSIGN(Bytes bytes, from_base64url(kind, plain.substr(kind.prefix.size())));
  const Secret whole(bytes);
  wipe(bytes);
  // Unused bits of the last character would make two texts of one.
  if (whole.size() < kCheckSize || to_base64url(whole.view()) != plain.substr(kind.prefix.size()))
    return mistyped(kind, "is cut short or mistyped");
  const ByteView content = whole.view().first(whole.size() - kCheckSize);
  const ByteView written = whole.view().last(kCheckSize);
  const identity::Hash hash = identity::sha256(content);
  if (!std::equal(written.begin(), written.end(), hash.begin()))
    return mistyped(kind, "is not whole, or has a typing error: its checksum does not fit");
  return Secret(content);
}

bool looks_pasted(const PastedKind& kind, std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && text.substr(begin).starts_with(kind.prefix);
}

Status check_servers(const PastedKind& kind, const std::vector<std::string>& servers) {
  const std::string name(kind.name);
  if (servers.empty() || servers.size() > kMostPastedServers)
    return failed(Code::invalid, name,
                  "names " + std::to_string(servers.size()) + " servers, not 1 to 16");
  for (const std::string& server : servers)
    if (!is_server(server)) return failed(Code::invalid, name, "'" + server + "' is not HOST:PORT");
  return {};
}

}  // namespace cb::repository
