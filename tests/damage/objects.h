// SPDX-License-Identifier: Apache-2.0
//
// The objects of a store as they lie on the disk, changed behind the store's back: files of
// store-fs, rows of store-sqlite. One thread; throws std::runtime_error.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace cb::damage {

class Objects {
 public:
  virtual ~Objects() = default;
  // The names that begin so, sorted.
  [[nodiscard]] virtual std::vector<std::string> list(const std::string& prefix) = 0;
  virtual std::string read(const std::string& name) = 0;
  // Other bytes for an object that is there, and nothing that tells of it: the store is not asked.
  virtual void spoil(const std::string& name, const std::string& content) = 0;
  // As the store itself would have it.
  virtual void put(const std::string& name, const std::string& content) = 0;
  virtual void remove(const std::string& name) = 0;
};

// Of the folder of a daemon, whichever store it has.
std::unique_ptr<Objects> objects_in(const std::string& daemon_folder);

}  // namespace cb::damage
