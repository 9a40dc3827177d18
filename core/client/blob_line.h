// SPDX-License-Identifier: Apache-2.0
//
// The way of blobs from plaintext to the repository: named, asked for in batches, compressed,
// sealed and put by threads of its own, within a budget of bytes. Regions of big files lean on what
// is there as far as they can (docs/fine-grain.md). The first failure stops it and comes back from
// every call after it. `stop` is for any thread, the rest for one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/client/backup.h"
#include "core/client/fine_grain.h"
#include "core/client/known_ids.h"
#include "core/client/patch.h"
#include "core/repository/node.h"

namespace cb::client {

struct BlobLineCounts {
  uint64_t blobs_new = 0;
  uint64_t blobs_known = 0;
  uint64_t bytes_sent = 0;                   // stored bytes; of a dry run, plain ones
  uint64_t data_plain = 0, data_stored = 0;  // bytes of new blobs of content
};

class BlobLine {
 public:
  // All outlive the line.
  struct Parts {
    const repository::WriteKeys* keys = nullptr;
    const repository::SessionSealer* sealer = nullptr;
    repository::Remote* remote = nullptr;
    unsigned threads = 1;
    Verify verify = Verify::sample;
    bool dry_run = false;       // asks, but puts nothing
    FineGrain* fine = nullptr;  // none: all is stored as it comes
  };
  explicit BlobLine(const Parts& parts);
  ~BlobLine();  // stops
  BlobLine(const BlobLine&) = delete;
  BlobLine& operator=(const BlobLine&) = delete;

  // These blobs are there; before the first is handed over.
  void know(const std::vector<ShortId>& ids);
  // Puts the session record and starts the threads.
  Status begin();

  // Hands over a data blob: `buffer` is kIdHeadroom free bytes and the plaintext. Waits while too
  // much is under way.
  Status data(const std::shared_ptr<Piece>& piece, Bytes buffer);
  // The same of content that is one file's alone; its first byte lies at `offset` there. It may
  // come to lie in parts.
  Status region(const std::shared_ptr<Piece>& piece, Bytes buffer, uint64_t offset);
  // Names a node or snapshot at once and hands it over.
  Result<repository::BlobId> blob(repository::BlobKind kind,
                                  const std::vector<repository::BlobId>& children,
                                  const Bytes& plain);

  Status wait_until_placed(const Piece& piece);
  // Waits until everything handed over was put, or found to be there.
  Status drain();
  // Ends everything with Code::cancelled.
  void stop();
  [[nodiscard]] BlobLineCounts counts() const;

 private:
  struct Item {
    std::shared_ptr<Piece> piece;  // data only
    repository::BlobKind kind = repository::BlobKind::data;
    repository::BlobId id;
    std::vector<repository::BlobId> children;
    Bytes buffer;
    std::optional<uint64_t> offset;                  // in its file, of a region
    bool is_there = false;                           // and only its signature is missing
    std::optional<repository::BlobSignature> patch;  // what is in it, of a patch
    [[nodiscard]] ByteView plain() const {
      return ByteView(buffer).subspan(repository::kIdHeadroom);
    }
  };

  Status accept(Item item, bool named);
  void work();
  void ask();
  Status name(Item& item);
  Status send(Item& item);
  Status send_region(Item& item);
  Result<std::vector<bool>> undescribed(const std::vector<Item>& items,
                                        const std::vector<bool>& there);
  Status put_whole(Item& item);
  Status put_signature(Result<repository::StoredBlob> signature);
  // With the mutex held:
  void named(Item item);
  void answered(Item item, bool is_there, bool lacks_signature);
  void place(const Item& item);
  bool lay_out(const Item& item, const std::vector<RegionPart>& parts);
  void end_patch();
  void mend_patch(PatchMending::Made made);
  void leave(const Item& item);
  void fail_with(Error error);
  Status status() const;

  Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable work_;   // something to name, seal, or stop
  std::condition_variable asked_;  // something to ask for, or stop
  std::condition_variable moved_;  // something was placed or left
  // Guarded by the mutex:
  std::deque<Item> to_name_, to_send_, to_ask_;
  KnownIds known_;
  // Regions of which it is not decided whether they are stored as they are, and who else has the
  // same content.
  struct Undecided {
    std::vector<std::shared_ptr<Piece>> others;
    bool must_be_whole = false;  // somebody counts on a blob
  };
  std::unordered_map<ShortId, Undecided, repository::IdHash> undecided_;
  std::unique_ptr<Patch> patch_;  // that is being filled
  size_t bytes_ = 0;              // under way
  size_t items_ = 0;
  uint64_t sent_ = 0;  // for the sample
  std::optional<Error> error_;
  bool ending_ = false;
  BlobLineCounts counts_;

  std::vector<std::thread> threads_;
};

}  // namespace cb::client
