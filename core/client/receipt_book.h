// SPDX-License-Identifier: Apache-2.0
//
// What a device knows for sure of its account's history: where the chain of commits ends and which
// snapshots live (docs/trust.md, "Receipts"). Records are verified one by one as they are added.
// Plain values; functions are pure unless they call a given function.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "core/repository/records.h"

namespace cb::client {

// A place in the chain.
struct ChainPlace {
  uint64_t sequence = 0;        // 0: before the first
  repository::CommitHash hash;  // of that record; zero before the first

  bool operator==(const ChainPlace&) const = default;
};

struct KnownSnapshot {
  uint64_t sequence = 0;  // of its commit
  int64_t time_ns = 0;    // likewise, by the server's clock
  bool in_trash = false;

  bool operator==(const KnownSnapshot&) const = default;
};

struct ReceiptBook {
  repository::RepositoryId repository;
  repository::SigningPublic server{};  // the key that signs the chain
  ChainPlace head;
  int64_t head_time_ns = 0;
  // Verified certificates, for the devices that the chain names.
  std::map<repository::DeviceId, repository::Certificate> devices;
  std::map<repository::BlobId, KnownSnapshot> snapshots;  // those in the trash, too

  bool operator==(const ReceiptBook&) const = default;
};

// docs/trust.md has the format. decode: Code::corrupt for anything that encode does not write,
// Code::unsupported for another version.
Bytes encode(const ReceiptBook& book);
Result<ReceiptBook> decode_receipt_book(ByteView bytes);

// What commit records are verified against.
struct ChainJudge {
  const repository::RepositoryRecord* record = nullptr;  // verified; has the revocations
  // All certificates that the server has; asked for when the chain names an unknown device.
  std::function<Result<std::vector<repository::Certificate>>()> devices;
  // After the server was restored: signatures of keys that it had before are taken, too.
  bool any_server = false;
};

// Adds the record that follows the head. Code::denied, and nothing is changed but known devices,
// when it does not follow, the server or the device did not sign it, or a device is unknown or was
// revoked before.
Status add_commit(ReceiptBook& book, ByteView record, const ChainJudge& judge);

ChainPlace place_of(const repository::CommitRecord& commit, ByteView encoded);

// What a server that went back or lies is answered with; `object` and `cause` are for people.
Error server_refused(std::string object, std::string cause);
// The same for a server that shows another record there than was known.
Error history_forked(uint64_t sequence);

}  // namespace cb::client
