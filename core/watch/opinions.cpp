// SPDX-License-Identifier: Apache-2.0
#include "core/watch/opinions.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/watch/baseline.h"

namespace cb::watch {
namespace {

// Points of each sign, of 100. docs/watch.md tells what they are for.
constexpr double kRewritten = 20;  // more was rewritten than usual
constexpr double kShare = 35;      // most was rewritten
constexpr double kHard = 40;       // what is new compresses worse than what it replaces
constexpr double kAllHard = 25;    // the more so when it replaces most
constexpr double kNodes = 10;      // it is spread over the whole tree
constexpr double kLost = 65;       // most is gone
constexpr double kRenamed = 60;    // files have other endings

// A share below it is an ordinary day.
constexpr double kSlack = 0.03;
// While too little is known of a source, a high share counts half.
constexpr double kUnknown = 0.5;
constexpr uint64_t kLeastPlain = 1024 * 1024;  // new content that tells how well it compresses

double part(uint64_t some, uint64_t of) {
  return of == 0 ? 0 : static_cast<double>(some) / static_cast<double>(of);
}

double mean(uint64_t bytes, uint64_t blobs) { return part(bytes, blobs); }

std::string percent(double share) {
  return std::to_string(std::lround(100 * std::min(share, 100.0))) + " %";
}

std::string decimal(double value) {
  std::string text(16, '\0');
  const int size = std::snprintf(text.data(), text.size(), "%.1f", value);
  text.resize(static_cast<size_t>(std::max(size, 0)));
  return text;
}

// Of the bytes that were there, how many others took the place of.
double rewritten(const Seen& seen) {
  return part(std::min(seen.new_bytes, seen.gone_bytes), seen.before_bytes);
}

double lost(const Seen& seen) {
  return part(seen.gone_bytes - std::min(seen.new_bytes, seen.gone_bytes), seen.before_bytes);
}

// By how many doublings what is new takes more room than what it replaces: blob for blob, and in
// all, so that neither growth nor small blobs that are joined look like it.
double hardened(const Seen& seen) {
  if (seen.new_blobs == 0 || seen.gone_blobs == 0 || seen.gone_bytes == 0) return 0;
  const double each = mean(seen.new_bytes, seen.new_blobs) / mean(seen.gone_bytes, seen.gone_blobs);
  const double all = part(seen.new_bytes, seen.gone_bytes);
  return std::log2(std::max(1.0, std::min(each, all)));
}

// Is as much new as is gone? Growth and loss are no rewriting.
double balance(const Seen& seen) {
  return part(std::min(seen.new_blobs, seen.gone_blobs), std::max(seen.new_blobs, seen.gone_blobs));
}

// From here on a share is no ordinary day's.
constexpr double kThere = 0.08;
constexpr double kHarmlessLoss = 0.1;
constexpr double kHarmlessRenamed = 0.05;

double was_there(double share) { return ramp(share, 0.02, kThere); }

template <typename Figure>
std::vector<double> past_seen(std::span<const Reading> history, const Figure& figure) {
  std::vector<double> past;
  for (const Reading& one : history)
    if (one.seen) past.push_back(figure(*one.seen));
  return past;
}

uint64_t files_before(const Said& said) { return said.unchanged + said.changed + said.removed; }

double touched(const Said& said) {
  return part(said.changed + std::min(said.added, said.removed), files_before(said));
}

double renamed(const Said& said) { return part(said.renamed, files_before(said)); }

template <typename Figure>
std::vector<double> past_said(std::span<const Reading> history, const Figure& figure) {
  std::vector<double> past;
  for (const Reading& one : history)
    if (one.said) past.push_back(figure(*one.said));
  return past;
}

std::string usually(const Baseline& baseline) {
  return baseline.is_known() ? " (usually " + percent(baseline.median()) + ")" : std::string();
}

void judge_loss(const Seen& seen, std::span<const Reading> history, size_t least, double weight,
                Opinion& opinion) {
  const Baseline baseline(past_seen(history, lost), least, kSlack);
  const double share = lost(seen);
  opinion.add(weight * kLost * baseline.unusual(share, 1) * ramp(share, 0.5, 0.9),
              percent(share) + " of the stored bytes are gone and nothing took their place" +
                  usually(baseline));
}

// The share of the files with new content that took the place of others.
double replacing(const Said& said) {
  return part(said.changed + std::min(said.added, said.removed), said.changed + said.added);
}

void judge_hardness(const Said& said, std::span<const Reading> history, size_t least, double weight,
                    Opinion& opinion) {
  if (said.plain_bytes < kLeastPlain) return;
  std::vector<double> past;
  for (const Reading& one : history)
    if (one.said && one.said->plain_bytes >= kLeastPlain)
      past.push_back(part(one.said->stored_bytes, one.said->plain_bytes));
  const Baseline baseline(std::move(past), least, 0.1);
  if (!baseline.is_known()) return;
  const double ratio = part(said.stored_bytes, said.plain_bytes);
  opinion.add(weight * kHard * ramp(replacing(said), 0.4, 0.7) *
                  ramp(ratio - baseline.median(), 0.15, 0.45),
              "the client says that what is new compresses to " + percent(ratio) + " (usually " +
                  percent(baseline.median()) + ")");
}

}  // namespace

void Opinion::add(double more, const std::string& reason) {
  points += more;
  if (more >= 1) reasons.push_back(reason);
}

bool is_harmless(const Seen& seen) {
  return rewritten(seen) < kThere && lost(seen) < kHarmlessLoss;
}

bool is_harmless(const Said& said) {
  return touched(said) < kThere && renamed(said) < kHarmlessRenamed;
}

Opinion opinion_of_server(const Seen& seen, std::span<const Reading> history, size_t least) {
  Opinion opinion;
  // A source of few blobs changes as a whole when one file does.
  const double weight = ramp(static_cast<double>(seen.gone_blobs), 2, 10);
  const double share = rewritten(seen);
  const Baseline baseline(past_seen(history, rewritten), least, kSlack);
  const double odd = weight * baseline.unusual(share, kUnknown);
  opinion.add(odd * (kRewritten * was_there(share) + kShare * ramp(share, 0.2, 0.95)),
              percent(share) + " of the stored bytes were replaced at once" + usually(baseline));
  const double hard = hardened(seen);
  // Of a few blobs that were replaced their hardness is no measure for many.
  std::vector<double> past_hard;
  for (const Reading& one : history)
    if (one.seen && rewritten(*one.seen) >= kThere) past_hard.push_back(hardened(*one.seen));
  const double odd_hard = Baseline(std::move(past_hard), least, 0.15).unusual(hard, 1);
  const double much = kHard * was_there(share) + kAllHard * ramp(share, 0.2, 0.7);
  opinion.add(weight * odd_hard * much * ramp(balance(seen), 0.4, 0.7) * ramp(hard, 0.25, 0.8),
              "what is new takes " + decimal(std::exp2(hard)) +
                  " times the room of what it replaces, as content does that does not compress");
  const double nodes = part(seen.new_nodes, seen.before_nodes);
  opinion.add(odd * kNodes * was_there(share) * ramp(nodes, 0.3, 0.9),
              "it goes through " + percent(std::min(nodes, 1.0)) + " of the tree");
  judge_loss(seen, history, least, weight, opinion);
  return opinion;
}

Opinion opinion_of_client(const Said& said, std::span<const Reading> history, size_t least) {
  Opinion opinion;
  const double weight = ramp(static_cast<double>(files_before(said)), 5, 30);
  const double share = touched(said);
  const Baseline baseline(past_said(history, touched), least, kSlack);
  const double odd = weight * baseline.unusual(share, kUnknown);
  opinion.add(odd * (kRewritten * was_there(share) + kShare * ramp(share, 0.2, 0.95)),
              "the client says that " + percent(share) + " of the files changed or moved" +
                  usually(baseline));
  judge_hardness(said, history, least, weight * was_there(share), opinion);
  const double endings = renamed(said);
  const double odd_endings =
      Baseline(past_said(history, renamed), least, kSlack).unusual(endings, 1);
  opinion.add(weight * kRenamed * odd_endings * ramp(endings, 0.05, 0.3),
              "the client says that " + percent(endings) + " of the files have another ending");
  return opinion;
}

}  // namespace cb::watch
