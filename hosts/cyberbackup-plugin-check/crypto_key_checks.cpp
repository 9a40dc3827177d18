// SPDX-License-Identifier: Apache-2.0
//
// What a crypto suite must do with key pairs, keys and names.
#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/crypto_checks.h"
#include "hosts/cyberbackup-plugin-check/crypto_suite.h"

namespace cb::check {
namespace {

using plugin::Encapsulated;
using plugin::Key;
using plugin::KeyPair;

constexpr Applies kNames = {.interface_id = CB_CRYPTO_INTERFACE, .with = CB_CRYPTO_KEYED_ID};
constexpr Applies kWraps = {.interface_id = CB_CRYPTO_INTERFACE, .with = CB_CRYPTO_KEY_WRAP};
constexpr Applies kDerives = {.interface_id = CB_CRYPTO_INTERFACE, .with = CB_CRYPTO_KEY_DERIVE};

// A suite, a pair of its own, the pair's public half, and the context that it can bind.
struct Kem {
  CryptoSuite suite;
  KeyPair pair;
  KeyPair recipient;
  Bytes context;

  static Result<Kem> make(Subject& subject) {
    CB_ASSIGN(CryptoSuite suite, CryptoSuite::make(subject));
    CB_ASSIGN(KeyPair pair, suite.crypto.pair_new());
    CB_ASSIGN(const Bytes half, pair.public_half());
    CB_ASSIGN(KeyPair recipient, suite.crypto.import_public(half));
    Bytes context = to_bytes(as_bytes("session 17"));
    const auto bound = recipient.encapsulate(context);
    if (!bound && bound.error().code == Code::invalid) context.clear();
    return Kem{std::move(suite), std::move(pair), std::move(recipient), std::move(context)};
  }

