// SPDX-License-Identifier: Apache-2.0
//
// What happens to every byte on the client: cut, name, compress, seal, and open again.
#include <cstdlib>

#include "bench/micro/stage.h"
#include "bench/micro/workshop.h"
#include "core/base/units.h"
#include "core/repository/blob_signature.h"
#include "core/repository/cutter.h"

namespace cb::bench {
namespace {

using repository::BlobKind;
using repository::StoredBlob;

constexpr size_t kContent = 8 * kMiB;
constexpr size_t kBlob = kMiB;

void for_each_blob(const Bytes& content, const std::function<void(ByteView)>& visit) {
  for (size_t at = 0; at < content.size(); at += kBlob) visit(ByteView(content).subspan(at, kBlob));
}

Stage cut(const Bytes& content) {
  struct State {
    Keys keys;
    Bytes content;
    repository::Cutter cutter{keys.write.gear(), {}};
  };
  auto state = std::make_shared<State>();
  state->content = content;
  return {kContent, 0, [state] {
            for (ByteView rest = state->content; !rest.empty();)
              rest = rest.subspan(state->cutter.cut(rest));
          }};
}

Stage id() {
  struct State {
    Keys keys;
    Bytes content = random_bytes(kContent);
  };
  auto state = std::make_shared<State>();
  return {kContent, 0, [state] {
            for_each_blob(state->content, [&](ByteView blob) {
              must(state->keys.write.id_of(BlobKind::data, {}, blob));
            });
          }};
}

Stage anchors() {
  struct State {
    Keys keys;
    Bytes content = random_bytes(kContent);
  };
  auto state = std::make_shared<State>();
  return {kContent, 0, [state] {
            for_each_blob(state->content, [&](ByteView blob) {
              if (repository::find_anchors(state->keys.write.gear(), blob).empty()) std::abort();
            });
          }};
}

Stage describe() {
  struct State {
    Keys keys;
    Bytes content = random_bytes(kContent);
  };
  auto state = std::make_shared<State>();
  return {kContent, 0, [state] {
            for_each_blob(state->content, [&](ByteView blob) {
              must(repository::describe_blob(state->keys.write, blob, 0));
            });
          }};
}

Stage compress() {
  struct State {
    Plugins plugins;
    plugin::Compress zstd = plugins.compress();
    Bytes content = log_text(kContent);
    Bytes out = Bytes(must(zstd.bound(kBlob)));
  };
  auto state = std::make_shared<State>();
  return {kContent, 0, [state] {
            for_each_blob(state->content,
                          [&](ByteView blob) { must(state->zstd.compress(blob, state->out)); });
          }};
}

Stage seal(const Bytes& content, bool verify) {
  struct State {
    Keys keys;
    Bytes content;
  };
  auto state = std::make_shared<State>();
  state->content = content;
  return {kContent, 0, [state, verify] {
            for_each_blob(state->content, [&](ByteView blob) {
              must(state->keys.sealer->seal(BlobKind::data, {}, {}, blob, verify));
            });
          }};
}

Stage open(const Bytes& content) {
  struct State {
    Keys keys;
    std::vector<StoredBlob> blobs;
  };
  auto state = std::make_shared<State>();
  for_each_blob(content, [&](ByteView blob) {
    const auto name = must(state->keys.opener->write_keys().id_of(BlobKind::data, {}, blob));
    state->blobs.push_back(must(state->keys.sealer->seal(BlobKind::data, name, {}, blob, false)));
  });
  return {kContent, 0, [state] {
            for (const StoredBlob& blob : state->blobs) must(state->keys.opener->open(blob));
          }};
}

}  // namespace

std::vector<StageMaker> content_stages() {
  return {{"cut", [] { return cut(random_bytes(kContent)); }},
          {"id", [] { return id(); }},
          {"anchors", [] { return anchors(); }},
          {"describe", [] { return describe(); }},
          {"compress-text", [] { return compress(); }},
          {"seal-random", [] { return seal(random_bytes(kContent), false); }},
          {"seal-text", [] { return seal(log_text(kContent), false); }},
          {"seal-random-verified", [] { return seal(random_bytes(kContent), true); }},
          {"open-random", [] { return open(random_bytes(kContent)); }},
          {"open-text", [] { return open(log_text(kContent)); }}};
}

std::vector<StageMaker> all_stages() {
  std::vector<StageMaker> all;
  for (const auto& part : {tree_stages(), content_stages(), line_stages(), server_stages()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace cb::bench
