// SPDX-License-Identifier: Apache-2.0
//
// transport-tls: TLS over any stream. Wrapping and reloading may happen at the same time; streams
// keep the contexts that they began with.
#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "context.h"
#include "cyberbackup/cpp/entry.hpp"
#include "cyberbackup/cpp/transport.hpp"
#include "session_cache.h"
#include "stream.h"
#include "verify.h"

namespace {

namespace sdk = cyberbackup::sdk;
using sdk::Failure;
using transport_tls::Contexts;
using transport_tls::SessionKeeper;
using transport_tls::Settings;

enum Option : size_t {
  kCertificate,
  kKey,
  kClientCa,
  kRequireClient,
  kCa,
  kPin,
  kMinVersion,
  kResume,
  kInsecure,
};

constexpr std::array<cb_option, 9> kOptions = {{
    {"certificate", "File with the certificate chain of this end, in PEM form.", nullptr, nullptr,
     0, 0, CB_OPTION_PATH, 0},
    {"key", "File with the private key of the certificate, in PEM form, without passphrase.",
     nullptr, nullptr, 0, 0, CB_OPTION_PATH, 0},
    {"client_ca", "File with the authorities whose client certificates a server takes.", nullptr,
     nullptr, 0, 0, CB_OPTION_PATH, 0},
    {"require_client_certificate", "Refuse clients that show no certificate.", "false", nullptr, 0,
     0, CB_OPTION_BOOL, 0},
    {"ca", "File with the authorities that may certify servers; unset means the system's.", nullptr,
     nullptr, 0, 0, CB_OPTION_PATH, 0},
    {"pin", "SHA-256 of the public keys of servers, in hex; a matching key suffices alone.",
     nullptr, nullptr, 0, 0, CB_OPTION_LIST, 0},
    {"min_version", "The oldest version of TLS to agree to.", "1.3", "1.2|1.3", 0, 0,
     CB_OPTION_ENUM, 0},
    {"resume", "Resume earlier sessions, which saves most of the handshake.", "true", nullptr, 0, 0,
     CB_OPTION_BOOL, CB_OPTION_ADVANCED},
    {"insecure", "Do not verify servers at all. For tests only.", "false", nullptr, 0, 0,
     CB_OPTION_BOOL, CB_OPTION_ADVANCED},
}};

Failure wrong(std::string_view message) { return {CB_E_INVALID, message, 0, CB_ERROR_PERMANENT}; }

std::vector<transport_tls::Digest> pins_of(const sdk::Config& config) {
  std::vector<transport_tls::Digest> pins;
  for (const std::string& text : config.list(kPin)) {
    const auto digest = transport_tls::parse_digest(text);
    if (!digest) throw wrong("pin: '" + text + "' is not 64 hex digits (SHA-256 of a public key)");
    pins.push_back(*digest);
  }
  return pins;
}

class Tls {
 public:
  using Stream = transport_tls::Stream;

  static void check(const sdk::Config& config) {
    if (config.text(kCertificate).empty() != config.text(kKey).empty())
      throw wrong("certificate and key belong together; set both or none");
    if (config.boolean(kRequireClient) && config.text(kClientCa).empty())
      throw wrong("require_client_certificate needs client_ca, to know which ones are good");
    if (!config.text(kClientCa).empty() && config.text(kCertificate).empty())
      throw wrong("client_ca is for servers, which need certificate and key");
    const bool has_pins = !pins_of(config).empty();
    if (has_pins && !config.text(kCa).empty())
      throw wrong("ca and pin exclude each other; a pinned key suffices alone, so remove ca");
    if (config.boolean(kInsecure) && (has_pins || !config.text(kCa).empty()))
      throw wrong("insecure would ignore ca and pin; remove insecure");
  }

  Tls(const sdk::Host& host, const sdk::Config& config) : host_(host) {
    settings_.certificate = config.text(kCertificate);
    settings_.key = config.text(kKey);
    settings_.client_ca = config.text(kClientCa);
    settings_.require_client_certificate = config.boolean(kRequireClient);
    settings_.ca = config.text(kCa);
    settings_.pins = pins_of(config);
    settings_.min_version = config.text(kMinVersion) == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
    settings_.resume = config.boolean(kResume);
    settings_.insecure = config.boolean(kInsecure);
    contexts_ = transport_tls::make_contexts(settings_, host_);
  }

  std::unique_ptr<Stream> wrap(const cb_endpoint& endpoint, const cb_lower& lower) {
    // Before the contexts: what began with old trust must not be kept as if it had the new.
    SessionKeeper keeper;
    if (settings_.resume) keeper = {&sessions_, {}, sessions_.generation()};
    return std::make_unique<Stream>(contexts(), endpoint, lower, std::move(keeper));
  }

  // New tickets and new trust: sessions of before are not resumed, so peers are verified anew.
  void reload() {
    std::shared_ptr<const Contexts> fresh = transport_tls::make_contexts(settings_, host_);
    const std::lock_guard lock(mutex_);
    contexts_ = std::move(fresh);
    sessions_.clear();
  }

  const void* extension(std::string_view id) {
    return id == CB_TRANSPORT_RELOAD ? sdk::transport_reload<Tls>() : nullptr;
  }

 private:
  std::shared_ptr<const Contexts> contexts() {
    const std::lock_guard lock(mutex_);
    return contexts_;
  }

  const sdk::Host host_;
  Settings settings_;  // constant after construction
  transport_tls::SessionCache sessions_;
  std::mutex mutex_;
  std::shared_ptr<const Contexts> contexts_;  // under the mutex
};

constexpr cb_descriptor kDescriptor = sdk::describe<Tls>(
    {.id = "transport-tls",
     .interface_id = CB_TRANSPORT_INTERFACE,
     .version = "1.0.0",
     .vendor = "CyberBackup",
     .license = "Apache-2.0",
     .summary = "TLS 1.3 and 1.2 over any stream.",
     .status = "alpha",
     .posture = "untrusted-peer",
     .capabilities = CB_TRANSPORT_FILTER | CB_TRANSPORT_ENCRYPTS | CB_TRANSPORT_AUTHENTICATES_PEER},
    kOptions, sdk::transport_ops<Tls>());

}  // namespace

CB_PLUGIN_ENTRY(kDescriptor)