  // Decapsulating these must not give `key`.
  [[nodiscard]] Status refuses(const KeyPair& by, ByteView with, ByteView cipher, const Key& key,
                               const std::string& what) const {
    const auto other = by.decapsulate(with, cipher);
    if (!other)
      return expect(other.error().code == Code::auth || other.error().code == Code::corrupt,
                    what + ": the error is " + std::string(name_of(other.error().code)) +
                        ", not auth or corrupt");
    return expect(!suite.same(key, *other), what + " gave the right key all the same");
  }
};

Result<Verdict> kem_agrees(Subject& subject) {
  CB_ASSIGN(const Kem kem, Kem::make(subject));
  Bytes last;
  for (int round = 0; round < 10; ++round) {
    CB_ASSIGN(const Encapsulated sent, kem.recipient.encapsulate(kem.context));
    CB_ASSIGN(const Key key, kem.pair.decapsulate(kem.context, sent.cipher));
    CB_TRY(expect(kem.suite.same(sent.key, key), "the recipient's key is another one"));
    CB_TRY(expect(sent.cipher != last, "two encapsulations are equal: the key is not fresh"));
    last = sent.cipher;
  }
  return passed();
}

Result<Verdict> kem_wrong_pair(Subject& subject) {
  CB_ASSIGN(const Kem kem, Kem::make(subject));
  CB_ASSIGN(const Encapsulated sent, kem.recipient.encapsulate(kem.context));
  CB_ASSIGN(const KeyPair stranger, kem.suite.crypto.pair_new());
  CB_TRY(kem.refuses(stranger, kem.context, sent.cipher, sent.key, "another pair"));
  return passed();
}

Result<Verdict> kem_bit_flips(Subject& subject) {
  CB_ASSIGN(const Kem kem, Kem::make(subject));
  CB_ASSIGN(const Encapsulated sent, kem.recipient.encapsulate(kem.context));
  for (size_t at = 0; at < sent.cipher.size(); ++at) {
    const Bytes changed = flipped(sent.cipher, 8 * at + subject.random()() % 8);
    CB_TRY(kem.refuses(kem.pair, kem.context, changed, sent.key,
                       "a change in byte " + std::to_string(at) + " of the cipher"));
  }
  return passed();
}

Result<Verdict> kem_wrong_context(Subject& subject) {
  CB_ASSIGN(const Kem kem, Kem::make(subject));
  if (kem.context.empty()) return skipped("the suite takes no context");
  CB_ASSIGN(const Encapsulated sent, kem.recipient.encapsulate(kem.context));
  for (const std::string_view other : {"", "session 18", "session 1", "session 17 "})
    CB_TRY(kem.refuses(kem.pair, as_bytes(other), sent.cipher, sent.key,
                       "the context '" + std::string(other) + "'"));
  return passed();
}

Result<Verdict> pair_round_trip(Subject& subject) {
  CB_ASSIGN(const Kem kem, Kem::make(subject));
  CB_ASSIGN(const Secret form, kem.pair.private_form());
  CB_ASSIGN(const KeyPair again, kem.suite.crypto.import_private(form.view()));
  CB_ASSIGN(const Encapsulated sent, kem.recipient.encapsulate(kem.context));
  CB_ASSIGN(const Key key, again.decapsulate(kem.context, sent.cipher));
  CB_TRY(expect(kem.suite.same(sent.key, key), "the pair read again has another private half"));
  CB_ASSIGN(const Bytes half, kem.pair.public_half());
  CB_ASSIGN(const Bytes of_again, again.public_half());
  CB_ASSIGN(const Bytes of_half, kem.recipient.public_half());
  CB_TRY(expect(half == of_again && half == of_half, "the public half changes when read again"));
  const auto secret = kem.recipient.private_form();
  CB_TRY(expect(!secret && secret.error().code == Code::state,
                "a public half alone must answer pair_private with state"));
  return passed();
}

Result<Verdict> malformed_pairs_refused(Subject& subject) {
  CB_ASSIGN(const Kem kem, Kem::make(subject));
  CB_ASSIGN(const Bytes half, kem.pair.public_half());
  CB_ASSIGN(const Secret form, kem.pair.private_form());
  const auto refused = [](const auto& pair) {
    return !pair && (pair.error().code == Code::corrupt || pair.error().code == Code::unsupported);
  };
  for (const size_t size : {size_t{0}, size_t{1}, half.size() / 2, half.size() - 1}) {
    CB_TRY(expect(refused(kem.suite.crypto.import_public(ByteView(half).first(size))),
                  "a public half cut to " + std::to_string(size) + " bytes was taken"));
  }
  for (const size_t size : {size_t{0}, size_t{1}, form.size() / 2, form.size() - 1}) {
    CB_TRY(expect(refused(kem.suite.crypto.import_private(form.view().first(size))),
                  "a private form cut to " + std::to_string(size) + " bytes was taken"));
  }
  return passed();
}

Result<Verdict> keyed_id_stable(Subject& subject) {
  CB_ASSIGN(const CryptoSuite suite, CryptoSuite::make(subject));
  CB_ASSIGN(const CryptoSuite second, CryptoSuite::make(subject));
  const Bytes raw = subject.random_bytes(suite.props.key_size);
  CB_ASSIGN(const Key key, suite.crypto.import_key(raw));
  CB_ASSIGN(const Key again, second.crypto.import_key(raw));
  CB_ASSIGN(const Key other, suite.new_key(subject));
  for (const size_t size : {0U, 1U, 63U, 64U, 65U, 100000U}) {
    const Bytes data = subject.random_bytes(size);
    CB_ASSIGN(const plugin::KeyedId id, key.id_of(data));
    CB_ASSIGN(const plugin::KeyedId same, again.id_of(data));
    CB_ASSIGN(const plugin::KeyedId others, other.id_of(data));
    const std::string what = std::to_string(size) + " bytes ";
    CB_TRY(expect(id == same, what + "have another name in another instance"));
    CB_TRY(expect(id != others, what + "have the same name under another key"));
    if (size == 0) continue;
    CB_ASSIGN(const plugin::KeyedId changed,
              key.id_of(flipped(data, subject.random()() % (8 * size))));
    CB_TRY(expect(id != changed, what + "keep their name when a bit changes"));
  }
  return passed();
}

Result<Verdict> keys_of_wrong_size_refused(Subject& subject) {
  CB_ASSIGN(const CryptoSuite suite, CryptoSuite::make(subject));
  for (const size_t size : {0U, 1U, 7U}) {
    if (size == suite.props.key_size) continue;
    const auto key = suite.crypto.import_key(subject.random_bytes(size));
    CB_TRY(expect(!key && key.error().code == Code::invalid,
                  std::to_string(size) + " bytes made a key, or another error than invalid"));
  }
  return passed();
}

Result<Verdict> wrap_agrees(Subject& subject) {
  CB_ASSIGN(const CryptoSuite suite, CryptoSuite::make(subject));
  CB_ASSIGN(const Key wrapping, suite.new_key(subject));
  CB_ASSIGN(const Key other, suite.new_key(subject));
  CB_ASSIGN(const Key inner, suite.new_key(subject));
  CB_ASSIGN(const Bytes wrapped, wrapping.wrap(inner));
  CB_ASSIGN(const Key back, wrapping.unwrap(wrapped));
  CB_TRY(expect(suite.same(inner, back), "another key came back"));
  const auto is_refused = [](const Result<Key>& key) {
    return !key && key.error().code == Code::auth;
  };
  CB_TRY(expect(is_refused(other.unwrap(wrapped)), "another key unwrapped it, or not auth"));
  for (size_t at = 0; at < wrapped.size(); ++at)
    CB_TRY(expect(is_refused(wrapping.unwrap(flipped(wrapped, 8 * at + at % 8))),
                  "a change in byte " + std::to_string(at) + " was not answered with auth"));
  return passed();
}

Result<Verdict> derive_separates(Subject& subject) {
  CB_ASSIGN(const CryptoSuite suite, CryptoSuite::make(subject));
  CB_ASSIGN(const Key root, suite.new_key(subject));
  CB_ASSIGN(const Key wanted, root.derive("label", as_bytes("context")));
  CB_ASSIGN(const Key again, root.derive("label", as_bytes("context")));
  CB_TRY(expect(suite.same(wanted, again), "the same inputs gave two keys"));
  CB_TRY(expect(!suite.same(wanted, root), "the derived key is the one it came from"));
  const std::pair<std::string_view, std::string_view> others[] = {
      {"label", ""}, {"label", "contexT"}, {"labe", "lcontext"}, {"labelc", "ontext"}, {"", ""}};
  for (const auto& [label, context] : others) {
    CB_ASSIGN(const Key other, root.derive(label, as_bytes(context)));
    CB_TRY(expect(!suite.same(wanted, other), "'label' + 'context' gives the key of '" +
                                                  std::string(label) + "' + '" +
                                                  std::string(context) + "'"));
  }
  return passed();
}

}  // namespace

std::vector<Check> crypto_key_checks() {
  constexpr Applies kAny = {.interface_id = CB_CRYPTO_INTERFACE};
  return {
      {.name = "kem-agrees",
       .sentence = "The owner of a pair recovers the key that was made for it; each is fresh.",
       .group = Group::crypto,
       .run = kem_agrees,
       .applies = kKems},
      {.name = "kem-wrong-pair",
       .sentence = "Another pair does not recover the key.",
       .group = Group::crypto,
       .run = kem_wrong_pair,
       .applies = kKems},
      {.name = "kem-bit-flips",
       .sentence = "A change in any byte of an encapsulation does not give the key.",
       .group = Group::crypto,
       .run = kem_bit_flips,
       .applies = kKems},
      {.name = "kem-wrong-context",
       .sentence = "Another context does not give the key.",
       .group = Group::crypto,
       .run = kem_wrong_context,
       .applies = kKems},
      {.name = "pair-round-trip",
       .sentence = "A pair that is written and read again is the same pair.",
       .group = Group::crypto,
       .run = pair_round_trip,
       .applies = kKems},
      {.name = "malformed-pairs-refused",
       .sentence = "Cut pairs are refused with corrupt or unsupported.",
       .group = Group::crypto,
       .run = malformed_pairs_refused,
       .applies = kKems},
      {.name = "keys-of-wrong-size-refused",
       .sentence = "Bytes of another size make no key.",
       .group = Group::crypto,
       .run = keys_of_wrong_size_refused,
       .applies = kAny},
      {.name = "keyed-id-stable",
       .sentence = "Data has one name under one key, in every instance, and another under others.",
       .group = Group::crypto,
       .run = keyed_id_stable,
       .applies = kNames},
      {.name = "wrap-agrees",
       .sentence = "A wrapped key comes back; any change to it is noticed.",
       .group = Group::crypto,
       .run = wrap_agrees,
       .applies = kWraps},
      {.name = "derive-separates",
       .sentence = "A derived key depends on the key, the label and the context, each for itself.",
       .group = Group::crypto,
       .run = derive_separates,
       .applies = kDerives},
  };
}

}  // namespace cb::check
