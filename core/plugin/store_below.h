// SPDX-License-Identifier: Apache-2.0
//
// The store below a store filter, as the filter sees it: a cb_store_ops table of the host whose
// calls go through the gate of the store below, so that faults are counted where they happen.
// Thread-safe as far as the store is.
#pragma once

#include "core/plugin/store.h"

namespace cb::plugin {

class StoreBelow {
 public:
  explicit StoreBelow(Store store);
  StoreBelow(const StoreBelow&) = delete;
  StoreBelow& operator=(const StoreBelow&) = delete;

  // What service CB_STORE_LOWER returns; valid as long as this object.
  [[nodiscard]] const cb_store_lower* service() const { return &service_; }
  [[nodiscard]] Store& store() { return store_; }

 private:
  Store store_;
  cb_store_lower service_{};
};

}  // namespace cb::plugin
