// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/store.h"

#include <algorithm>
#include <utility>

#include "core/plugin/handle.h"

namespace cb::plugin {
namespace {

constexpr Function kStat{"stat", Tag::blocking};
constexpr Function kPutBegin{"put_begin", Tag::blocking};
constexpr Function kPutWrite{"put_write", Tag::blocking};
constexpr Function kPutCommit{"put_commit", Tag::blocking};
constexpr Function kPutAbort{"put_abort", Tag::blocking};
constexpr Function kGetOpen{"get_open", Tag::blocking};
constexpr Function kGetRead{"get_read", Tag::blocking, kMayEnd};
constexpr Function kGetClose{"get_close", Tag::blocking};
constexpr Function kRemove{"remove", Tag::blocking};
constexpr Function kListOpen{"list_open", Tag::blocking};
constexpr Function kListNext{"list_next", Tag::blocking, kMayEnd};
constexpr Function kListClose{"list_close", Tag::blocking};
constexpr Function kSpace{"space", Tag::blocking};

const cb_store_ops& store_of(const std::shared_ptr<Instance>& instance) {
  return instance->ops<cb_store_ops>();
}

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '/' ||
         c == '-';
}

Status check_name(std::string_view name) {
  if (is_store_name(name)) return {};
  return failed(Code::invalid, "store object '" + one_line(name.data(), name.size()) + "'",
                "is not a name that stores allow: 1 to 200 of [0-9a-z._/-] without empty or dot "
                "components");
}

Result<StoredObject> object_of(Instance& instance, const Function& function,
                               const cb_object& from) {
  const std::string_view name(from.name, std::min<size_t>(from.name_len, sizeof from.name));
  if (from.name_len > CB_STORE_NAME_MAX || !is_store_name(name))
    return failed(instance.gate().violation(function, "returned a malformed object name"));
  return StoredObject{std::string(name), from.length, from.modified_ns};
}

}  // namespace

