// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_reading.h"

#include <algorithm>
#include <array>

namespace cb::server {

using repository::BlobId;

namespace {

// However the reading ends, whoever sends does not wait for more.
class Ending {
 public:
  explicit Ending(V4Outflow& out) : out_(out) {}
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;
  ~Ending() { out_.finish(); }

 private:
  V4Outflow& out_;
};

}  // namespace

V4Reading::V4Reading(repository::Engine& engine, const repository::RepositoryId& repository,
                     const Copies& copies, std::vector<BlobId> ids, V4Outflow& out)
    : engine_(engine),
      repository_(repository),
      copies_(copies),
      out_(out),
      wanted_(std::move(ids)) {
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  begun_.resize(wanted_.size());
}

Status V4Reading::run() {
  const Ending ending(out_);
  const Status read = read_rest();
  goes_on_ = out_.is_behind();
  return goes_on_ ? Status{} : read;
}

Status V4Reading::read_rest() {
  // The blob that the network got a part of comes first: its frames may not be mixed with others.
  if (const std::optional<BlobId> cut = out_.cut()) {
    CB_TRY(read(std::array{*cut}));
    if (out_.cut())
      return failed(Code::busy, "blob " + cut->hex(), "was removed while it was sent",
                    "ask for it again");
  }
  std::vector<BlobId> rest;
  for (size_t i = 0; i < wanted_.size(); ++i)
    if (!begun_[i]) rest.push_back(wanted_[i]);
  return rest.empty() ? Status{} : read(rest);
}

Status V4Reading::read(std::span<const BlobId> ids) {
  repository::Engine::Reader reader;
  reader.head = [&](const repository::BlobHead& head) {
    const auto at = std::lower_bound(wanted_.begin(), wanted_.end(), head.id);
    if (at != wanted_.end() && *at == head.id) {
      auto&& flag = begun_[at - wanted_.begin()];
      blobs_ += flag ? 0 : 1;
      flag = true;
    }
    return out_.head(head);
  };
  reader.content = [&](ByteView stored) { return out_.content(stored); };
  if (copies_.whole) reader.damaged = [](const BlobId&) -> Status { return {}; };
  return engine_.read(repository_, copies_.whose, copies_.exact, ids, reader);
}

std::vector<BlobId> V4Reading::missing() const {
  std::vector<BlobId> missing;
  for (size_t i = 0; i < wanted_.size(); ++i)
    if (!begun_[i]) missing.push_back(wanted_[i]);
  return missing;
}

}  // namespace cb::server
