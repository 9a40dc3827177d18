// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/send_options.h"

#include "core/base/units.h"
#include "core/client/v3_identity.h"
#include "core/client/v3_sender.h"
#include "core/protocol/v3/names.h"
#include "hosts/cyberbackup/flow_options.h"
#include "hosts/cyberbackup/places.h"

namespace cb {
namespace {

constexpr uint64_t kMaxInfoFile = 64 * kKiB;
constexpr int64_t kMinPiece = 1024;
constexpr int64_t kMaxPiece = 16 * kMiB;  // the original servers take no larger payload

Status read_piece_size(const std::string& text, uint32_t& into) {
  if (text.empty()) return {};
  CB_ASSIGN(const int64_t size, parse_size(text));
  if (size < kMinPiece || size > kMaxPiece || size % 16 != 0)
    return failed(Code::invalid, "--piece-size " + text,
                  "is not a multiple of 16 bytes from 1KiB to 16MiB");
  into = static_cast<uint32_t>(size);
  return {};
}

Status read_timeout(const char* flag, const std::string& text, std::chrono::nanoseconds& into) {
  if (text.empty()) return {};
  CB_ASSIGN(into, parse_duration(text));
  if (into <= std::chrono::nanoseconds::zero())
    return failed(Code::invalid, flag, "must be longer than nothing");
  return {};
}

Status read_settings(const SendOptions& options, client::V3SendSettings& settings) {
  CB_TRY(read_piece_size(options.piece_size, settings.piece_size));
  CB_TRY(read_timeout("--response-timeout", options.response_timeout, settings.response_timeout));
  CB_TRY(read_timeout("--confirm-timeout", options.confirm_timeout, settings.confirm_timeout));
  CB_ASSIGN(settings.upload, throttle_of("--limit-upload", options.limit_upload));
  if (options.content_size == "total") settings.content_size = client::ContentSize::total;
  settings.peer_name = options.server_name;
  if (!options.tls && (!options.pins.empty() || !options.ca.empty()))
    return failed(Code::invalid, "--pin and --ca", "say whom to trust in TLS, which is not on",
                  "add --tls");
  return {};
}

Result<SendJob> job_of_transfer_info(SendJob job) {
  auto content = os::read_file(os::real_file_system(), "transfer.info", kMaxInfoFile);
  if (!content && content.error().code == Code::not_found)
    return failed(Code::not_found, "transfer.info", "is not in this folder",
                  "give --server HOST:PORT --name NAME FILE..., or go to the folder that has it");
  if (!content) return failed(std::move(content).error());
  CB_ASSIGN(v3::TransferInfo info, v3::parse_transfer_info(as_text(*content)));
  job.settings.server = std::move(info.server);
  job.settings.user_name = std::move(info.user_name);
  job.files = {os::Path(info.file)};
  job.identity_folder = ".";
  return job;
}

Result<SendJob> job_of_flags(const SendOptions& options, SendJob job) {
  if (options.files.empty() || options.server.empty() || options.name.empty())
    return failed(Code::invalid, "cyberbackup send",
                  "needs --server, --name and at least one file, or none of them",
                  "give --server HOST:PORT --name NAME FILE...");
  CB_ASSIGN(job.settings.server, v3::parse_server_address(options.server));
  CB_TRY(v3::check_user_name(options.name));
  job.settings.user_name = options.name;
  job.files.assign(options.files.begin(), options.files.end());
  CB_TRY(client::check_distinct_names(job.files));
  CB_ASSIGN(const os::Path config, config_folder(options.config_dir));
  job.identity_folder = client::v3_identity_folder(config, options.name);
  return job;
}

}  // namespace

Result<SendJob> job_of(const SendOptions& options) {
  SendJob job;
  CB_TRY(read_settings(options, job.settings));
  const bool bare = options.files.empty() && options.server.empty() && options.name.empty();
  return bare ? job_of_transfer_info(std::move(job)) : job_of_flags(options, std::move(job));
}

}  // namespace cb
