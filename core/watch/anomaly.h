// SPDX-License-Identifier: Apache-2.0
//
// How much a snapshot looks as if something had gone through a source and spoilt it: a score with
// reasons (docs/watch.md, "Anomalies"). Two opinions, of which the higher one counts: from what the
// server sees itself, and from what the client says. So a client that lies can raise a score and
// silence none. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cb::watch {

// What the server sees of a snapshot beside the whole one of its source before it: no names and no
// contents. Bytes are stored ones, blobs those of content.
struct Seen {
  uint64_t before_blobs = 0, before_bytes = 0, before_nodes = 0;  // of the one before
  uint64_t after_blobs = 0, after_bytes = 0;                      // of this one
  uint64_t new_blobs = 0, new_bytes = 0, new_nodes = 0;           // that only this one needs
  uint64_t gone_blobs = 0, gone_bytes = 0;                        // that only the one before needs

  friend bool operator==(const Seen&, const Seen&) = default;
};

// What a client says of the files of a backup beside those of the one before.
struct Said {
  uint64_t unchanged = 0, changed = 0, added = 0, removed = 0;  // files
  uint64_t renamed = 0;       // of those added: a file that is gone, with another ending
  uint64_t plain_bytes = 0;   // of blobs that were new
  uint64_t stored_bytes = 0;  // of the same, compressed and sealed

  friend bool operator==(const Said&, const Said&) = default;
};

struct Reading {
  std::optional<Seen> seen;
  std::optional<Said> said;
};

struct Score {
  unsigned points = 0;     // 0: nothing remarkable; 100: all signs
  unsigned of_server = 0;  // both opinions
  unsigned of_client = 0;
  std::vector<std::string> reasons;  // sentences, of the higher opinion first

  [[nodiscard]] std::string text() const;  // them all, in one line
};

// `history`: earlier readings of the source, in any order, without those that were anomalies.
// `least`: with fewer of them the score leans on the snapshot alone. A reading without `seen` (a
// first backup, or nothing to compare with) has no opinion of the server.
Score score(const Reading& reading, std::span<const Reading> history, size_t least);

// A reading of a source's past, without those that were anomalies.
struct Past {
  Reading reading;
  bool is_old = false;  // for longer than somebody would wait who only stages it
};

// The readings of a past (oldest first) that say what is usual, the newest `most` of them, newest
// first. What rewrote or lost much counts only once it is old: else a few backups of staged
// content, minutes apart, would make usual what is to follow. None count while such ones wait and
// fewer than `least` are old: then little is known of the source.
std::vector<Reading> usual_of(std::span<const Past> past, size_t least, size_t most);

}  // namespace cb::watch
