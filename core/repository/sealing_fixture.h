// SPDX-License-Identifier: Apache-2.0
//
// For tests: a repository whose blobs are sealed and opened with the real plugins. Used by one
// thread.
#pragma once

#include "core/repository/sealed_blob.h"
#include "core/repository/signatures.h"
#include "core/repository/suite_fixture.h"

namespace cb::repository {

class SealingFixture : public SuiteFixture {
 protected:
  SealingFixture() { begin(); }
  SealingFixture(os::Random& random, const std::string& cipher) : SuiteFixture(random, cipher) {
    begin();
  }

  void begin() {
    device_.emplace(must(identity::SigningKey::make(*random_)));
    repository_.emplace(fresh_repository());
    write_.emplace(must(
        WriteKeys::make(*crypto_, repository_->record.id, repository_->keyring.write_key.view())));
    sealer_ = new_sealer();
    opener_ = must(Opener::make(suite(), repository_->record.id, repository_->keyring));
    learn(*opener_, *sealer_);
  }

  std::unique_ptr<SessionSealer> new_sealer() {
    return must(SessionSealer::begin(
        suite(), repository_->record, must(draw_id<SessionId>(*random_)),
        device_of(device_->public_key()), [&](ByteView bytes) { return device_->sign(bytes); }));
  }

  static void learn(Opener& opener, const SessionSealer& sealer) {
    const Status learned = opener.learn(sealer.session(), sealer.record().stored);
    ASSERT_TRUE(learned) << learned.error().text();
  }

  // As the backup engine does: id, then seal.
  StoredBlob stored(BlobKind kind, const std::vector<BlobId>& children, ByteView plain) {
    const BlobId id = must(write_->id_of(kind, children, plain));
    return must(sealer_->seal(kind, id, children, plain, true));
  }

  static BlobId child(uint8_t number) {
    BlobId id;
    id.bytes.fill(std::byte{number});
    return id;
  }

  std::optional<identity::SigningKey> device_;
  std::optional<NewRepository> repository_;
  std::optional<WriteKeys> write_;
  std::unique_ptr<SessionSealer> sealer_;
  std::unique_ptr<Opener> opener_;
};

}  // namespace cb::repository
