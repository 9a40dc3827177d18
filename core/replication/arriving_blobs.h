// SPDX-License-Identifier: Apache-2.0
//
// Blobs on their way from a source into packs of this server: fetched, compared with their
// checksums, and put into the domain that they have at the source. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "core/catalog/catalog.h"
#include "core/replication/pace.h"
#include "core/replication/source_remote.h"
#include "core/repository/engine.h"

namespace cb::replication {

class ArrivingBlobs {
 public:
  // All outlive it.
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    repository::Engine* engine = nullptr;
    SourceRemote* source = nullptr;
    Pace* pace = nullptr;
    std::function<bool()> goes_on;  // false: stop (Code::cancelled)
  };
  struct Counts {
    uint64_t blobs = 0;
    uint64_t bytes = 0;  // stored ones
  };
  // Hears of each blob that came.
  using Came = std::function<void(const repository::BlobHead&)>;
  // Is a blob that comes taken, into the open domain or into a device's? One that is not counts as
  // missing.
  using Takes = std::function<bool(const repository::BlobHead&, bool is_open)>;

  ArrivingBlobs(const Parts& parts, const repository::RepositoryId& repository)
      : parts_(parts), repository_(repository) {}

  // Fetches what owners or this viewer put; returns what the source has not. At most kMostAtOnce.
  // Code::corrupt when a blob did not arrive as it was sent, Code::no_space when the store is full,
  // Code::limit when there is no room left. `takes` is asked about records of sessions, too.
  Result<std::vector<repository::BlobId>> fetch(const repository::Viewer& viewer,
                                                std::span<const repository::BlobId> ids,
                                                const Came& came, const Takes& takes = {});
  // Is each of these on its way into packs that this viewer may lean on, or there?
  Result<std::vector<bool>> have(const repository::Viewer& viewer,
                                 std::span<const repository::BlobId> ids);
  // Makes all that came durable.
  Status flush();

  // From now on so many stored bytes may come; nothing: as many as there are.
  void set_room(std::optional<uint64_t> bytes) { room_ = bytes; }

  [[nodiscard]] const Counts& counts() const { return counts_; }

  static constexpr size_t kMostAtOnce = 256;

 private:
  Result<repository::Intake*> intake(const repository::Viewer& viewer);
  Result<std::vector<repository::BlobId>> fetch_from(const repository::Viewer& viewer,
                                                     std::span<const repository::BlobId> ids,
                                                     const Came& came, const Takes& takes);
  Status make_room(uint64_t bytes);
  Status take(repository::Intake& intake, repository::StoredBlob blob, bool is_asked);
  Result<bool> takes_record(const repository::StoredBlob& blob, bool is_asked);
  Status replace_record(const repository::SessionId& session,
                        const repository::StoredBlob& blob) const;

  const Parts parts_;
  const repository::RepositoryId repository_;
  Counts counts_;
  std::optional<uint64_t> room_;
  std::map<repository::DeviceId, std::unique_ptr<repository::Intake>> intakes_;  // zero: owners'
};

// What ends a run that is not to go on.
Error was_stopped();
// The viewer for whom owners put.
bool is_owners(const repository::Viewer& viewer);

}  // namespace cb::replication
