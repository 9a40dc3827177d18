// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/raw_plugin.h"

#include "cyberbackup/store.h"
#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {
namespace {

constexpr size_t kHostSize10 = offsetof(cb_host, service) + sizeof(void*);
constexpr size_t kMoreOfNewerHost = 8 * sizeof(void*);
constexpr uint32_t kNewerMinor = 7;

Bytes host_of_size(const cb_host& host, size_t size, uint32_t minor) {
  // What is behind the table of today is no function, and must not be called.
  Bytes bytes(size, std::byte{0xA9});
  std::memcpy(bytes.data(), &host, std::min(size, sizeof host));
  const auto written = static_cast<uint32_t>(size);
  std::memcpy(bytes.data() + offsetof(cb_host, size), &written, sizeof written);
  std::memcpy(bytes.data() + offsetof(cb_host, abi_minor), &minor, sizeof minor);
  return bytes;
}

}  // namespace

Bytes as_older_host(const cb_host& host) { return host_of_size(host, kHostSize10, 0); }

Bytes as_newer_host(const cb_host& host) {
  return host_of_size(host, sizeof host + kMoreOfNewerHost, CB_ABI_MINOR + kNewerMinor);
}

std::string Came::text() const {
  if (!thrown.empty()) return "an exception (" + thrown + ")";
  const std::string message = plugin::one_line(error.message, sizeof error.message);
  return "status " + std::to_string(status) + (message.empty() ? "" : " (" + message + ")");
}

Result<std::unique_ptr<RawPlugin>> RawPlugin::make(Subject& subject, const Written& written) {
  std::unique_ptr<RawPlugin> raw(new RawPlugin);
  CB_ASSIGN(raw->descriptor_, subject.checked_descriptor());
  const cb_descriptor& descriptor = *raw->descriptor_;
  CB_ASSIGN(const config::Schema schema, subject.schema());
  CB_ASSIGN(const config::Values values, subject.values(written));
  CB_ASSIGN(raw->config_, plugin::ConfigTable::make(descriptor.id, schema, values));
  raw->host_ = std::make_unique<plugin::HostTable>(subject.services(), descriptor.id);
  if (std::string_view(descriptor.interface_id) != CB_STORE_INTERFACE ||
      (descriptor.capabilities & CB_STORE_FILTER) == 0)
    return raw;
  CB_ASSIGN(Subject* const other, subject.other(subject.settings().below));
  CB_ASSIGN(plugin::Store store, other->make<plugin::Store>());
  raw->below_ = std::make_unique<plugin::StoreBelow>(std::move(store));
  raw->host_->offer(CB_STORE_LOWER, raw->below_->service());
  return raw;
}

Came RawPlugin::create(const cb_host& host, cb_instance*& instance) const {
  instance = nullptr;
  if (CB_HAS(descriptor_, cb_descriptor, check)) {
    Came came = call(descriptor_->check, config_->table());
    if (came.status != CB_OK || !came.thrown.empty()) return came;
  }
  return call(descriptor_->create, &host, config_->table(), &instance);
}

Status RawPlugin::destroy(cb_instance* instance) const {
  try {
    descriptor_->destroy(instance);
    return {};
  } catch (const std::exception& e) {
    return found_wrong(std::string("destroy threw an exception (") + e.what() + ")");
  } catch (...) {
    return found_wrong("destroy threw an exception of unknown type");
  }
}

}  // namespace cb::check
