// SPDX-License-Identifier: Apache-2.0
#include "core/client/witness.h"

#include <charconv>

#include "core/identity/signing.h"
#include "core/repository/signatures.h"

namespace cb::client {

using repository::BlobId;
using repository::CommitRecord;
using repository::CommitType;
using Kind = WitnessFinding::Kind;

namespace {

constexpr std::string_view kFirstWord = "cyberbackup-witness";
using KeyId = Id<struct WitnessKeyTag, repository::kPublicSize>;

// The lines of a witness, each a word and what belongs to it.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  // What follows this word in the next line; nothing when that begins otherwise.
  std::optional<std::string_view> take(std::string_view word) {
    const size_t end = rest_.find('\n');
    const bool fits = end != std::string_view::npos && rest_.starts_with(word) &&
                      end > word.size() && rest_[word.size()] == ' ';
    if (!fits) return std::nullopt;
    const std::string_view found = rest_.substr(word.size() + 1, end - word.size() - 1);
    rest_.remove_prefix(end + 1);
    return found;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || std::to_string(value) != text) return std::nullopt;
  return value;
}

template <typename Id>
Status read_id(const std::optional<std::string_view>& text, Id& id) {
  if (!text) return failed(Code::corrupt, {}, "lacks a line");
  CB_ASSIGN(id, Id::from_hex_text(*text));
  return {};
}

Status read_commit(Lines& lines, Witness& witness) {
  const auto sequence = number_of(lines.take("head").value_or(""));
  if (!sequence) return failed(Code::corrupt, {}, "does not say where the history stood");
  if (*sequence == 0) return {};
  CB_ASSIGN(witness.commit, from_base64(lines.take("commit").value_or("")));
  CB_ASSIGN(const CommitRecord commit, repository::decode_commit(witness.commit));
  CB_TRY(repository::verify_commit(commit, witness.repository, witness.server));
  witness.head = place_of(commit, witness.commit);
  if (commit.sequence == *sequence) return {};
  return failed(Code::corrupt, {}, "has another commit than it says");
}

Status read_snapshots(Lines& lines, Witness& witness) {
  while (const auto line = lines.take("snapshot")) {
    const size_t space = std::min(line->find(' '), line->size());
    CB_ASSIGN(const BlobId id, BlobId::from_hex_text(line->substr(0, space)));
    const auto sequence = number_of(line->substr(std::min(space + 1, line->size())));
    const bool follows = witness.snapshots.empty() || witness.snapshots.rbegin()->first < id;
    if (!sequence || !follows)
      return failed(Code::corrupt, {}, "has snapshots that are none or out of order");
    witness.snapshots.emplace(id, *sequence);
  }
  const auto count = number_of(lines.take("end").value_or(""));
  if (count == witness.snapshots.size() && lines.at_end()) return {};
  return failed(Code::corrupt, {}, "is cut off, or has lines that do not belong there");
}

Status read(std::string_view text, Witness& witness) {
  Lines lines(text);
  const auto version = number_of(lines.take(kFirstWord).value_or(""));
  if (!version) return failed(Code::corrupt, {}, "is no witness");
  if (*version != 1) return failed(Code::unsupported, {}, "is of a version that is not known");
  CB_TRY(read_id(lines.take("repository"), witness.repository));
  KeyId key;
  CB_TRY(read_id(lines.take("server-key"), key));
  witness.server = key.bytes;
  CB_TRY(read_commit(lines, witness));
  CB_TRY(read_snapshots(lines, witness));
  // One text for one witness: no upper case, no spaces.
  if (witness_text(witness) == text) return {};
  return failed(Code::corrupt, {}, "is not written as witnesses are");
}

std::string deed_of(const CommitRecord& commit) {
  const std::string by = commit.device.is_zero() ? "the server" : "device " + commit.device.hex();
  const std::string what =
      commit.type == CommitType::removal ? "was removed by " : "was put into the trash by ";
  return what + by + " with commit " + std::to_string(commit.sequence);
}

// What came after the witness to each snapshot: the last forget or removal.
Result<std::map<BlobId, std::string>> deeds_after(const Witness& witness, Receipts& receipts,
                                                  const ReadChain& chain) {
  std::map<BlobId, std::string> deeds;
  CB_ASSIGN(const ChainPlace head, receipts.head());
  for (uint64_t next = witness.head.sequence + 1; next <= head.sequence;) {
    CB_ASSIGN(const repository::ChainPage page, chain(next));
    if (page.commits.empty()) break;
    for (const Bytes& bytes : page.commits) {
      CB_ASSIGN(const CommitRecord commit, repository::decode_commit(bytes));
      CB_ASSIGN(const auto known, receipts.hash_at(next));
      if (known != place_of(commit, bytes).hash) return deeds;
      if (commit.type == CommitType::forget || commit.type == CommitType::removal)
        deeds.insert_or_assign(commit.snapshot, deed_of(commit));
      ++next;
    }
  }
  return deeds;
}

Status compare_snapshots(const Witness& witness, Receipts& receipts, const ReadChain& chain,
                         std::vector<WitnessFinding>& findings) {
  CB_ASSIGN(const ReceiptBook book, receipts.book());
  std::vector<WitnessFinding> found;
  for (const auto& [id, sequence] : witness.snapshots) {
    const auto known = book.snapshots.find(id);
    const bool there = known != book.snapshots.end() && known->second.sequence == sequence;
    if (there && !known->second.in_trash) continue;
    found.push_back({there ? Kind::trash : Kind::missing, id, {}});
  }
  if (found.empty()) return {};
  std::map<BlobId, std::string> deeds;
  if (findings.empty()) {
    CB_ASSIGN(deeds, deeds_after(witness, receipts, chain));
  }
  for (WitnessFinding& finding : found) {
    const auto deed = deeds.find(finding.snapshot);
    finding.text = "snapshot " + finding.snapshot.hex() + " " +
                   (deed == deeds.end() ? "is not there any more" : deed->second);
    findings.push_back(std::move(finding));
  }
  return {};
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::other_server:
      return "other-server";
    case Kind::older:
      return "older";
    case Kind::forked:
      return "forked";
    case Kind::missing:
      return "missing";
    case Kind::trash:
      return "trash";
  }
  return "unknown";
}

