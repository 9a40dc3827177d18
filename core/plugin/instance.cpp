// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/instance.h"

#include "core/plugin/schema.h"
#include "core/plugin/store_below.h"

namespace cb::plugin {
namespace {

constexpr Function kCheck{"check", Tag::setup};
constexpr Function kCreate{"create", Tag::setup};
constexpr Function kDestroy{"destroy", Tag::setup};
constexpr Function kExtension{"extension", Tag::any};

const os::Clock& clock_of(const HostServices& services) {
  return services.clock != nullptr ? *services.clock : os::system_clock();
}

}  // namespace

Instance::Instance(const cb_descriptor& descriptor, const HostServices& services,
                   std::shared_ptr<Instance> lower)
    : descriptor_(descriptor),
      host_(services, descriptor.id),
      gate_(descriptor.id, services.log, clock_of(services)) {
  if (lower == nullptr) return;
  below_ = std::make_unique<StoreBelow>(Store(std::move(lower)));
  host_.offer(CB_STORE_LOWER, below_->service());
}

Result<std::shared_ptr<Instance>> Instance::make(const cb_descriptor& descriptor,
                                                 const config::Schema& schema,
                                                 const config::Values& values,
                                                 const HostServices& services,
                                                 std::shared_ptr<Instance> lower) {
  std::shared_ptr<Instance> instance(new Instance(descriptor, services, std::move(lower)));
  CB_TRY(instance->create(schema, values));
  return instance;
}

Status Instance::create(const config::Schema& schema, const config::Values& values) {
  CB_ASSIGN(const auto config, ConfigTable::make(id(), schema, values));
  if (CB_HAS(&descriptor_, cb_descriptor, check))
    CB_TRY(gate_.call(kCheck, descriptor_.check, config->table()));
  cb_instance* made = nullptr;
  CB_TRY(gate_.call(kCreate, descriptor_.create, host_.table(), config->table(), &made));
  if (made == nullptr) return failed(gate_.violation(kCreate, "returned OK without an instance"));
  handle_ = made;
  return {};
}

Instance::~Instance() {
  if (handle_ != nullptr) gate_.end(kDestroy, descriptor_.destroy, handle_);
}

const void* Instance::extension(const char* extension_id) {
  if (!CB_HAS(&descriptor_, cb_descriptor, extension)) return nullptr;
  return gate_.query(kExtension, static_cast<const void*>(nullptr), descriptor_.extension, handle_,
                     extension_id);
}

}  // namespace cb::plugin
