// SPDX-License-Identifier: Apache-2.0
#include "core/repository/pairing_token.h"

#include "core/repository/pasted_text.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"

namespace cb::repository {
namespace {

constexpr PastedKind kKind{"cb1.", "token", "pairing token"};
constexpr PastedKind kReplicaKind{"cbr1.", "token", "replica token"};

Status check(const PairingToken& token) {
  if (token.secret.size() != kTokenSecretSize)
    return failed(Code::invalid, "token", "its secret has not 32 bytes");
  return check_servers(kKind, token.servers);
}

Result<PairingToken> decode(ByteView bytes) {
  RecordReader reader(bytes, "token");
  reader.version();
  PairingToken token;
  token.id = reader.id<TokenId>();
  token.secret = Secret(reader.raw(kTokenSecretSize));
  token.pin = reader.fixed<32>();
  const size_t count = reader.count(1);
  for (size_t i = 0; i < count && reader.ok(); ++i) token.servers.push_back(reader.text());
  CB_TRY(reader.done());
  CB_TRY(check(token));
  return token;
}

Result<std::string> format(const PastedKind& kind, const PairingToken& token) {
  CB_TRY(check(token));
  RecordWriter writer;
  writer.uint(1);
  writer.fixed(token.id.view());
  writer.fixed(token.secret.view());
  writer.fixed(token.pin);
  writer.list(token.servers, [&](const std::string& server) { writer.text(server); });
  std::string text = format_pasted(kind, writer.written());
  wipe(writer.span());
  return text;
}

Result<PairingToken> parse(const PastedKind& kind, std::string_view text) {
  CB_ASSIGN(const Secret content, parse_pasted(kind, text));
  auto token = decode(content.view());
  if (token || token.error().code == Code::unsupported) return token;
  return failed(Code::invalid, "token", token.error().cause, "ask the operator for another");
}

}  // namespace

Result<std::string> format_pairing_token(const PairingToken& token) { return format(kKind, token); }
Result<PairingToken> parse_pairing_token(std::string_view text) { return parse(kKind, text); }

Result<std::string> format_replica_token(const PairingToken& token) {
  return format(kReplicaKind, token);
}
Result<PairingToken> parse_replica_token(std::string_view text) {
  return parse(kReplicaKind, text);
}

}  // namespace cb::repository