Result<Witness> make_witness(Receipts& receipts, const ReadChain& chain) {
  CB_ASSIGN(const ReceiptBook book, receipts.book());
  Witness witness{book.repository, book.server, {}, book.head, {}};
  for (const auto& [id, known] : book.snapshots)
    if (!known.in_trash) witness.snapshots.emplace(id, known.sequence);
  if (book.head.sequence == 0) return witness;
  CB_ASSIGN(repository::ChainPage page, chain(book.head.sequence));
  if (!page.commits.empty() && book.head.hash.bytes == identity::sha256(page.commits.front())) {
    witness.commit = std::move(page.commits.front());
    return witness;
  }
  return failed(server_refused("server", "does not show its newest commit again"));
}

std::string witness_text(const Witness& witness) {
  std::string text = std::string(kFirstWord) + " 1\n";
  text += "repository " + witness.repository.hex() + "\n";
  text += "server-key " + to_hex(witness.server) + "\n";
  text += "head " + std::to_string(witness.head.sequence) + "\n";
  if (witness.head.sequence > 0) text += "commit " + to_base64(witness.commit) + "\n";
  for (const auto& [id, sequence] : witness.snapshots)
    text += "snapshot " + id.hex() + " " + std::to_string(sequence) + "\n";
  return text + "end " + std::to_string(witness.snapshots.size()) + "\n";
}

Result<Witness> parse_witness(std::string_view text, const std::string& object) {
  Witness witness;
  const Status done = read(text, witness);
  if (done) return witness;
  if (done.error().code == Code::unsupported)
    return failed(Code::unsupported, object, done.error().cause, "use a newer program");
  const std::string& what = done.error().object;
  return failed(Code::corrupt, object,
                what.empty() ? done.error().cause : "has a wrong line: " + done.error().cause,
                "take another copy of it");
}

Result<std::vector<WitnessFinding>> compare(const Witness& witness, Receipts& receipts,
                                            const ReadChain& chain) {
  CB_ASSIGN(const ReceiptBook book, receipts.book());
  if (witness.repository != book.repository)
    return failed(Code::invalid, "witness",
                  "is of repository " + witness.repository.hex() + ", not of this profile's",
                  "choose the profile with --profile");
  std::vector<WitnessFinding> findings;
  if (witness.server != book.server)
    findings.push_back({Kind::other_server, {}, "the server signs with another key than then"});
  const std::string place = std::to_string(witness.head.sequence);
  if (witness.head.sequence > book.head.sequence) {
    findings.push_back({Kind::older,
                        {},
                        "the history ends with commit " + std::to_string(book.head.sequence) +
                            ", the witness has seen commit " + place});
  } else if (witness.head.sequence > 0) {
    CB_ASSIGN(const auto known, receipts.hash_at(witness.head.sequence));
    if (known != witness.head.hash)
      findings.push_back(
          {Kind::forked, {}, "commit " + place + " is another than the witness has seen"});
  }
  CB_TRY(compare_snapshots(witness, receipts, chain, findings));
  return findings;
}

}  // namespace cb::client
