// SPDX-License-Identifier: Apache-2.0
//
// A little use of an instance through its raw table: enough to reach the plugin's allocations, its
// randomness and its log. Allocates nothing itself. Used by one thread.
#pragma once

#include "hosts/cyberbackup-plugin-check/raw_plugin.h"

namespace cb::check {

// The first call that did not come to OK, or the last of all.
struct Used {
  const char* function = "create";
  Came came;
  const char* broken = nullptr;  // a rule that it broke although the status is listed

  [[nodiscard]] bool ok() const {
    return broken == nullptr && came.thrown.empty() && came.status >= CB_OK;
  }
  // Nothing of it breaks the contract; it may have failed.
  [[nodiscard]] bool is_clean() const {
    return broken == nullptr && came.thrown.empty() && came.status >= CB_E_INTERNAL &&
           came.status <= CB_MORE;
  }
  // "put_begin came to status -5 (disk is full)".
  [[nodiscard]] std::string text() const;
};

// Uses it as its interface says; all handles are ended. A transport filter only begins a handshake.
Used exercise(const cb_descriptor& descriptor, cb_instance* instance);

// create, exercise, destroy.
Used create_and_exercise(const RawPlugin& plugin);
// The same in parts: what `create` came to, with the rules for *out.
Used created(const RawPlugin& plugin, const cb_host& host, cb_instance*& instance);

}  // namespace cb::check
