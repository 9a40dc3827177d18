// SPDX-License-Identifier: Apache-2.0
//
// See lower.h.
#include "lower.h"

#include "cyberbackup/cpp/failure.hpp"

namespace store_fault {

namespace sdk = cyberbackup::sdk;

namespace {

// Calls `function`; what it reports is thrown. CB_OK or CB_END come back.
template <class F, class... Arguments>
cb_status call(F function, Arguments... arguments) {
  cb_error error{};
  error.size = sizeof(error);
  const cb_status status = function(arguments..., &error);
  if (status == CB_OK || status == CB_END) return status;
  error.message[sizeof(error.message) - 1] = '\0';
  const char* text = error.message[0] != '\0' ? error.message : "the store below gave no reason";
  throw sdk::Failure(status, text, error.os_errno, error.flags);
}

}  // namespace

void LowerPut::write(std::span<const std::byte> data) {
  call(put_.ops().put_write, put_.get(), static_cast<const void*>(data.data()), data.size());
}

void LowerPut::commit() { call(put_.ops().put_commit, put_.release()); }

size_t LowerGet::read(std::span<std::byte> into) {
  size_t got = 0;
  const cb_status status =
      call(get_.ops().get_read, get_.get(), static_cast<void*>(into.data()), into.size(), &got);
  return status == CB_END ? 0 : got;
}

bool LowerList::next(cb_object& out) {
  return call(list_.ops().list_next, list_.get(), &out) == CB_OK;
}

Lower::Lower(const sdk::Host& host) {
  const auto* service = static_cast<const cb_store_lower*>(host.service(CB_STORE_LOWER));
  // NOLINTBEGIN(bugprone-sizeof-expression): pointers are what is measured
  if (service == nullptr || !CB_HAS(service, cb_store_lower, ops) ||
      !CB_HAS(service, cb_store_lower, instance))
    // NOLINTEND(bugprone-sizeof-expression)
    throw sdk::Failure(CB_E_INVALID, "there is no store below to put faults over", 0,
                       CB_ERROR_PERMANENT);
  ops_ = service->ops;
  instance_ = service->instance;
}

void Lower::stat(const std::string& name, cb_object& out) const {
  call(ops_->stat, instance_, name.c_str(), &out);
}

bool Lower::find(const std::string& name, cb_object& out) const {
  try {
    out = {};
    out.size = sizeof(out);
    stat(name, out);
    return true;
  } catch (const sdk::Failure&) {
    return false;
  }
}

LowerPut Lower::put_begin(const std::string& name, uint64_t hint, uint32_t flags) const {
  cb_put* put = nullptr;
  call(ops_->put_begin, instance_, name.c_str(), hint, flags, &put);
  return {ops_, put};
}

LowerGet Lower::get_open(const std::string& name, uint64_t offset, uint64_t length) const {
  cb_get* get = nullptr;
  call(ops_->get_open, instance_, name.c_str(), offset, length, &get);
  return {ops_, get};
}

void Lower::remove(const std::string& name) const { call(ops_->remove, instance_, name.c_str()); }

LowerList Lower::list_open(const std::string& prefix, const std::string& after) const {
  cb_list* list = nullptr;
  call(ops_->list_open, instance_, prefix.c_str(), after.c_str(), &list);
  return {ops_, list};
}

void Lower::space(cb_space& out) const {
  if (!CB_HAS(ops_, cb_store_ops, space))
    throw sdk::Failure(CB_E_UNSUPPORTED, "the store below cannot tell its space");
  call(ops_->space, instance_, &out);
}

}  // namespace store_fault
