// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/upkeep.h"

#include <chrono>

#include "core/server/admin_server.h"

namespace cb::bench {
namespace {

constexpr std::chrono::minutes kLongestJob{10};  // without a sign of life
constexpr int kTenthsBetweenJobs = 50;

Status run_job(const std::string& admin, const std::string& job) {
  CB_ASSIGN(const auto answer,
            server::ask_daemon_if_any(admin, {{"command", "job.run"}, {"job", job}}, kLongestJob));
  if (!answer) return failed(Code::not_found, admin, "nobody listens there");
  const std::string outcome = report::text_of(*answer, "outcome");
  if (outcome == "done") return {};
  return failed(Code::state, "job " + job, "ended as " + outcome + ": " + answer->dump());
}

}  // namespace

Upkeep::Upkeep(std::string admin) : admin_(std::move(admin)), thread_([this] { run(); }) {}

void Upkeep::run() {
  while (!over_)
    for (const char* job : {"collect", "verify", "compact", "retention", "clean", "watch"}) {
      for (int i = 0; i < kTenthsBetweenJobs && !over_; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (over_) return;
      const auto begin = std::chrono::steady_clock::now();
      const Status done = run_job(admin_, job);
      const auto took = std::chrono::steady_clock::now() - begin;
      if (done) runs_[job].push_back(std::chrono::duration<double>(took).count());
      if (!done) failures_.push_back(done.error());
    }
}

void Upkeep::end() {
  over_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace cb::bench
