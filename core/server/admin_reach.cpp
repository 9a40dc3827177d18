// SPDX-License-Identifier: Apache-2.0
//
// How clients and other servers find this one: what tokens say.
#include <unistd.h>

#include <algorithm>

#include "core/identity/certificate.h"
#include "core/repository/pairing_token.h"
#include "core/server/admin_commands.h"

namespace cb::server {
namespace {

constexpr uint64_t kLongestCertificate = 64 * kKiB;

// The address that others may reach a listener by.
std::string reachable(const std::string& host) {
  if (host != "0.0.0.0" && host != "::")
    return host.find(':') == host.npos ? host : "[" + host + "]";
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

bool has_certificate(const ListenSettings& listen) {
  return std::any_of(listen.transport.begin(), listen.transport.end(),
                     [](const PluginUse& use) { return use.table.find("certificate") != nullptr; });
}

// A mode asks for protocol 4 only where the transport can bear it.
bool would_serve_v4(const ListenSettings& listen) {
  return listen.serves(4) && (!listen.mode || has_certificate(listen));
}

Result<std::array<std::byte, 32>> pin_of_listener(const ListenSettings& listen,
                                                  os::FileSystem& files) {
  for (const PluginUse& use : listen.transport) {
    if (use.table.find("certificate") == nullptr) continue;
    CB_ASSIGN(const Bytes pem,
              os::read_file(files, use.values.text("certificate"), kLongestCertificate));
    CB_ASSIGN(const std::string hex, identity::pin_of(std::string(as_text(pem))));
    CB_ASSIGN(const auto pin, (Id<struct PinTag, 32>::from_hex_text(hex)));
    return pin.bytes;
  }
  return failed(Code::state, listen.at.text() + ": listener " + listen.name,
                "has no certificate that a client could know it by",
                "set certificate in its [listen.tls]");
}

}  // namespace

Result<ServerReach> reach_of(const Settings& settings, const std::vector<OpenListener>& open,
                             os::FileSystem& files) {
  ServerReach reach;
  reach.servers = settings.advertise;
  bool found = false;
  for (size_t i = 0; i < settings.listen.size(); ++i) {
    const ListenSettings& listen = settings.listen[i];
    const bool is_open = i < open.size();
    if (!(is_open ? open[i].serves_v4 : would_serve_v4(listen))) continue;
    if (!found) {
      CB_ASSIGN(reach.pin, pin_of_listener(listen, files));
    }
    found = true;
    const uint16_t port = is_open ? open[i].port : listen.port;
    if (settings.advertise.empty() && port != 0 &&
        reach.servers.size() < repository::kMostTokenServers)
      reach.servers.push_back(reachable(listen.host) + ":" + std::to_string(port));
  }
  if (!found)
    return failed(Code::state, settings.file.string(), "has no listener of protocol 4",
                  "add one with versions = [4] and transport = [\"tls\", \"tcp\"]");
  if (reach.servers.empty())
    return failed(Code::state, settings.file.string(), "does not say at which port clients come",
                  "start the daemon, or set server.advertise = [\"HOST:PORT\"]");
  return reach;
}

}  // namespace cb::server
