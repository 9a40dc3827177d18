// SPDX-License-Identifier: Apache-2.0
#include "bench/load_v4_fleet.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>

#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/server/admin_server.h"

namespace cb::bench {
namespace {

using stream::Task;

constexpr size_t kMostTold = 5;  // reasons of failures

}  // namespace

Result<std::unique_ptr<Fleet>> Fleet::open(const V4Plan& plan) {
  std::unique_ptr<Fleet> fleet(new Fleet(plan));
  CB_TRY(fleet->load_plugins());
  const std::string pin = "[\"" + plan.pin + "\"]";
  const std::map<std::string, std::string> resuming = {{"pin", pin}};
  const std::map<std::string, std::string> full = {{"pin", pin}, {"resume", "false"}};
  CB_ASSIGN(fleet->resuming_, fleet->stack(&resuming));
  CB_ASSIGN(fleet->full_, fleet->stack(&full));
  CB_ASSIGN(fleet->plain_, fleet->stack(nullptr));
  return fleet;
}

Status Fleet::load_plugins() {
  CB_ASSIGN(log_, log::open_log({log::Level::error, {}, {}}));
  plugin::HostServices services;
  services.log = log_.get();
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "bench";
  plugin::LoadOptions options;
  options.folder = CB_PLUGIN_DIR;
  options.check_owner = false;
  options.probe_unknown = false;
  registry_ = std::make_unique<plugin::Registry>(std::move(services), std::move(options));
  CB_TRY(registry_->load("transport-tcp"));
  return registry_->load("transport-tls");
}

Result<stream::Stack> Fleet::stack(const std::map<std::string, std::string>* tls) {
  std::vector<plugin::Transport> top_first;
  const auto add = [&](const char* id, const std::map<std::string, std::string>& set) -> Status {
    CB_ASSIGN(const config::Schema* schema, registry_->schema(id));
    CB_ASSIGN(const config::Values values, config::values_from(*schema, set));
    CB_ASSIGN(plugin::Transport transport, registry_->make_transport(id, values));
    top_first.push_back(std::move(transport));
    return {};
  };
  if (tls != nullptr) CB_TRY(add("transport-tls", *tls));
  CB_TRY(add("transport-tcp", {}));
  return stream::Stack::make(std::move(top_first));
}

Result<std::string> Fleet::token(const std::string& account) const {
  std::string token;
  for (const char* command : {"account.add", "token.create"}) {
    CB_ASSIGN(const auto answer,
              server::ask_daemon_if_any(plan_.admin, {{"command", command}, {"account", account}},
                                        std::chrono::seconds(30)));
    if (!answer) return failed(Code::not_found, plan_.admin, "nobody listens there");
    token = report::text_of(*answer, "token");
  }
  return token;
}

Status Fleet::enroll_all() {
  const std::string prefix = plan_.name + "-" + std::to_string(::getpid()) + "-";
  for (size_t i = 0; i < plan_.devices; ++i) {
    CB_ASSIGN(V4Device device, V4Device::make());
    device.account = prefix + std::to_string(i);
    devices_.push_back(std::move(device));
  }
  const size_t failures =
      run_all(devices_.size(), 4, [this](size_t i, size_t worker) -> Task<void> {
        CB_CO_ASSIGN(const std::string paired, token(devices_[i].account));
        CB_CO_ASSIGN(auto caller, co_await connect(Way::resuming, worker));
        CB_CO_TRY(co_await caller->hello());
        CB_CO_TRY(co_await caller->enroll(devices_[i], paired));
        co_await caller->leave();
        co_return Status{};
      });
  if (failures == 0) return {};
  return failed(Code::state, "daemon", "did not enrol the devices");
}

Task<std::unique_ptr<V4Caller>> Fleet::connect(Way way, size_t worker) {
  const bool has_tls = way == Way::resuming || way == Way::full;
  const stream::Stack& stack = !has_tls ? *plain_ : way == Way::full ? *full_ : *resuming_;
  const uint16_t port = way == Way::plain_v3 ? plan_.v3_port : plan_.port;
  return V4Caller::connect(stack, {plan_.host, port, "worker-" + std::to_string(worker)});
}

Task<std::unique_ptr<V4Caller>> Fleet::log_in(Way way, size_t worker, size_t device) {
  CB_CO_ASSIGN(auto caller, co_await connect(way, worker));
  CB_CO_TRY(co_await caller->hello());
  CB_CO_TRY(co_await caller->log_in(this->device(device)));
  co_return caller;
}

size_t Fleet::run_all(size_t count, size_t workers, const Each& each) {
  size_t next = 0;
  size_t failures = 0;
  const auto work = [&](size_t worker) -> boost::asio::awaitable<void> {
    while (next < count) {
      const Status done = co_await each(next++, worker);
      if (!done && ++failures <= kMostTold)
        std::fprintf(stderr, "load_v4: %s\n", done.error().text().c_str());
    }
  };
  for (size_t i = 0; i < workers; ++i)
    boost::asio::co_spawn(context_, work(i), boost::asio::detached);
  context_.restart();
  context_.run();
  return failures;
}

void Fleet::rest(std::chrono::nanoseconds time) {
  boost::asio::steady_timer timer(context_, time);
  timer.async_wait([](const boost::system::error_code&) {});
  context_.restart();
  context_.run();
}

}  // namespace cb::bench
