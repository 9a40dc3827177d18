// SPDX-License-Identifier: Apache-2.0
//
// A module: a plugin's file mapped into this process, for ever. One file is one module, however
// often and by whatever path it is loaded. The functions are thread-safe; init, descriptors and
// deinit are for one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/plugin/gate.h"
#include "core/plugin/plugin_file.h"
#include "cyberbackup/base.h"

namespace cb::plugin {

class Module {
 public:
  // Maps the file, which passed the scan; a file that is mapped already is found by device and
  // inode. `sealed`: through a sealed copy in memory. The module is never unmapped, so the pointer
  // stays valid. Code::busy when the file changed since it was mapped.
  static Result<Module*> load(PluginFile file, bool sealed);

  // The module of this very file and content, if this process has it mapped already; else null.
  static Module* known(const PluginFile& file);

  [[nodiscard]] const os::Path& file() const { return file_; }
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] const cb_entry& entry() const { return *entry_; }
  [[nodiscard]] std::string object() const { return "plugin " + file_.string(); }

  // Negotiates, then calls init. `folder` is told to the plugin as its own.
  Status init(Gate& gate, const cb_host& host, const std::string& folder) const;
  // Undoes init.
  void deinit(Gate& gate) const;
  // The descriptors of interfaces that this host knows, each checked, ids unique. Code::unsupported
  // when it knows none of them. After init.
  Result<std::vector<const cb_descriptor*>> descriptors(Gate& gate) const;

 private:
  Module() = default;
  static Result<std::unique_ptr<Module>> map(PluginFile file, bool sealed);

  os::Path file_;
  std::string sha256_;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
  const cb_entry* entry_ = nullptr;
};

}  // namespace cb::plugin
