// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/reading.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "core/client/snapshot_proof.h"

namespace cb {
namespace {

using repository::SnapshotInfo;

report::ProgressStyle style_of(const CommonOptions& options, bool terminal) {
  if (options.quiet) return report::ProgressStyle::none;
  if (options.json) return report::ProgressStyle::json;
  return terminal ? report::ProgressStyle::terminal : report::ProgressStyle::none;
}

// All that the account's history names.
std::vector<repository::DeviceId> known_devices(Workplace& place) {
  std::vector<repository::DeviceId> devices;
  const auto known = place.receipts().devices();
  if (known)
    for (const auto& [device, certificate] : *known) devices.push_back(device);
  return devices;
}

void write(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

}  // namespace

Result<Reading> Reading::open(const CommonOptions& options) {
  Reading reading;
  CB_ASSIGN(reading.place, Workplace::open(options));
  CB_TRY(reading.place->load_profile());
  CB_ASSIGN(reading.remote, reading.place->connect());
  CB_ASSIGN(reading.keyring, reading.place->unlock(*reading.remote));
  CB_ASSIGN(reading.opener, reading.fresh_opener());
  reading.fetcher = std::make_unique<client::BlobFetcher>(
      reading.remote, *reading.opener, [place = reading.place.get()] { return place->connect(); },
      [place = reading.place.get()] { return known_devices(*place); });
  return reading;
}

Result<std::unique_ptr<repository::Opener>> Reading::fresh_opener() const {
  return repository::Opener::make(place->suite(), place->profile().repository, keyring);
}

Result<SnapshotInfo> Reading::choose(const std::string& text) const {
  CB_ASSIGN(const SnapshotInfo info, place->snapshot(*remote, text));
  CB_TRY(use(info));
  return info;
}

Status Reading::use(const SnapshotInfo& info) const {
  fetcher->read_as(info.commit.device);
  CB_ASSIGN(const repository::SnapshotRecord record, client::prove_snapshot(*fetcher, info.commit));
  const Status judged = place->receipts().judge_head(record, info.commit);
  if (!judged) warn(judged.error().text());
  return {};
}

Result<std::vector<SnapshotInfo>> readable_snapshots(repository::Remote& remote) {
  CB_ASSIGN(std::vector<SnapshotInfo> all, remote.snapshots(false));
  std::erase_if(
      all, [](const SnapshotInfo& info) { return info.presence == repository::Presence::absent; });
  const auto is_checkpoint = [](const SnapshotInfo& info) {
    return (info.commit.flags & repository::kSnapshotCheckpoint) != 0;
  };
  if (!std::all_of(all.begin(), all.end(), is_checkpoint)) std::erase_if(all, is_checkpoint);
  return all;
}

ReadProgress::ReadProgress(const CommonOptions& options)
    : json_(options.json),
      terminal_(isatty(STDERR_FILENO) == 1),
      printer_(style_of(options, terminal_), os::system_clock(), [this](const std::string& text) {
        write(json_ ? stdout : stderr, text);
        drawn_ = !json_ && terminal_;
      }) {}

void ReadProgress::show(const report::Progress& progress) { printer_.show(progress); }

void ReadProgress::clear() {
  if (drawn_) write(stderr, "\r\x1b[K");
  drawn_ = false;
}

Status print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return {};
  Error error = fail_errno(errno, "standard output", "writing");
  // A reader that went away is not a server that did.
  if (error.code == Code::closed) error.code = Code::io;
  return failed(std::move(error));
}

}  // namespace cb