bool is_store_name(std::string_view name) {
  if (name.empty() || name.size() > CB_STORE_NAME_MAX) return false;
  if (!std::all_of(name.begin(), name.end(), is_name_character)) return false;
  while (true) {
    const size_t slash = name.find('/');
    const std::string_view component = name.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

Put::Put(std::shared_ptr<Instance> instance, cb_put* handle)
    : instance_(std::move(instance)), handle_(handle) {}
Put::Put(Put&& other) noexcept
    : instance_(std::move(other.instance_)), handle_(std::exchange(other.handle_, nullptr)) {}
Put& Put::operator=(Put&& other) noexcept {
  if (this == &other) return *this;
  abort();
  instance_ = std::move(other.instance_);
  handle_ = std::exchange(other.handle_, nullptr);
  return *this;
}
Put::~Put() { abort(); }

Status Put::write(ByteView data) {
  if (handle_ == nullptr) return failed(Code::state, "put", "has ended already");
  if (data.empty()) return {};
  CB_TRY(instance_->gate().call(kPutWrite, store_of(instance_).put_write, handle_, data_of(data),
                                data.size()));
  return {};
}

Status Put::commit() {
  if (handle_ == nullptr) return failed(Code::state, "put", "has ended already");
  if (instance_->quarantined()) abort();  // not entered any more, so the put would stay open
  if (handle_ == nullptr)
    return failed(Code::state, instance_->id(), "is quarantined: " + instance_->reason());
  CB_TRY(instance_->gate().call(kPutCommit, store_of(instance_).put_commit,
                                std::exchange(handle_, nullptr)));
  return {};
}

void Put::abort() {
  if (handle_ != nullptr)
    instance_->gate().end(kPutAbort, store_of(instance_).put_abort,
                          std::exchange(handle_, nullptr));
}

Get::Get(std::shared_ptr<Instance> instance, cb_get* handle)
    : instance_(std::move(instance)), handle_(handle) {}
Get::Get(Get&& other) noexcept
    : instance_(std::move(other.instance_)), handle_(std::exchange(other.handle_, nullptr)) {}
Get& Get::operator=(Get&& other) noexcept {
  std::swap(instance_, other.instance_);
  std::swap(handle_, other.handle_);
  return *this;
}
Get::~Get() {
  if (handle_ != nullptr) instance_->gate().end(kGetClose, store_of(instance_).get_close, handle_);
}

Result<size_t> Get::read(ByteSpan into) {
  if (into.empty()) return size_t{0};
  size_t got = 0;
  CB_ASSIGN(const cb_status status,
            instance_->gate().call(kGetRead, store_of(instance_).get_read, handle_, data_of(into),
                                   into.size(), &got));
  if (status == CB_END) return size_t{0};
  if (got == 0)
    return failed(instance_->gate().violation(kGetRead, "returned OK without any bytes"));
  return within(*instance_, kGetRead, got, into.size());
}

List::List(std::shared_ptr<Instance> instance, cb_list* handle)
    : instance_(std::move(instance)), handle_(handle) {}
List::List(List&& other) noexcept
    : instance_(std::move(other.instance_)), handle_(std::exchange(other.handle_, nullptr)) {}
List& List::operator=(List&& other) noexcept {
  std::swap(instance_, other.instance_);
  std::swap(handle_, other.handle_);
  return *this;
}
List::~List() {
  if (handle_ != nullptr)
    instance_->gate().end(kListClose, store_of(instance_).list_close, handle_);
}

Result<std::optional<StoredObject>> List::next() {
  cb_object object{};
  object.size = sizeof object;
  CB_ASSIGN(const cb_status status,
            instance_->gate().call(kListNext, store_of(instance_).list_next, handle_, &object));
  if (status == CB_END) return std::nullopt;
  return object_of(*instance_, kListNext, object);
}

Store::Store(std::shared_ptr<Instance> instance) : instance_(std::move(instance)) {}

uint64_t Store::capabilities() const { return instance_->capabilities(); }

Result<StoredObject> Store::stat(std::string_view name) {
  CB_TRY(check_name(name));
  cb_object object{};
  object.size = sizeof object;
  CB_TRY(instance_->gate().call(kStat, store_of(instance_).stat, instance_->handle(),
                                std::string(name).c_str(), &object));
  return object_of(*instance_, kStat, object);
}

Result<Put> Store::put_begin(std::string_view name, uint64_t length_hint, bool if_absent) {
  CB_TRY(check_name(name));
  cb_put* handle = nullptr;
  const auto status = instance_->gate().call(
      kPutBegin, store_of(instance_).put_begin, instance_->handle(), std::string(name).c_str(),
      length_hint, uint32_t{if_absent ? uint32_t{CB_PUT_IF_ABSENT} : 0}, &handle);
  CB_TRY(made(*instance_, kPutBegin, status, handle));
  return Put(instance_, handle);
}

Result<Get> Store::get_open(std::string_view name, uint64_t offset, uint64_t length) {
  CB_TRY(check_name(name));
  cb_get* handle = nullptr;
  const auto status =
      instance_->gate().call(kGetOpen, store_of(instance_).get_open, instance_->handle(),
                             std::string(name).c_str(), offset, length, &handle);
  CB_TRY(made(*instance_, kGetOpen, status, handle));
  return Get(instance_, handle);
}

Status Store::remove(std::string_view name) {
  CB_TRY(check_name(name));
  CB_TRY(instance_->gate().call(kRemove, store_of(instance_).remove, instance_->handle(),
                                std::string(name).c_str()));
  return {};
}

Result<List> Store::list_open(std::string_view prefix, std::string_view after) {
  cb_list* handle = nullptr;
  const auto status =
      instance_->gate().call(kListOpen, store_of(instance_).list_open, instance_->handle(),
                             std::string(prefix).c_str(), std::string(after).c_str(), &handle);
  CB_TRY(made(*instance_, kListOpen, status, handle));
  return List(instance_, handle);
}

Result<StoreSpace> Store::space() {
  const cb_store_ops& ops = store_of(instance_);
  if (!CB_HAS(&ops, cb_store_ops, space)) return not_offered(*instance_, "a figure of its space");
  cb_space space{};
  space.size = sizeof space;
  CB_TRY(instance_->gate().call(kSpace, ops.space, instance_->handle(), &space));
  return StoreSpace{space.total, space.free};
}

}  // namespace cb::plugin
