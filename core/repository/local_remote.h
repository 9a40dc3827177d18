// SPDX-License-Identifier: Apache-2.0
//
// A Remote without a network: an engine in this process. Functions may be called by several
// threads; the engine outlives it.
#pragma once

#include "core/repository/engine.h"
#include "core/repository/remote.h"

namespace cb::repository {

// Code::not_found when the engine has no such repository. What a device may do is not asked.
Result<std::unique_ptr<Remote>> make_local_remote(Engine& engine, const RepositoryId& repository,
                                                  const Viewer& viewer);
// As an owner's device.
Result<std::unique_ptr<Remote>> make_local_remote(Engine& engine, const RepositoryId& repository,
                                                  const DeviceId& device);

}  // namespace cb::repository
