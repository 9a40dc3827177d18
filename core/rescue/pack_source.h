// SPDX-License-Identifier: Apache-2.0
//
// Where the objects of a store lie when the store itself is gone: files below a folder, under
// whatever names, and objects in a store plugin. Sources are thread-safe but for each().
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/os/file_system.h"
#include "core/plugin/store.h"
#include "core/repository/pack_scanner.h"

namespace cb::rescue {

class PackSource {
 public:
  virtual ~PackSource() = default;
  // Calls `visit` with the name of each object that can be read, in order of names.
  virtual Status each(const std::function<Status(const std::string&)>& visit) = 0;
  // The object's bytes, not to outlive the source; each may be read on a thread of its own.
  virtual Result<std::unique_ptr<repository::PackBytes>> open(const std::string& name) const = 0;
  // The object as people find it.
  [[nodiscard]] virtual std::string place_of(const std::string& name) const = 0;
};

// Regular files in `folder` and below; names are paths below it. A folder that cannot be read is
// told to `trouble`.
std::unique_ptr<PackSource> folder_source(os::FileSystem& files, os::Path folder,
                                          std::function<void(const Error&)> trouble);

// Is asked before each read; once it says true nothing more is read (Code::cancelled). For any
// thread.
using Stopped = std::function<bool()>;

std::unique_ptr<PackSource> stoppable_source(std::unique_ptr<PackSource> source, Stopped stopped);

// A store's objects. `place` names the store.
std::unique_ptr<PackSource> store_source(plugin::Store store, std::string place);

}  // namespace cb::rescue
