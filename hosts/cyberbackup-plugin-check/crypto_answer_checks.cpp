// SPDX-License-Identifier: Apache-2.0
//
// Known answers: what the suite must compute, from a file of the author's (--known-answers). Blocks
// of "[name]" followed by "field = hex"; the name begins with what is tried: keyed-id, derive,
// wrap, kem or object. Keys that stay inside are told by the keyed id of `data` under them.
#include <algorithm>
#include <map>

#include "core/os/file_system.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/crypto_checks.h"
#include "hosts/cyberbackup-plugin-check/crypto_suite.h"

namespace cb::check {
namespace {

using plugin::Key;

constexpr uint64_t kLargestFile = 16U << 20;  // bytes

struct Answer {
  std::string name;
  std::map<std::string, Bytes, std::less<>> fields;

  [[nodiscard]] Result<Bytes> at(std::string_view field) const {
    const auto found = fields.find(field);
    if (found == fields.end()) return found_wrong("has no field " + std::string(field));
    return found->second;
  }
};

Result<std::vector<Answer>> parse(std::string_view text) {
  std::vector<Answer> answers;
  size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[' && line.back() == ']') {
      answers.push_back({std::string(line.substr(1, line.size() - 2)), {}});
      continue;
    }
    const std::string where = "line " + std::to_string(number) + " of the known answers";
    const size_t sign = line.find(" =");
    CB_TRY(expect(sign != line.npos && !answers.empty(), where + " is no 'field = hex'"));
    const auto bytes = from_hex(line.substr(std::min(line.size(), sign + 3)));
    CB_TRY(expect(bytes.has_value(), where + " has no hex digits"));
    answers.back().fields.insert_or_assign(std::string(line.substr(0, sign)), *bytes);
  }
  CB_TRY(expect(!answers.empty(), "the file has no known answers"));
  return answers;
}

// The key is the one that names `data` as `id`.
Status names_as_recorded(const Key& key, const Answer& answer) {
  CB_ASSIGN(const Bytes data, answer.at("data"));
  CB_ASSIGN(const Bytes id, answer.at("id"));
  CB_ASSIGN(const plugin::KeyedId got, key.id_of(data));
  return expect(std::ranges::equal(got.view(), id),
                "the keyed id is " + to_hex(got.view()) + " instead of " + to_hex(id));
}

Status keyed_id(const CryptoSuite& suite, const Answer& answer) {
  CB_ASSIGN(const Bytes raw, answer.at("key"));
  CB_ASSIGN(const Key key, suite.crypto.import_key(raw));
  return names_as_recorded(key, answer);
}

Status derive(const CryptoSuite& suite, const Answer& answer) {
  CB_ASSIGN(const Bytes raw, answer.at("key"));
  CB_ASSIGN(const Bytes label, answer.at("label"));
  CB_ASSIGN(const Bytes context, answer.at("context"));
  CB_ASSIGN(const Key key, suite.crypto.import_key(raw));
  CB_ASSIGN(const Key derived, key.derive(as_text(label), context));
  return names_as_recorded(derived, answer);
}

Status unwrap(const CryptoSuite& suite, const Answer& answer) {
  CB_ASSIGN(const Bytes raw, answer.at("key"));
  CB_ASSIGN(const Bytes wrapped, answer.at("wrapped"));
  CB_ASSIGN(const Key key, suite.crypto.import_key(raw));
  CB_ASSIGN(const Key inner, key.unwrap(wrapped));
  return names_as_recorded(inner, answer);
}

Status decapsulate(const CryptoSuite& suite, const Answer& answer) {
  CB_ASSIGN(const Bytes form, answer.at("recipient_private"));
  CB_ASSIGN(const Bytes context, answer.at("context"));
  CB_ASSIGN(const Bytes cipher, answer.at("cipher"));
  CB_ASSIGN(const plugin::KeyPair pair, suite.crypto.import_private(form));
  CB_ASSIGN(const Key key, pair.decapsulate(context, cipher));
  return names_as_recorded(key, answer);
}

// Byte i of the plaintext is (i * 7 + i / 256) mod 251, so that files stay short; `last` is the
// chunk that ends the object.
Status open_last(const CryptoSuite& suite, const Answer& answer) {
  CB_ASSIGN(const Bytes raw, answer.at("key"));
  CB_ASSIGN(const Bytes aad, answer.at("aad"));
  CB_ASSIGN(const Bytes header, answer.at("header"));
  CB_ASSIGN(const Bytes last, answer.at("last"));
  CB_ASSIGN(const Bytes size_bytes, answer.at("plain_size"));
  uint64_t size = 0;
  for (const std::byte byte : size_bytes) size = size << 8 | std::to_integer<uint64_t>(byte);
  const uint64_t chunk = suite.props.chunk_plain;
  const uint64_t index = size == 0 ? 0 : (size - 1) / chunk;
  // The end of a long chunk says nothing by itself.
  if (size - index * chunk + suite.props.chunk_overhead > last.size()) return {};
  CB_ASSIGN(const Key key, suite.crypto.import_key(raw));
  CB_ASSIGN(plugin::Open open, key.open(aad, header));
  Bytes plain(last.size());
  CB_ASSIGN(const size_t got, open.chunk(index, true, last, plain));
  plain.resize(got);
  Bytes wanted;
  for (uint64_t i = index * chunk; i < size; ++i)
    wanted.push_back(static_cast<std::byte>((i * 7 + i / 256) % 251));
  return expect(plain == wanted, "the object opens to something else");
}

constexpr std::pair<std::string_view, Status (*)(const CryptoSuite&, const Answer&)> kTried[] = {
    {"keyed-id", keyed_id},
    {"derive", derive},
    {"wrap", unwrap},
    {"kem", decapsulate},
    {"object", open_last}};

Result<Verdict> known_answers(Subject& subject) {
  const os::Path& file = subject.settings().known_answers;
  if (file.empty()) return skipped("there is no --known-answers file");
  CB_ASSIGN(const Bytes content, os::read_file(os::real_file_system(), file, kLargestFile));
  CB_ASSIGN(const std::vector<Answer> answers, parse(as_text(content)));
  CB_ASSIGN(const CryptoSuite suite, CryptoSuite::make(subject));
  for (const Answer& answer : answers) {
    const auto* const tried = std::ranges::find_if(
        kTried, [&](const auto& one) { return answer.name.starts_with(one.first); });
    CB_TRY(expect(tried != std::end(kTried),
                  "[" + answer.name + "] begins with nothing that can be tried"));
    if (const Status done = tried->second(suite, answer); !done)
      return found_wrong("[" + answer.name + "]: " + done.error().text());
  }
  return passed(std::to_string(answers.size()) + " answers");
}

}  // namespace

std::vector<Check> crypto_answer_checks() {
  return {{.name = "known-answers",
           .sentence = "The suite computes what the file of known answers says.",
           .group = Group::crypto,
           .run = known_answers,
           .applies = {.interface_id = CB_CRYPTO_INTERFACE}}};
}

}  // namespace cb::check
