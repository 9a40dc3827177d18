// SPDX-License-Identifier: Apache-2.0
//
// The one place where exceptions become codes, and the small pieces that every adapter shares:
// output rules, wiping, handles. Functions without state; safe on any thread.
//
// The table functions made of these are not noexcept: the host still catches what a plugin written
// by hand lets through, where noexcept would end the process.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cyberbackup/base.h"
#include "cyberbackup/cpp/failure.hpp"

namespace cyberbackup::sdk {

// Overwrites `bytes` in a way that the compiler keeps.
inline void wipe(std::span<std::byte> bytes) noexcept {
  if (bytes.empty()) return;
  std::memset(bytes.data(), 0, bytes.size());
  __asm__ __volatile__("" : : "r"(bytes.data()) : "memory");
}

// Fills *error (may be null) as far as its owner's size reaches. Control characters become spaces;
// a long message is cut between UTF-8 characters.
inline void set_error(cb_error* error, cb_status status, std::string_view message, int os_errno = 0,
                      uint32_t flags = 0) noexcept {
  if (error == nullptr || error->size < offsetof(cb_error, message)) return;
  error->status = status;
  error->os_errno = os_errno;
  error->flags = flags;
  constexpr size_t kEnd = offsetof(cb_error, message) + sizeof(error->message);
  const size_t room = std::min<size_t>(error->size, kEnd) - offsetof(cb_error, message);
  if (room == 0) return;
  size_t length = std::min(message.size(), room - 1);
  if (length < message.size()) {
    while (length > 0 && (static_cast<unsigned char>(message[length]) & 0xC0u) == 0x80u) --length;
  }
  for (size_t i = 0; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(message[i]);
    error->message[i] = byte < 0x20 || byte == 0x7F ? ' ' : message[i];
  }
  error->message[length] = '\0';
}

// Turns the exception in flight into a status and *error. Only inside a catch block.
inline cb_status status_of_exception(cb_error* error) noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    set_error(error, failure.status(), failure.what(), failure.os_errno(), failure.flags());
    return failure.status();
  } catch (const std::bad_alloc&) {
    set_error(error, CB_E_NO_MEMORY, "out of memory", 0, CB_ERROR_RETRY);
    return CB_E_NO_MEMORY;
  } catch (const std::exception& other) {
    set_error(error, CB_E_INTERNAL, other.what());
    return CB_E_INTERNAL;
  } catch (...) {
    set_error(error, CB_E_INTERNAL, "an exception of unknown type");
    return CB_E_INTERNAL;
  }
}

// Runs `body`, which returns a cb_status or nothing (CB_OK), and lets no exception out. A failure
// that was returned instead of thrown has no message.
template <class Body>
cb_status guard(cb_error* error, Body&& body) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
      std::forward<Body>(body)();
      return CB_OK;
    } else {
      const cb_status status = std::forward<Body>(body)();
      if (status < 0) set_error(error, status, "");
      return status;
    }
  } catch (...) {
    return status_of_exception(error);
  }
}

// As guard, for functions that return a plain number: `otherwise` when the body throws.
template <class Body>
int32_t guard_number(int32_t otherwise, Body&& body) {
  try {
    return static_cast<int32_t>(std::forward<Body>(body)());
  } catch (...) {
    return otherwise;
  }
}

namespace detail {

inline std::span<const std::byte> in(const void* data, size_t size) noexcept {
  return {static_cast<const std::byte*>(data), data == nullptr ? 0 : size};
}

inline std::span<std::byte> out(void* data, size_t size) noexcept {
  return {static_cast<std::byte*>(data), data == nullptr ? 0 : size};
}

// The (out, cap, *len) rule: *len is the need in any case; bytes move only if all of them fit.
inline cb_status copy_out(std::span<const std::byte> bytes, void* to, size_t cap,
                          size_t* len) noexcept {
  *len = bytes.size();
  if (bytes.size() > cap) return CB_E_TOO_SMALL;
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return CB_OK;
}

// Copies a struct that we filled into one whose size its owner has set: that size stays, and so
// does the tail that only one side knows.
template <class Struct>
void fill(Struct* to, const Struct& from) noexcept {
  const uint32_t size = to->size;
  std::memcpy(to, &from, std::min(size, static_cast<uint32_t>(sizeof(Struct))));
  to->size = size;
}

// Bytes that are wiped when they leave the scope.
struct Wiped {
  std::vector<std::byte> bytes;
  explicit Wiped(std::vector<std::byte> taken) noexcept : bytes(std::move(taken)) {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { wipe(bytes); }
};

// An object of the plugin seen as one of the ABI's incomplete types, and back.
template <class Handle, class Object>
Handle* to_handle(std::unique_ptr<Object> object) noexcept {
  return reinterpret_cast<Handle*>(object.release());
}

template <class Object, class Handle>
Object& from_handle(Handle* handle) noexcept {
  return *reinterpret_cast<Object*>(handle);
}

// Hands a new object out; null from the author's maker is a fault, not a handle.
template <class Handle, class Object>
cb_status give(std::unique_ptr<Object> object, Handle** out) {
  if (object == nullptr) throw Failure(CB_E_INTERNAL, "the plugin made no object");
  *out = to_handle<Handle>(std::move(object));
  return CB_OK;
}

// What every ender does. A destructor that throws is the author's mistake and stops here.
template <class Object, class Handle>
void end(Handle* handle) {
  guard(nullptr, [&] { delete reinterpret_cast<Object*>(handle); });
}

}  // namespace detail
}  // namespace cyberbackup::sdk
