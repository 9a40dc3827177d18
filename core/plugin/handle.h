// SPDX-License-Identifier: Apache-2.0
//
// Small pieces that the typed handles share. Functions are pure.
#pragma once

#include "core/base/bytes.h"
#include "core/plugin/instance.h"

namespace cb::plugin {

// A pointer that is never null, because a null one stands for "no bytes" and plugins pass what they
// get to functions that demand one.
inline const void* data_of(ByteView bytes) {
  static constexpr std::byte kNothing{};
  return bytes.empty() ? &kNothing : bytes.data();
}

inline void* data_of(ByteSpan bytes) {
  static thread_local std::byte nothing{};
  return bytes.empty() ? &nothing : bytes.data();
}

// The handle that a maker gave with OK, or the contract violation.
template <typename H>
Result<H*> made(Instance& instance, const Function& function, const Result<cb_status>& status,
                H* handle) {
  if (!status) return failed(status.error());
  if (handle == nullptr)
    return failed(instance.gate().violation(function, "returned OK without a handle"));
  return handle;
}

// A count of bytes that came back, checked against the room that was given.
inline Result<size_t> within(Instance& instance, const Function& function, size_t count,
                             size_t room) {
  if (count <= room) [[likely]]
    return count;
  return failed(instance.gate().violation(
      function, "returned a length of " + std::to_string(count) + " for a buffer of " +
                    std::to_string(room) + " bytes"));
}

// A function that the interface allows to be missing.
inline tl::unexpected<Error> not_offered(const Instance& instance, const char* what) {
  return failed(Code::unsupported, instance.id(), std::string("does not offer ") + what,
                "choose a plugin that does");
}

}  // namespace cb::plugin
