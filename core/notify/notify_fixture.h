// SPDX-License-Identifier: Apache-2.0
//
// For tests of core/notify: a folder, targets and what is sent to them. Used by one thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/notify/target.h"

namespace cb::notify {

class NotifyFixture : public testing::Test {
 protected:
  NotifyFixture() {
    char name[] = "/tmp/notify-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    // The environment's proxies are not for peers of a test.
    ::setenv("no_proxy", "*", 1);
  }
  ~NotifyFixture() override { std::filesystem::remove_all(folder_); }

  static Secret secret(const std::string& text) { return Secret(as_bytes(text)); }

  static TargetSettings webhook(const std::string& url, const std::string& body = {}) {
    TargetSettings settings;
    settings.name = "hook";
    WebhookSettings way;
    way.url = secret(url);
    way.body = body;
    settings.way = std::move(way);
    return settings;
  }

  // A script of /bin/sh, as a program of its own.
  TargetSettings command(const std::string& script, const std::string& argument = {}) {
    const std::string file = folder_ + "/told";
    std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    TargetSettings settings;
    settings.name = "script";
    CommandSettings way;
    way.command = {file};
    if (!argument.empty()) way.command.push_back(argument);
    settings.way = std::move(way);
    return settings;
  }

  static std::shared_ptr<const Target> made(TargetSettings settings) {
    auto target = Target::make(std::move(settings));
    EXPECT_TRUE(target) << target.error().text();
    return target ? *target : nullptr;
  }

  // Why settings are refused; empty when they are not.
  static std::string refusal(TargetSettings settings) {
    const auto target = Target::make(std::move(settings));
    return target ? std::string() : target.error().object + ": " + target.error().cause;
  }

  static Parcel parcel(Notice notice) { return {cleaned(notice), {}, "id-7", "srv"}; }
  static Parcel usual() {
    return parcel({"job.failed", "alice", "", "", "verify failed", "It found damage.",
                   Severity::alarm, 1'800'000'000'000'000'000});
  }

  static Status sent(const Target& target, const Parcel& what = usual(),
                     const IsCancelled& is_cancelled = {}) {
    return target.send(what, 1'800'000'000'000'000'000, is_cancelled);
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string folder_;
};

}  // namespace cb::notify
