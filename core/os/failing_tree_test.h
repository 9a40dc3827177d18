// SPDX-License-Identifier: Apache-2.0
//
// The system's tree with faults for tests: before each call it asks `fault` with the call's name
// and the path it is about; anything but 0 is the errno that the call fails with. Thread-safe when
// `fault` is.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/os/tree.h"

namespace cb::os {

using Fault = std::function<int(const std::string& call, const std::string& path)>;

#define CB_FAULT(call, path)                                                \
  do {                                                                      \
    if (const int cb_fault = (*fault_)(call, path); cb_fault != 0)          \
      return tl::unexpected<Error>(fail_errno(cb_fault, path, "injected")); \
  } while (false)

template <typename Base>
class FailingNode : public Base {
 public:
  FailingNode(std::shared_ptr<Base> real, std::shared_ptr<const Fault> fault, std::string path)
      : real_(std::move(real)), fault_(std::move(fault)), path_(std::move(path)) {}

  Result<NodeStat> stat() override {
    CB_FAULT("stat", path_);
    return real_->stat();
  }
  Result<std::vector<std::string>> xattr_names() override {
    CB_FAULT("xattr_names", path_);
    return real_->xattr_names();
  }
  Result<std::optional<std::string>> xattr(const std::string& name) override {
    CB_FAULT("xattr", path_);
    return real_->xattr(name);
  }
  Result<uint32_t> attributes() override {
    CB_FAULT("attributes", path_);
    return real_->attributes();
  }
  Status set_xattr(const std::string& name, const std::string& value) override {
    CB_FAULT("set_xattr", path_);
    return real_->set_xattr(name, value);
  }
  Status remove_xattr(const std::string& name) override {
    CB_FAULT("remove_xattr", path_);
    return real_->remove_xattr(name);
  }
  Status set_attributes(uint32_t attributes) override {
    CB_FAULT("set_attributes", path_);
    return real_->set_attributes(attributes);
  }
  Status set_owner(uint32_t uid, uint32_t gid) override {
    CB_FAULT("set_owner", path_);
    return real_->set_owner(uid, gid);
  }
  Status set_mode(uint32_t mode) override {
    CB_FAULT("set_mode", path_);
    return real_->set_mode(mode);
  }
  Status set_mtime(int64_t ns) override {
    CB_FAULT("set_mtime", path_);
    return real_->set_mtime(ns);
  }

