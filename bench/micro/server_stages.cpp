// SPDX-License-Identifier: Apache-2.0
//
// What the server does: headers of the protocols, which blobs are known, packs into the store.
#include "bench/micro/stage.h"
#include "bench/micro/workshop.h"
#include "core/base/units.h"
#include "core/catalog/catalog.h"
#include "core/protocol/v4/frame.h"
#include "core/repository/pack_writer.h"

namespace cb::bench {
namespace {

using repository::BlobHead;

constexpr uint64_t kHeaders = 20000;
constexpr uint64_t kPacks = 20;
constexpr uint64_t kPackBlobs = 1000;
constexpr uint64_t kLookups = 1000;
constexpr uint64_t kPackWritten = 16;  // blobs of 1 MiB

Stage headers_v3() {
  return {0, kHeaders, [] {
            uint64_t sum = 0;
            for (uint64_t i = 0; i < kHeaders; ++i) {
              protocol::RequestHeader header;
              header.version = 3;
              header.code = 1028;
              header.payload_size = static_cast<uint32_t>(i);
              sum += protocol::decode_request_header(protocol::encode(header)).payload_size;
              const protocol::ResponseHeader answer{3, 1604, static_cast<uint32_t>(i)};
              sum += protocol::decode_response_header(protocol::encode(answer)).payload_size;
            }
            if (sum != kHeaders * (kHeaders - 1)) throw std::runtime_error("headers are wrong");
          }};
}

Stage frames_v4() {
  const auto message = std::make_shared<const Bytes>(random_bytes(64));
  return {0, kHeaders, [message] {
            for (uint64_t i = 0; i < kHeaders; ++i) {
              const Bytes front = v4::request_front({}, v4::Request::have,
                                                    static_cast<uint32_t>(i + 1), *message, 0);
              must(v4::parse_payload(ByteView(front).subspan(protocol::kRequestHeaderSize)));
            }
          }};
}

catalog::Bytes32 id_of(uint64_t number) {
  catalog::Bytes32 id{};
  const Bytes drawn = random_bytes(id.size(), number);
  std::copy(drawn.begin(), drawn.end(), id.begin());
  return id;
}

struct KnownBlobs {
  TemporaryFolder folder;
  std::unique_ptr<catalog::Catalog> catalog =
      must(catalog::open_sqlite_catalog(folder.path() / "catalog.sqlite", true));
  int64_t repository = 0;
  std::vector<catalog::Bytes32> asked;  // every second one is there

  KnownBlobs() {
    must(catalog->accounts().add_account({0, "alice", catalog::AccountKind::v4, false, 1}));
    repository = must(catalog->index().add_repository({}, "alice", as_bytes("record")));
    for (uint64_t pack = 0; pack < kPacks; ++pack) add_pack(pack);
    for (uint64_t i = 0; i < kLookups; ++i)
      asked.push_back(id_of(i * kPacks * kPackBlobs / kLookups + (i % 2) * 1'000'000));
  }

  void add_pack(uint64_t number) {
    catalog::PackRow pack;
    store_le<uint64_t>(pack.name.data(), number + 1);
    pack.pack_class = 1;
    pack.size = kPackBlobs * kMiB;
    std::vector<catalog::BlobRow> blobs(kPackBlobs);
    for (uint64_t i = 0; i < kPackBlobs; ++i) {
      blobs[i].id = id_of(number * kPackBlobs + i);
      blobs[i].kind = 1;
      blobs[i].offset = repository::kPackHeaderSize + i * kMiB;
      blobs[i].size = kMiB;
    }
    must(catalog->index().add_pack(repository, pack, blobs, {}));
  }
};

Stage have() {
  auto known = std::make_shared<KnownBlobs>();
  return {0, kLookups, [known] {
            const auto there =
                must(known->catalog->index().have(known->repository, {}, known->asked));
            if (std::count(there.begin(), there.end(), true) != kLookups / 2)
              throw std::runtime_error("blobs are missing");
          }};
}

Stage write_pack() {
  struct State {
    TemporaryFolder folder;
    Plugins plugins;
    plugin::Store store = plugins.store_fs(folder.path() / "store");
    Bytes content = random_bytes(kMiB);
    std::vector<BlobHead> heads;
  };
  auto state = std::make_shared<State>();
  for (uint64_t i = 0; i < kPackWritten; ++i) {
    BlobHead head;
    head.id.bytes = id_of(i);
    head.session.bytes.fill(std::byte{1});
    head.stored_size = kMiB;
    state->heads.push_back(head);
  }
  return {kPackWritten * kMiB, 0, [state] {
            repository::PackHeader header;
            header.name.bytes.fill(std::byte{1});
            const auto pack = must(repository::PackWriter::begin(state->store, header));
            for (const BlobHead& head : state->heads) {
              must(pack->begin_blob(head));
              must(pack->content(state->content));
              must(pack->end_blob());
            }
            must(pack->finish());
            must(state->store.remove(repository::pack_object(header.repository, header.name)));
          }};
}

}  // namespace

std::vector<StageMaker> server_stages() {
  return {{"headers-v3", headers_v3},
          {"frames-v4", frames_v4},
          {"have", have},
          {"write-pack", write_pack}};
}

}  // namespace cb::bench
