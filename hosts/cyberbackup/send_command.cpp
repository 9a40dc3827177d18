// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/send_command.h"

#include <memory>

#include "core/client/v3_sender.h"
#include "core/report/exit_code.h"
#include "hosts/cyberbackup/send_options.h"
#include "hosts/cyberbackup/send_screen.h"
#include "hosts/cyberbackup/v3_engine.h"

namespace cb {
namespace {

constexpr const char* kSendExample =
    "Examples:\n"
    "  cyberbackup send --server backup.example:1256 --name alice notes.txt photos.tar\n"
    "  cyberbackup send --server backup.example:1257 --name alice --tls --pin SHA256HEX notes.txt\n"
    "  cd old-client && cyberbackup send      (reads transfer.info, me.info and priv.key there)\n"
    "\n"
    "A file is \"confirmed\" when the server acknowledged its checksum; \"not confirmed\" (exit "
    "1)\n"
    "when the checksums agreed and the acknowledgement never came. The identity of each name is\n"
    "kept in the configuration folder, under legacy/, whatever the server's address.";

report::ExitCode code_for(const Error& error) {
  return error.code == Code::invalid ? report::ExitCode::usage : report::exit_code_of(error);
}

client::V3SendObserver observer_of(SendScreen& screen) {
  return {[&screen](const client::V3SendProgress& now) { screen.progress(now); },
          [&screen](const client::V3FileReport& file) { screen.file_ended(file); },
          [&screen](const std::string& text) { screen.note(text); }};
}

Result<client::V3SendReport> send(const SendOptions& options, SendScreen& screen) {
  CB_ASSIGN(const SendJob job, job_of(options));
  CB_ASSIGN(const auto engine, V3Engine::load(options));
  client::V3Sender::Parts parts;
  parts.stack = &engine->stack();
  parts.suites = &engine->suites();
  parts.files = &os::real_file_system();
  parts.clock = &os::system_clock();
  parts.random = &os::system_random();
  parts.identity_folder = job.identity_folder;
  client::V3Sender sender(std::move(parts), job.settings, observer_of(screen));
  return sender.run(job.files, true);
}

int run_send(const SendOptions& options) {
  const auto style = options.json    ? SendScreen::Style::json
                     : options.quiet ? SendScreen::Style::quiet
                                     : SendScreen::Style::normal;
  SendScreen screen(style, os::system_clock());
  const auto done = send(options, screen);
  if (!done) {
    screen.error(done.error(), code_for(done.error()));
    return static_cast<int>(code_for(done.error()));
  }
  const report::ExitCode exit = exit_code_of(*done);
  screen.finish(*done, exit);
  return static_cast<int>(exit);
}

void add_trust_options(CLI::App& command, SendOptions& options) {
  command.add_flag("--tls", options.tls, "Speak TLS to the server");
  // Without this limit it would take the files that follow it.
  command
      .add_option("--pin", options.pins,
                  "SHA-256 of the server's public key, 64 hex digits (with --tls); may be repeated")
      ->allow_extra_args(false);
  command.add_option("--ca", options.ca,
                     "File of authorities that certify the server (with --tls)");
  command.add_option("--server-name", options.server_name,
                     "Name to expect in the server's certificate, if not the host's");
}

void add_tuning_options(CLI::App& command, SendOptions& options) {
  command.add_option("--piece-size", options.piece_size,
                     "Ciphertext in one packet, a multiple of 16 up to 16MiB [1MiB]");
  command
      .add_option("--content-size", options.content_size,
                  "What the content size field holds: \"packet\" for the original servers, "
                  "\"total\" for those that want the whole")
      ->check(CLI::IsMember({"packet", "total"}))
      ->capture_default_str();
  command.add_option("--response-timeout", options.response_timeout,
                     "Longest wait for an answer, and for the one to a file so much more as its "
                     "size asks for [30s]");
  command.add_option("--confirm-timeout", options.confirm_timeout,
                     "Longest wait for the final acknowledgement [30s]");
}

void add_general_options(CLI::App& command, SendOptions& options) {
  command.add_option("--config-dir", options.config_dir,
                     "Where identities are kept (or CYBERBACKUP_CONFIG_DIR)");
  command.add_option("--plugins,--plugin-dir", options.plugins,
                     "Folder of the plugins (or CYBERBACKUP_PLUGIN_DIR)");
  command.add_flag("--json", options.json, "Write JSON lines to standard output");
  command.add_flag("--quiet", options.quiet, "Write nothing but errors");
  command.add_flag("--verbose", options.verbose, "Log what the plugins say to standard error");
}

// What stood before the command's name.
void take_common(SendOptions& options, const CommonOptions& common) {
  if (options.config_dir.empty()) options.config_dir = common.config_dir;
  if (options.plugins.empty()) options.plugins = common.plugin_dir;
  options.limit_upload = common.limit_upload;
  options.json = options.json || common.json;
  options.quiet = options.quiet || common.quiet;
  options.verbose = options.verbose || common.verbose;
}

}  // namespace

void add_send_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto options = std::make_shared<SendOptions>();
  CLI::App& command = *app.add_subcommand("send", "Send files to a server of protocol v3");
  command.footer(kSendExample + std::string("\n\n") + report::exit_codes_text());
  command.add_option("FILE", options->files, "Files to send");
  command.add_option("--server", options->server, "Address of the server, HOST:PORT");
  command.add_option("--name", options->name, "Name of this client on the server");
  add_trust_options(command, *options);
  add_tuning_options(command, *options);
  add_general_options(command, *options);
  command.callback([options, &common, &exit_code] {
    take_common(*options, common);
    exit_code = run_send(*options);
  });
}

}  // namespace cb
