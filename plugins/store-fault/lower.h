// SPDX-License-Identifier: Apache-2.0
//
// The store below as C++ sees it: statuses become sdk::Failure with the text and flags they came
// with. Lower may be used by several threads, its handles by one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "cyberbackup/cpp/host.hpp"
#include "cyberbackup/store.h"

namespace store_fault {

// A handle of the store below with its ender.
template <class Handle>
class Owned {
 public:
  Owned(const cb_store_ops* ops, Handle* handle, void (*end)(Handle*))
      : ops_(ops), handle_(handle), end_(end) {}
  Owned(Owned&& other) noexcept
      : ops_(other.ops_), handle_(std::exchange(other.handle_, nullptr)), end_(other.end_) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() { reset(); }

  void reset() {
    if (handle_ != nullptr) end_(release());
  }
  Handle* release() { return std::exchange(handle_, nullptr); }
  [[nodiscard]] Handle* get() const { return handle_; }
  [[nodiscard]] const cb_store_ops& ops() const { return *ops_; }

 private:
  const cb_store_ops* ops_;
  Handle* handle_;
  void (*end_)(Handle*);
};

class LowerPut {
 public:
  LowerPut(const cb_store_ops* ops, cb_put* put) : put_(ops, put, ops->put_abort) {}
  void write(std::span<const std::byte> data);
  void commit();
  void abort() { put_.reset(); }

 private:
  Owned<cb_put> put_;
};

class LowerGet {
 public:
  LowerGet(const cb_store_ops* ops, cb_get* get) : get_(ops, get, ops->get_close) {}
  size_t read(std::span<std::byte> into);  // 0 = the end

 private:
  Owned<cb_get> get_;
};

class LowerList {
 public:
  LowerList(const cb_store_ops* ops, cb_list* list) : list_(ops, list, ops->list_close) {}
  bool next(cb_object& out);  // false = the end

 private:
  Owned<cb_list> list_;
};

class Lower {
 public:
  // Throws sdk::Failure when the host offers no store below.
  explicit Lower(const cyberbackup::sdk::Host& host);

  void stat(const std::string& name, cb_object& out) const;
  // Is there such an object, and which? What cannot be looked at counts as absent.
  bool find(const std::string& name, cb_object& out) const;
  [[nodiscard]] LowerPut put_begin(const std::string& name, uint64_t hint, uint32_t flags) const;
  [[nodiscard]] LowerGet get_open(const std::string& name, uint64_t offset, uint64_t length) const;
  void remove(const std::string& name) const;
  [[nodiscard]] LowerList list_open(const std::string& prefix, const std::string& after) const;
  void space(cb_space& out) const;

 private:
  const cb_store_ops* ops_ = nullptr;
  cb_instance* instance_ = nullptr;
};

}  // namespace store_fault
