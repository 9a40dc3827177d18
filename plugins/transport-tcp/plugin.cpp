// SPDX-License-Identifier: Apache-2.0
//
// transport-tcp: the root transport over TCP, IPv4 and IPv6. The instance is immutable.
#include <array>
#include <memory>

#include "address.h"
#include "cyberbackup/cpp/entry.hpp"
#include "cyberbackup/cpp/transport.hpp"
#include "listener.h"
#include "stream.h"

namespace {

namespace sdk = cyberbackup::sdk;
using transport_tcp::parse_address;
using transport_tcp::Settings;

enum Option : size_t { kNodelay, kKeepalive, kReceiveBuffer, kSendBuffer };

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLargestBuffer = int64_t{1} << 30;

constexpr std::array<cb_option, 4> kOptions = {{
    {"nodelay", "Send small messages at once instead of collecting them.", "true", nullptr, 0, 0,
     CB_OPTION_BOOL, CB_OPTION_ADVANCED},
    {"keepalive", "Silence after which the peer is probed; 0s never probes.", "60s", nullptr, 0,
     32767 * kSecond, CB_OPTION_DURATION, CB_OPTION_ADVANCED},
    {"receive_buffer", "Size of the system's receive buffer; 0 leaves it to the system.", "0",
     nullptr, 0, kLargestBuffer, CB_OPTION_SIZE, CB_OPTION_ADVANCED},
    {"send_buffer", "Size of the system's send buffer; 0 leaves it to the system.", "0", nullptr, 0,
     kLargestBuffer, CB_OPTION_SIZE, CB_OPTION_ADVANCED},
}};

class Tcp {
 public:
  using Stream = transport_tcp::Stream;
  using Listener = transport_tcp::Listener;

  Tcp(const sdk::Host& /*host*/, const sdk::Config& config) {
    settings_.nodelay = config.boolean(kNodelay);
    settings_.keepalive_seconds =
        static_cast<int>((config.number(kKeepalive) + kSecond - 1) / kSecond);
    settings_.receive_buffer = static_cast<int>(config.number(kReceiveBuffer));
    settings_.send_buffer = static_cast<int>(config.number(kSendBuffer));
  }

  std::unique_ptr<Stream> connect(const cb_endpoint& endpoint) {
    return std::make_unique<Stream>(parse_address(endpoint.address, endpoint.port), settings_);
  }

  std::unique_ptr<Listener> listen(const cb_endpoint& endpoint) {
    return std::make_unique<Listener>(parse_address(endpoint.address, endpoint.port),
                                      endpoint.backlog, settings_);
  }

 private:
  Settings settings_;
};

constexpr cb_descriptor kDescriptor =
    sdk::describe<Tcp>({.id = "transport-tcp",
                        .interface_id = CB_TRANSPORT_INTERFACE,
                        .version = "1.0.0",
                        .vendor = "CyberBackup",
                        .license = "Apache-2.0",
                        .summary = "Streams over TCP, IPv4 and IPv6.",
                        .status = "alpha",
                        .posture = "untrusted-peer",
                        .capabilities = CB_TRANSPORT_ROOT | CB_TRANSPORT_LISTEN},
                       kOptions, sdk::transport_ops<Tcp>());

}  // namespace

CB_PLUGIN_ENTRY(kDescriptor)