 protected:
  std::shared_ptr<Base> real_;
  std::shared_ptr<const Fault> fault_;
  std::string path_;
};

class FailingFile final : public FailingNode<TreeFile> {
 public:
  using FailingNode::FailingNode;
  Result<size_t> read_at(ByteSpan into, uint64_t offset) override {
    CB_FAULT("read_at", path_);
    return real_->read_at(into, offset);
  }
  Status write_at(ByteView from, uint64_t offset) override {
    CB_FAULT("write_at", path_);
    return real_->write_at(from, offset);
  }
  Result<std::optional<DataStretch>> next_data(uint64_t offset) override {
    CB_FAULT("next_data", path_);
    return real_->next_data(offset);
  }
  Status set_size(uint64_t size) override {
    CB_FAULT("set_size", path_);
    return real_->set_size(size);
  }
  Status reserve(uint64_t offset, uint64_t length) override {
    CB_FAULT("reserve", path_);
    return real_->reserve(offset, length);
  }
  void write_back(uint64_t offset, uint64_t length) override { real_->write_back(offset, length); }
  Status drop_written(uint64_t offset, uint64_t length) override {
    CB_FAULT("drop_written", path_);
    return real_->drop_written(offset, length);
  }
  Status sync() override {
    CB_FAULT("sync", path_);
    return real_->sync();
  }
};

class FailingFolder final : public FailingNode<Folder> {
 public:
  using FailingNode::FailingNode;
  Status each_name(const std::function<void(std::string_view, NameKind)>& sink) override {
    CB_FAULT("each_name", path_);
    return real_->each_name(sink);
  }
  Result<NodeStat> stat_name(const std::string& name) override {
    CB_FAULT("stat_name", below(name));
    return real_->stat_name(name);
  }
  Result<std::string> read_link(const std::string& name) override {
    CB_FAULT("read_link", below(name));
    return real_->read_link(name);
  }
  Result<std::shared_ptr<Folder>> open_folder(const std::string& name) override {
    CB_FAULT("open_folder", below(name));
    CB_ASSIGN(std::shared_ptr<Folder> opened, real_->open_folder(name));
    return std::make_shared<FailingFolder>(std::move(opened), fault_, below(name));
  }
  Result<std::unique_ptr<TreeFile>> open_file(const std::string& name) override {
    CB_FAULT("open_file", below(name));
    return wrapped(real_->open_file(name), name);
  }
  Result<std::unique_ptr<Node>> open_node(const std::string& name) override {
    CB_FAULT("open_node", below(name));
    CB_ASSIGN(std::unique_ptr<Node> opened, real_->open_node(name));
    return std::make_unique<FailingNode<Node>>(std::move(opened), fault_, below(name));
  }
  Result<std::unique_ptr<TreeFile>> create_file(const std::string& name, uint32_t mode) override {
    CB_FAULT("create_file", below(name));
    return wrapped(real_->create_file(name, mode), name);
  }
  Result<std::unique_ptr<TreeFile>> reopen_file(const std::string& name) override {
    CB_FAULT("reopen_file", below(name));
    return wrapped(real_->reopen_file(name), name);
  }
  Status make_folder(const std::string& name, uint32_t mode) override {
    CB_FAULT("make_folder", below(name));
    return real_->make_folder(name, mode);
  }
  Status make_symlink(const std::string& target, const std::string& name) override {
    CB_FAULT("make_symlink", below(name));
    return real_->make_symlink(target, name);
  }
  Status make_special(const std::string& name, uint32_t mode, uint32_t major,
                      uint32_t minor) override {
    CB_FAULT("make_special", below(name));
    return real_->make_special(name, mode, major, minor);
  }
  Status make_link(Folder& from, const std::string& name, const std::string& here) override {
    CB_FAULT("make_link", below(here));
    return real_->make_link(from, name, here);
  }
  Status rename(const std::string& from, const std::string& to) override {
    CB_FAULT("rename", below(to));
    return real_->rename(from, to);
  }
  Status remove(const std::string& name) override {
    CB_FAULT("remove", below(name));
    return real_->remove(name);
  }
  Status remove_folder(const std::string& name) override {
    CB_FAULT("remove_folder", below(name));
    return real_->remove_folder(name);
  }
  Status sync() override {
    CB_FAULT("sync", path_);
    return real_->sync();
  }
  Status sync_file_system() override {
    CB_FAULT("sync_file_system", path_);
    return real_->sync_file_system();
  }
  [[nodiscard]] int fd() const override { return real_->fd(); }

 private:
  [[nodiscard]] std::string below(const std::string& name) const {
    return path_ == "/" ? path_ + name : path_ + "/" + name;
  }
  Result<std::unique_ptr<TreeFile>> wrapped(Result<std::unique_ptr<TreeFile>> opened,
                                            const std::string& name) {
    if (!opened) return opened;
    return std::make_unique<FailingFile>(std::move(*opened), fault_, below(name));
  }
};

class FailingTree final : public Tree {
 public:
  explicit FailingTree(Fault fault) : fault_(std::make_shared<const Fault>(std::move(fault))) {}
  Result<std::shared_ptr<Folder>> open(const Path& path) override {
    CB_FAULT("open", path.string());
    CB_ASSIGN(std::shared_ptr<Folder> opened, real_tree().open(path));
    return std::make_shared<FailingFolder>(std::move(opened), fault_, path.string());
  }
  Result<std::string> resolve(const Path& path) override {
    CB_FAULT("resolve", path.string());
    return real_tree().resolve(path);
  }

 private:
  std::shared_ptr<const Fault> fault_;
};

#undef CB_FAULT

}  // namespace cb::os
