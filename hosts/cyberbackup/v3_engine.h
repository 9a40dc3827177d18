// SPDX-License-Identifier: Apache-2.0
//
// The plugins that `cyberbackup send` works with: loaded, configured and put together. Used by one
// thread.
#pragma once

#include <memory>
#include <optional>

#include "core/client/v3_keys.h"
#include "core/log/output.h"
#include "core/plugin/registry.h"
#include "core/stream/stack.h"
#include "hosts/cyberbackup/send_options.h"

namespace cb {

class V3Engine {
 public:
  // Loads transport-tcp, transport-tls when asked for, and crypto-legacy with either hash.
  static Result<std::unique_ptr<V3Engine>> load(const SendOptions& options);

  [[nodiscard]] const stream::Stack& stack() const { return *stack_; }
  [[nodiscard]] const client::V3Suites& suites() const { return *suites_; }

 private:
  V3Engine() = default;
  Status load_plugin(const std::string& id);
  Result<plugin::Transport> make_transport(const std::string& id,
                                           const std::map<std::string, std::string>& written);
  Result<plugin::Crypto> make_suite(const char* hash);
  Status make_stack(const SendOptions& options);

  std::unique_ptr<log::Output> log_;
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<stream::Stack> stack_;
  std::optional<client::V3Suites> suites_;
};

}  // namespace cb
