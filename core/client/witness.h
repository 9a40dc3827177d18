// SPDX-License-Identifier: Apache-2.0
//
// A witness: where an account's chain of commits stood and which snapshots lived, in a text file
// that is kept where the server cannot reach it (docs/trust.md, "Witnesses"). Functions are pure
// but for the files and the server that they are given.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/client/receipts.h"

namespace cb::client {

struct Witness {
  repository::RepositoryId repository;
  repository::SigningPublic server{};
  Bytes commit;                                      // the newest commit record; empty: none yet
  ChainPlace head;                                   // of that
  std::map<repository::BlobId, uint64_t> snapshots;  // that live; the sequence of their commits
};

using ReadChain = std::function<Result<repository::ChainPage>(uint64_t)>;

// Of what was followed; `chain` gives the newest record again.
Result<Witness> make_witness(Receipts& receipts, const ReadChain& chain);

std::string witness_text(const Witness& witness);
// Takes only what witness_text writes, with a record that its server signed. Code::corrupt names
// `object`, Code::unsupported is for another version.
Result<Witness> parse_witness(std::string_view text, const std::string& object);

struct WitnessFinding {
  enum class Kind { other_server, older, forked, missing, trash };
  Kind kind = Kind::missing;
  repository::BlobId snapshot;  // zero: of the whole history
  std::string text;             // a sentence without full stop
};
// "other-server", "older", "forked", "missing", "trash".
std::string_view name_of(WitnessFinding::Kind kind);

// What the followed history lacks of the witness's; nothing: it goes on from there, and all the
// snapshots live. Code::invalid when the witness is of another repository.
Result<std::vector<WitnessFinding>> compare(const Witness& witness, Receipts& receipts,
                                            const ReadChain& chain);

}  // namespace cb::client
