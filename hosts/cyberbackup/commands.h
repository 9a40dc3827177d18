// SPDX-License-Identifier: Apache-2.0
//
// The commands of the v4 client. Each function adds one (or a few that belong together); when it
// was run, `exit_code` holds what the program exits with. `options` and `exit_code` outlive the
// parsing. Used by one thread.
#pragma once

#include "hosts/cyberbackup/workplace.h"

namespace cb {

void add_enroll_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_login_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_device_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_key_command(CLI::App& app, CommonOptions& options, int& exit_code);
// Adds `export` to `key`.
void add_key_export_command(CLI::App& key, CommonOptions& options, int& exit_code);
void add_backup_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_snapshots_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_status_command(CLI::App& app, CommonOptions& options, int& exit_code);
// forget and undelete
void add_forget_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_retention_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_doctor_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_benchmark_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_restore_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_ls_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_find_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_history_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_diff_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_dump_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_check_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_drill_command(CLI::App& app, CommonOptions& options, int& exit_code);
void add_receipts_command(CLI::App& app, CommonOptions& options, int& exit_code);

}  // namespace cb
