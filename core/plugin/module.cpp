// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/module.h"

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <mutex>
#include <set>
#include <span>
#include <utility>

#include "core/plugin/descriptor.h"

namespace cb::plugin {
namespace {

constexpr Function kInit{"init", Tag::setup};
constexpr Function kDeinit{"deinit", Tag::setup};
constexpr Function kDescriptors{"descriptors", Tag::setup};
constexpr uint32_t kMostDescriptors = 64;

// All modules of this process. Never destroyed: plugins stay mapped until the process is gone.
struct Modules {
  std::mutex mutex;
  std::vector<std::unique_ptr<Module>> all;
  std::vector<std::unique_ptr<boost::dll::shared_library>> libraries;
};

Modules& modules() {
  static auto* const all = new Modules;
  return *all;
}

// dlopen's words with the file's name instead of the descriptor's.
std::string with_file_name(std::string text, const std::string& loaded, const std::string& file) {
  for (size_t at = text.find(loaded); at != std::string::npos; at = text.find(loaded, at)) {
    text.replace(at, loaded.size(), file);
    at += file.size();
  }
  return text;
}

Result<boost::dll::shared_library*> open_library(const std::string& loaded, const os::Path& file) {
  using boost::dll::load_mode::type;
  auto library = std::make_unique<boost::dll::shared_library>();
  try {
    // The throwing form: the other one loses the true text.
    library->load(loaded, static_cast<type>(boost::dll::load_mode::rtld_now |
                                            boost::dll::load_mode::rtld_local));
  } catch (const std::exception& e) {
    return failed(Code::invalid, "plugin " + file.string(),
                  "the system cannot load it: " +
                      with_file_name(one_line(e.what(), 2000), loaded, file.string()),
                  "install the libraries it needs, or a build for this system");
  }
  return modules().libraries.emplace_back(std::move(library)).get();
}

}  // namespace

Result<std::unique_ptr<Module>> Module::map(PluginFile file, bool sealed) {
  Descriptor source = file.take_descriptor();
  Descriptor copy;
  if (sealed) {
    CB_ASSIGN(copy, file.sealed_copy());
  }
  const int fd = sealed ? copy.get() : source.get();
  const std::string loaded = "/proc/self/fd/" + std::to_string(fd);
  CB_ASSIGN(boost::dll::shared_library* const library, open_library(loaded, file.path()));
  // The dynamic linker knows this module by its descriptor's path, and the table of modules by its
  // inode: both stay taken, so neither can come to mean another file.
  source.release();
  copy.release();
  std::unique_ptr<Module> module(new Module);
  module->file_ = file.path();
  module->sha256_ = file.sha256();
  module->device_ = file.device();
  module->inode_ = file.inode();
  if (!library->has(CB_ENTRY_SYMBOL))
    return failed(Code::invalid, file.object(),
                  std::string("does not export ") + CB_ENTRY_SYMBOL + " once loaded",
                  "report this to the plugin's author");
  module->entry_ = &library->get<const cb_entry>(CB_ENTRY_SYMBOL);
  return module;
}

Result<Module*> Module::load(PluginFile file, bool sealed) {
  Modules& known = modules();
  const std::lock_guard lock(known.mutex);
  for (const auto& module : known.all) {
    if (module->device_ != file.device() || module->inode_ != file.inode()) continue;
    if (module->sha256_ == file.sha256()) return module.get();
    return failed(Code::busy, file.object(),
                  "was changed in place since this process loaded it: sha256 was " +
                      module->sha256_ + ", is " + file.sha256(),
                  "restart; install plugins by renaming a new file over the old one");
  }
  CB_ASSIGN(auto module, map(std::move(file), sealed));
  return known.all.emplace_back(std::move(module)).get();
}

Module* Module::known(const PluginFile& file) {
  Modules& all = modules();
  const std::lock_guard lock(all.mutex);
  for (const auto& module : all.all)
    if (module->device_ == file.device() && module->inode_ == file.inode() &&
        module->sha256_ == file.sha256())
      return module.get();
  return nullptr;
}

Status Module::init(Gate& gate, const cb_host& host, const std::string& folder) const {
  CB_TRY(check_entry(*entry_, object()));
  if (!CB_HAS(entry_, cb_entry, init)) return {};
  auto done = gate.call(kInit, entry_->init, &host, folder.c_str());
  if (done) return {};
  Error error = std::move(done.error());
  return failed(error.code, object(), "its init failed: " + error.cause, error.advice);
}

void Module::deinit(Gate& gate) const {
  if (CB_HAS(entry_, cb_entry, deinit)) gate.end(kDeinit, entry_->deinit);
}

Result<std::vector<const cb_descriptor*>> Module::descriptors(Gate& gate) const {
  uint32_t count = 0;
  const cb_descriptor* const* list = gate.query(
      kDescriptors, static_cast<const cb_descriptor* const*>(nullptr), entry_->descriptors, &count);
  if (list == nullptr || count == 0 || count > kMostDescriptors)
    return failed(Code::invalid, object(),
                  "gives " + std::to_string(list == nullptr ? 0 : count) + " descriptors; 1 to " +
                      std::to_string(kMostDescriptors) + " are possible",
                  "report this to the plugin's author");
  std::set<std::string> ids;
  std::vector<const cb_descriptor*> known;
  Status unknown;
  for (const cb_descriptor* descriptor : std::span(list, count)) {
    if (descriptor == nullptr)
      return failed(Code::invalid, object(), "gives a null descriptor",
                    "report this to the plugin's author");
    Status fits = check_descriptor(*descriptor, object());
    if (!fits && fits.error().code == Code::unsupported) {  // for a newer host
      unknown = std::move(fits);
      continue;
    }
    CB_TRY(std::move(fits));
    if (!ids.insert(descriptor->id).second)
      return failed(Code::exists, object(),
                    std::string("gives two descriptors with the id ") + descriptor->id,
                    "report this to the plugin's author");
    known.push_back(descriptor);
  }
  if (known.empty()) return failed(std::move(unknown).error());
  return known;
}

}  // namespace cb::plugin
