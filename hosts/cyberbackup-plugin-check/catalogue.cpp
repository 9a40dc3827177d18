// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/catalogue.h"

#include "cyberbackup/compress.h"
#include "cyberbackup/crypto.h"
#include "cyberbackup/store.h"
#include "cyberbackup/transport.h"

namespace cb::check {
namespace {

struct Capability {
  std::string_view interface_id;
  uint64_t bit;
  std::string_view name;
};

constexpr Capability kCapabilities[] = {
    {CB_STORE_INTERFACE, CB_STORE_DURABLE, "DURABLE"},
    {CB_STORE_INTERFACE, CB_STORE_ATOMIC_REPLACE, "ATOMIC_REPLACE"},
    {CB_STORE_INTERFACE, CB_STORE_RANGE, "RANGE"},
    {CB_STORE_INTERFACE, CB_STORE_LIST_AFTER, "LIST_AFTER"},
    {CB_STORE_INTERFACE, CB_STORE_FILTER, "FILTER"},
    {CB_CRYPTO_INTERFACE, CB_CRYPTO_KEM, "KEM"},
    {CB_CRYPTO_INTERFACE, CB_CRYPTO_STREAM, "STREAM"},
    {CB_CRYPTO_INTERFACE, CB_CRYPTO_KEYED_ID, "KEYED_ID"},
    {CB_CRYPTO_INTERFACE, CB_CRYPTO_UNAUTHENTICATED, "UNAUTHENTICATED"},
    {CB_CRYPTO_INTERFACE, CB_CRYPTO_KEY_WRAP, "KEY_WRAP"},
    {CB_CRYPTO_INTERFACE, CB_CRYPTO_KEY_DERIVE, "KEY_DERIVE"},
    {CB_COMPRESS_INTERFACE, CB_COMPRESS_STREAM, "STREAM"},
    {CB_TRANSPORT_INTERFACE, CB_TRANSPORT_ROOT, "ROOT"},
    {CB_TRANSPORT_INTERFACE, CB_TRANSPORT_FILTER, "FILTER"},
    {CB_TRANSPORT_INTERFACE, CB_TRANSPORT_LISTEN, "LISTEN"},
    {CB_TRANSPORT_INTERFACE, CB_TRANSPORT_ENCRYPTS, "ENCRYPTS"},
    {CB_TRANSPORT_INTERFACE, CB_TRANSPORT_AUTHENTICATES_PEER, "AUTHENTICATES_PEER"},
};

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (const auto group : {&file_checks, &load_checks, &descriptor_checks, &life_checks,
                           &transport_checks, &crypto_checks, &store_checks, &compress_checks}) {
    const std::vector<Check> some = group();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace

const std::vector<Check>& catalogue() {
  static const std::vector<Check> all = all_checks();
  return all;
}

std::string capability_names(std::string_view interface_id, uint64_t capabilities) {
  std::string names;
  for (const Capability& known : kCapabilities) {
    if (known.interface_id != interface_id || (capabilities & known.bit) == 0) continue;
    names += (names.empty() ? "" : ", ") + std::string(known.name);
    capabilities &= ~known.bit;
  }
  for (uint64_t bit = 1; bit != 0; bit <<= 1)
    if ((capabilities & bit) != 0) names += (names.empty() ? "" : ", ") + std::to_string(bit);
  return names;
}

uint64_t known_capabilities(std::string_view interface_id) {
  uint64_t known = 0;
  for (const Capability& capability : kCapabilities)
    if (capability.interface_id == interface_id) known |= capability.bit;
  return known == 0 ? ~uint64_t{0} : known;
}

std::optional<std::string> why_left_out(const Check& check, std::string_view interface_id,
                                        uint64_t capabilities) {
  const Applies& applies = check.applies;
  if (!applies.interface_id.empty() && applies.interface_id != interface_id)
    return "the plugin is for " + std::string(interface_id);
  if (const uint64_t missing = applies.with & ~capabilities; missing != 0)
    return "the plugin does not declare " + capability_names(interface_id, missing);
  if (const uint64_t declared = applies.without & capabilities; declared != 0)
    return "the plugin declares " + capability_names(interface_id, declared);
  return std::nullopt;
}

}  // namespace cb::check
