// SPDX-License-Identifier: Apache-2.0
//
// Any bytes to transport-tls: as what a stranger sends to a server and what a server sends to a
// client, and as a client's options. No handshake stands without the other side's key. The first
// byte chooses.
#include <filesystem>

#include "core/config/schema.h"
#include "core/identity/certificate.h"
#include "core/os/file_system.h"
#include "tests/conversation/memory_transport.h"
#include "tests/plugin-bytes/plugins.h"

using namespace cb;
using conversation::must;
using conversation::require;
using plugin::IoStep;

namespace {

namespace fs = std::filesystem;

// Says all that it has to say at once, and then no more.
class Parrot final : public conversation::Answerer {
 public:
  explicit Parrot(ByteView text) : text_(to_bytes(text)) {}
  bool take(ByteView, Bytes& out) override {
    out.insert(out.end(), text_.begin(), text_.end());
    return false;
  }

 private:
  Bytes text_;
};

class Ends {
 public:
  Ends()
      : folder_(conversation::scratch_folder("tls-fuzz")),
        memory_(log_, {[this](conversation::FarEnd& far) {
                         far.answerer = std::make_unique<Parrot>(next_);
                       },
                       {}}) {
    const auto made = must(identity::make_certificate({"localhost"}, std::chrono::hours(24)));
    const os::Path certificate = folder_ / "c.pem", key = folder_ / "k.pem";
    must(os::write_file_atomically(os::real_file_system(), certificate, as_bytes(made.certificate),
                                   0600));
    must(os::write_file_atomically(os::real_file_system(), key, made.key.view(), 0600));
    server_.emplace(filter({{"certificate", certificate}, {"key", key}}));
    client_.emplace(filter({{"pin", "[\"" + made.pin + "\"]"}}));
  }
  ~Ends() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  // Steps of the handshake until it wants more than there is.
  void shake(bool is_server, ByteView said) {
    next_ = to_bytes(said);
    plugin::Endpoint endpoint;
    endpoint.direction = is_server ? CB_ENDPOINT_ACCEPTED : CB_ENDPOINT_CONNECT;
    endpoint.peer_name = "localhost";
    auto below = memory_.connect();
    require(below->handshake().has_value(), "memory has no handshake");
    // A server hears before it speaks.
    const std::byte word{0};
    if (is_server) require(below->write({&word, 1}).has_value(), "memory takes nothing");
    auto stream = (is_server ? server_ : client_)->wrap(endpoint, std::move(below));
    if (!stream) return;
    for (int step = 0; step < 8; ++step) {
      const auto done = (*stream)->handshake();
      if (!done) return;
      require(*done != IoStep::ok, "a handshake stands with somebody who has no key");
    }
  }

  // `text` as the list of pins, or as a file with authorities.
  void configure(std::string_view text) {
    const std::string pins = "[\"" + std::string(text) + "\"]";
    (void)try_filter({{"pin", pins}});
    const os::Path file = folder_ / "ca.pem";
    must(os::write_file_atomically(os::real_file_system(), file, as_bytes(text), 0600));
    (void)try_filter({{"ca", file}});
  }

 private:
  static Result<plugin::Transport> try_filter(const std::map<std::string, std::string>& written) {
    must(test::plugin_registry().load("transport-tls"));
    const config::Schema* schema = must(test::plugin_registry().schema("transport-tls"));
    CB_ASSIGN(const config::Values values, config::values_from(*schema, written));
    return test::plugin_registry().make_transport("transport-tls", values);
  }
  static plugin::Transport filter(const std::map<std::string, std::string>& written) {
    return must(try_filter(written));
  }

  const os::Path folder_;
  conversation::FuzzLog log_;
  Bytes next_;
  conversation::MemoryTransport memory_;
  std::optional<plugin::Transport> server_, client_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Ends ends;
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] == 's') ends.shake(true, bytes);
  if (data[0] == 'c') ends.shake(false, bytes);
  if (data[0] == 'o') ends.configure(as_text(bytes));
  test::check_plugins();
  return 0;
}
