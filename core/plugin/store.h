// SPDX-License-Identifier: Apache-2.0
//
// A store plugin as C++ sees it: every call goes through the gate. Functions block; call them on a
// worker. A Store may be used by several threads, each Put, Get and List by one at a time. Handles
// keep their instance alive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "cyberbackup/store.h"

namespace cb::plugin {

class Instance;

struct StoredObject {
  std::string name;
  uint64_t length = 0;      // bytes
  int64_t modified_ns = 0;  // since 1970 UTC
};

struct StoreSpace {
  uint64_t total = 0;  // bytes
  uint64_t free = 0;
};

// Is `name` one that the store interface allows (store.h)?
bool is_store_name(std::string_view name);

class Put {
 public:
  Put(std::shared_ptr<Instance> instance, cb_put* handle);
  Put(Put&& other) noexcept;
  Put& operator=(Put&& other) noexcept;
  ~Put();  // aborts unless committed

  Status write(ByteView data);
  // Makes the object durable and visible; the Put is spent, whatever comes back.
  Status commit();
  void abort();

 private:
  std::shared_ptr<Instance> instance_;
  cb_put* handle_ = nullptr;
};

class Get {
 public:
  Get(std::shared_ptr<Instance> instance, cb_get* handle);
  Get(Get&& other) noexcept;
  Get& operator=(Get&& other) noexcept;
  ~Get();

  // Reads 1..into.size() bytes; 0 after the last one.
  Result<size_t> read(ByteSpan into);

 private:
  std::shared_ptr<Instance> instance_;
  cb_get* handle_ = nullptr;
};

class List {
 public:
  List(std::shared_ptr<Instance> instance, cb_list* handle);
  List(List&& other) noexcept;
  List& operator=(List&& other) noexcept;
  ~List();

  // The next object in byte order of names; nothing at the end.
  Result<std::optional<StoredObject>> next();

 private:
  std::shared_ptr<Instance> instance_;
  cb_list* handle_ = nullptr;
};

class Store {
 public:
  // The instance's interface is cb.store/1 (the registry checks).
  explicit Store(std::shared_ptr<Instance> instance);

  Result<StoredObject> stat(std::string_view name);
  // `length_hint` in bytes, 0 = unknown. With `if_absent`, commit fails with Code::exists if taken.
  Result<Put> put_begin(std::string_view name, uint64_t length_hint = 0, bool if_absent = false);
  // `length` 0 = to the end. Code::limit when the range does not wholly exist.
  Result<Get> get_open(std::string_view name, uint64_t offset = 0, uint64_t length = 0);
  Status remove(std::string_view name);
  Result<List> list_open(std::string_view prefix = {}, std::string_view after = {});
  // Code::unsupported when the store cannot know.
  Result<StoreSpace> space();

  [[nodiscard]] uint64_t capabilities() const;
  [[nodiscard]] const std::shared_ptr<Instance>& instance() const { return instance_; }

 private:
  std::shared_ptr<Instance> instance_;
};

}  // namespace cb::plugin
