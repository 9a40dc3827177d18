// SPDX-License-Identifier: Apache-2.0
//
// What the commands of cyberbackup-rescue share: options, plugins, and a folder that is opened with
// a key. Used by one thread.
#pragma once

#include <atomic>
#include <optional>

#include "core/client/restore.h"
#include "core/log/output.h"
#include "core/plugin/registry.h"
#include "core/rescue/rescue.h"
#include "hosts/cyberbackup/interruption.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

struct RescueOptions {
  RescueOptions() { common.program = "cyberbackup-rescue"; }

  CommonOptions common;
  std::string folder;
  std::string key_file;
  std::string code_file;
  std::string repository;  // hex; empty: the one that the key opens
  bool all = false;
  bool scan = false;
};

// FOLDER and what opens it. `options` outlives the app.
void add_rescue_options(CLI::App& command, RescueOptions& options);

// Members go in reverse order: what is made of others goes first.
struct RescueOpened {
  std::atomic<bool> stopped{false};  // nothing more is read of the folder
  std::unique_ptr<log::Output> log;
  std::unique_ptr<plugin::Registry> registry;
  std::optional<plugin::Crypto> crypto;
  std::optional<plugin::Compress> compress;
  std::unique_ptr<rescue::Rescue> rescue;
  std::unique_ptr<client::BlobFetcher> fetcher;
  // Sets `stopped`, unless a command takes another reaction.
  std::optional<Interruption> interruption;
};

// Looks through the folder and opens it. `scan` reads every pack from front to back. Code::denied
// when the key is wrong, Code::not_found when there is nothing to open, Code::cancelled after a
// signal.
Result<std::unique_ptr<RescueOpened>> open_rescue(const RescueOptions& options, bool scan);

// Damage and notes, to stderr, or with --json as lines to stdout.
void tell_oddities(const CommonOptions& common, const rescue::Rescue& rescue);

// Code::not_found with advice of this program's.
Result<repository::SnapshotInfo> choose_rescued(const rescue::Rescue& rescue,
                                                const std::string& text);

// Commands; each sets the exit code when it was run.
void add_rescue_list(CLI::App& app, RescueOptions& options, int& exit_code);
void add_rescue_restore(CLI::App& app, RescueOptions& options, int& exit_code);
void add_rescue_check(CLI::App& app, RescueOptions& options, int& exit_code);

}  // namespace cb
