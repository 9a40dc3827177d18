// SPDX-License-Identifier: Apache-2.0
//
// Gives up root for the rights of an ordinary user, in two steps: at once everything but the right
// to bind low ports, and that when they are bound. So nothing of the user's is ever touched as
// root. For the main thread; give_up holds for all threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/base/result.h"

namespace cb::os {

class LowerRights {
 public:
  // Takes the rights of `user` and its groups, as the system knows them. For root, and before there
  // is any other thread. Code::not_found when there is no such user, Code::denied for who is not
  // root.
  static Result<LowerRights> take(const std::string& user);

  // Runs `bind` on this thread, which may meanwhile bind low ports.
  Status while_binding(const std::function<Status()>& bind) const;

  // Nothing of root is left, in any thread, and nothing brings it back.
  Status give_up() const;

 private:
  LowerRights(uint32_t user, uint32_t group, uint32_t kept)
      : user_(user), group_(group), kept_(kept) {}
  uint32_t user_;
  uint32_t group_;
  uint32_t kept_;  // capabilities until give_up
};

// Is this process root, whatever else it may or may not do?
bool is_root();

}  // namespace cb::os
