// SPDX-License-Identifier: Apache-2.0
#include "core/server/plugin_needs.h"

#include <algorithm>
#include <array>

#include "core/base/units.h"
#include "core/plugin/instance.h"

namespace cb::server {
namespace {

struct Need {
  uint64_t capability;
  const char* name;
};

constexpr Need kOfStore[] = {{CB_STORE_DURABLE, "DURABLE"},
                             {CB_STORE_ATOMIC_REPLACE, "ATOMIC_REPLACE"},
                             {CB_STORE_RANGE, "RANGE"},
                             {CB_STORE_LIST_AFTER, "LIST_AFTER"}};
constexpr Need kOfCrypto[] = {{CB_CRYPTO_KEM, "KEM"},
                              {CB_CRYPTO_STREAM, "STREAM"},
                              {CB_CRYPTO_KEYED_ID, "KEYED_ID"},
                              {CB_CRYPTO_KEY_WRAP, "KEY_WRAP"},
                              {CB_CRYPTO_KEY_DERIVE, "KEY_DERIVE"}};
constexpr Need kOfCompress[] = {{CB_COMPRESS_STREAM, "STREAM"}};

// RFC 8878, section 3.1.1.
constexpr std::array kZstdMagic = {std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f},
                                   std::byte{0xfd}};

Status check_capabilities(const plugin::Instance& instance, std::span<const Need> needs,
                          const char* advice) {
  std::string missing;
  for (const Need& need : needs)
    if ((instance.capabilities() & need.capability) == 0)
      missing += (missing.empty() ? "" : ", ") + std::string(need.name);
  if (missing.empty()) return {};
  return failed(Code::unsupported, "plugin " + instance.id(),
                "lacks " + missing + ", which the daemon needs of such a plugin", advice);
}

}  // namespace

Status check_needs(const plugin::Store& store) {
  return check_capabilities(*store.instance(), kOfStore, "name another store in [store] use");
}

Status check_needs(const plugin::Crypto& crypto) {
  if ((crypto.capabilities() & CB_CRYPTO_UNAUTHENTICATED) != 0)
    return failed(Code::unsupported, crypto.instance()->id(),
                  "does not authenticate what it seals, so it cannot protect stored objects",
                  "set [crypto] use = \"modern\"");
  return check_capabilities(*crypto.instance(), kOfCrypto, "set [crypto] use = \"modern\"");
}

Status check_needs(const plugin::Compress& compress) {
  constexpr const char* kAdvice = "set [compress] use = \"zstd\"";
  CB_TRY(check_capabilities(*compress.instance(), kOfCompress, kAdvice));
  const Bytes plain(4 * kKiB);
  CB_ASSIGN(const size_t bound, compress.bound(plain.size()));
  Bytes packed(bound);
  CB_ASSIGN(const size_t size, compress.compress(plain, packed));
  packed.resize(size);
  if (size >= kZstdMagic.size() && std::equal(kZstdMagic.begin(), kZstdMagic.end(), packed.begin()))
    return {};
  return failed(Code::unsupported, "plugin " + compress.instance()->id(),
                "does not make zstd frames, which the repository format asks for", kAdvice);
}

}  // namespace cb::server
