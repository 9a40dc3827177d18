// SPDX-License-Identifier: Apache-2.0
#include "lower_bio.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "cyberbackup/cpp/failure.hpp"

namespace transport_tls {

namespace {

Lower& lower_of(BIO* bio) { return *static_cast<Lower*>(BIO_get_data(bio)); }

cb_error fresh_error() {
  cb_error error{};
  error.size = sizeof(error);
  return error;
}

size_t take_first(std::vector<std::byte>& first, char* into, size_t cap) {
  const size_t take = std::min(first.size(), cap);
  std::memcpy(into, first.data(), take);
  first.erase(first.begin(), first.begin() + static_cast<ptrdiff_t>(take));
  if (first.empty()) std::vector<std::byte>().swap(first);
  return take;
}

int bio_read(BIO* bio, char* into, size_t cap, size_t* got) {
  Lower& lower = lower_of(bio);
  BIO_clear_retry_flags(bio);
  *got = 0;
  if (!lower.first.empty()) {
    *got = take_first(lower.first, into, cap);
    return 1;
  }
  cb_error error = fresh_error();
  const cb_status status = lower.below.read(lower.below.ctx, into, cap, got, &error);
  lower.read_want = status;
  if (status == CB_OK) return 1;
  if (status == CB_WANT_READ || status == CB_WANT_WRITE) {
    BIO_set_retry_read(bio);
  } else if (status == CB_END) {
    lower.ended = true;
  } else {
    lower.keep(status, error);
  }
  return 0;
}

cb_status write_below(Lower& lower, const void* from, size_t length, size_t& took) {
  took = 0;
  cb_error error = fresh_error();
  const cb_status status = lower.below.write(lower.below.ctx, from, length, &took, &error);
  lower.write_want = status;
  if (status != CB_OK && status != CB_WANT_READ && status != CB_WANT_WRITE)
    lower.keep(status, error);
  return status;
}

int bio_write(BIO* bio, const char* from, size_t length, size_t* took) {
  Lower& lower = lower_of(bio);
  BIO_clear_retry_flags(bio);
  *took = 0;
  if (lower.gathers) {
    const auto* bytes = reinterpret_cast<const std::byte*>(from);
    lower.unsent.insert(lower.unsent.end(), bytes, bytes + length);
    *took = length;
    return 1;
  }
  cb_status status = lower.flush();
  if (status == CB_OK) status = write_below(lower, from, length, *took);
  if (status == CB_OK) return 1;
  if (status == CB_WANT_READ || status == CB_WANT_WRITE) BIO_set_retry_write(bio);
  return 0;
}

long bio_ctrl(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return lower_of(bio).ended ? 1 : 0;
    default:
      return 0;
  }
}

// Made once and kept: modules are never unloaded.
BIO_METHOD* method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cyberbackup lower");
    if (m == nullptr || BIO_meth_set_read_ex(m, &bio_read) != 1 ||
        BIO_meth_set_write_ex(m, &bio_write) != 1 || BIO_meth_set_ctrl(m, &bio_ctrl) != 1) {
      throw std::bad_alloc();
    }
    return m;
  }();
  return made;
}

}  // namespace

cb_status Lower::flush() {
  while (sent < unsent.size()) {
    size_t took = 0;
    const cb_status status = write_below(*this, unsent.data() + sent, unsent.size() - sent, took);
    if (status != CB_OK) return status;
    sent += took;
  }
  // An idle session keeps no memory for it.
  std::vector<std::byte>().swap(unsent);
  sent = 0;
  return CB_OK;
}

void Lower::keep(cb_status status, const cb_error& error) {
  if (failure != CB_OK) return;
  failure = status < 0 ? status : cb_status{CB_E_INTERNAL};
  os_errno = error.os_errno;
  failure_flags = error.flags;
  message = error.message;
}

BioPtr make_lower_bio(Lower& lower) {
  BioPtr bio(BIO_new(method()));
  if (!bio) throw std::bad_alloc();
  BIO_set_data(bio.get(), &lower);
  BIO_set_init(bio.get(), 1);
  return bio;
}

}  // namespace transport_tls
