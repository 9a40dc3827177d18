// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_keys.h"

#include <algorithm>

namespace cb::client {

Result<V3Keys::Pair> V3Keys::import(const V3Suites& suites, ByteView private_key) {
  CB_ASSIGN(auto sha256, suites.sha256.import_private(private_key));
  CB_ASSIGN(auto sha1, suites.sha1.import_private(private_key));
  return Pair{std::move(sha256), std::move(sha1)};
}

V3Keys V3Keys::load(const V3Suites& suites, const std::vector<Secret>& private_keys) {
  V3Keys keys(suites);
  for (const Secret& raw : private_keys)
    if (auto pair = import(suites, raw.view())) keys.pairs_.push_back(std::move(*pair));
  return keys;
}

Status V3Keys::make_new() {
  CB_ASSIGN(const plugin::KeyPair fresh, suites_->sha256.pair_new());
  CB_ASSIGN(const Secret raw, fresh.private_form());
  CB_ASSIGN(Pair pair, import(*suites_, raw.view()));
  pairs_.insert(pairs_.begin(), std::move(pair));
  return {};
}

Result<Bytes> V3Keys::public_key() const { return pairs_.front().sha256.public_half(); }

Result<Secret> V3Keys::private_key() const { return pairs_.front().sha256.private_form(); }

Result<plugin::Key> V3Keys::unwrap(ByteView wrapped) {
  for (auto pair = pairs_.begin(); pair != pairs_.end(); ++pair) {
    auto key = pair->sha256.decapsulate({}, wrapped);
    if (!key) key = pair->sha1.decapsulate({}, wrapped);
    if (!key) continue;
    std::rotate(pairs_.begin(), pair, pair + 1);
    return key;
  }
  return failed(Code::auth, "session key", "cannot be opened with the private key that is here");
}

}  // namespace cb::client
