// SPDX-License-Identifier: Apache-2.0
#include "core/rescue/pack_source.h"

#include <filesystem>

namespace cb::rescue {
namespace {

using repository::PackBytes;

constexpr unsigned kDeepest = 64;  // folders in each other

class FileBytes final : public PackBytes {
 public:
  FileBytes(std::unique_ptr<os::File> file, uint64_t size) : file_(std::move(file)), size_(size) {}

  [[nodiscard]] uint64_t size() const override { return size_; }
  Status read(uint64_t offset, ByteSpan into) override {
    while (!into.empty()) {
      CB_ASSIGN(const size_t got, file_->read_at(into, offset));
      if (got == 0) return failed(Code::corrupt, "file", "became shorter while it was read");
      offset += got;
      into = into.subspan(got);
    }
    return {};
  }

 private:
  std::unique_ptr<os::File> file_;
  uint64_t size_;
};

class FolderSource final : public PackSource {
 public:
  FolderSource(os::FileSystem& files, os::Path folder, std::function<void(const Error&)> trouble)
      : files_(files), folder_(std::move(folder)), trouble_(std::move(trouble)) {}

  Status each(const std::function<Status(const std::string&)>& visit) override {
    CB_ASSIGN(const os::FileInfo info, files_.info(folder_));
    if (info.is_regular()) return visit("");
    return go_through("", 0, visit);
  }

  [[nodiscard]] Result<std::unique_ptr<PackBytes>> open(const std::string& name) const override {
    CB_ASSIGN(std::unique_ptr<os::File> file, files_.open(path_of(name), os::Open::read));
    CB_ASSIGN(const os::FileInfo info, file->info());
    return std::make_unique<FileBytes>(std::move(file), info.size);
  }

  [[nodiscard]] std::string place_of(const std::string& name) const override {
    return path_of(name).string();
  }

 private:
  [[nodiscard]] os::Path path_of(const std::string& name) const {
    return name.empty() ? folder_ : folder_ / name;
  }

  Status go_through(const std::string& below, unsigned depth,
                    const std::function<Status(const std::string&)>& visit) {
    const auto names = files_.list(path_of(below));
    if (!names && depth == 0) return failed(names.error());
    if (!names || depth > kDeepest) {
      trouble_(names ? fail(Code::limit, path_of(below).string(), "lies too deep") : names.error());
      return {};
    }
    std::error_code ignored;
    for (const std::string& name : *names) {
      const std::string path = below.empty() ? name : below + "/" + name;
      // A link may lead out of the folder, or round and round.
      if (std::filesystem::is_symlink(std::filesystem::symlink_status(path_of(path), ignored)))
        continue;
      const auto info = files_.info(path_of(path));
      if (!info)
        trouble_(info.error());
      else if (info->is_folder())
        CB_TRY(go_through(path, depth + 1, visit));
      else if (info->is_regular())
        CB_TRY(visit(path));
    }
    return {};
  }

  os::FileSystem& files_;
  os::Path folder_;
  std::function<void(const Error&)> trouble_;
};

class StoreSource final : public PackSource {
 public:
  StoreSource(plugin::Store store, std::string place)
      : store_(std::move(store)), place_(std::move(place)) {}

  Status each(const std::function<Status(const std::string&)>& visit) override {
    CB_ASSIGN(plugin::List list, store_.list_open());
    for (;;) {
      CB_ASSIGN(const auto object, list.next());
      if (!object) return {};
      CB_TRY(visit(object->name));
    }
  }

  [[nodiscard]] Result<std::unique_ptr<PackBytes>> open(const std::string& name) const override {
    CB_ASSIGN(repository::StoredPack pack, repository::StoredPack::open(store_, name));
    return std::make_unique<repository::StoredPack>(std::move(pack));
  }

  [[nodiscard]] std::string place_of(const std::string& name) const override {
    return place_ + ":" + name;
  }

 private:
  mutable plugin::Store store_;  // thread-safe
  std::string place_;
};

Status go_on(const Stopped& stopped) {
  if (!stopped()) return {};
  return failed(Code::cancelled, "reading", "was interrupted");
}

class StoppableBytes final : public PackBytes {
 public:
  StoppableBytes(std::unique_ptr<PackBytes> bytes, const Stopped& stopped)
      : bytes_(std::move(bytes)), stopped_(stopped) {}

  [[nodiscard]] uint64_t size() const override { return bytes_->size(); }
  Status read(uint64_t offset, ByteSpan into) override {
    CB_TRY(go_on(stopped_));
    return bytes_->read(offset, into);
  }

 private:
  std::unique_ptr<PackBytes> bytes_;
  const Stopped& stopped_;
};

class StoppableSource final : public PackSource {
 public:
  StoppableSource(std::unique_ptr<PackSource> source, Stopped stopped)
      : source_(std::move(source)), stopped_(std::move(stopped)) {}

  Status each(const std::function<Status(const std::string&)>& visit) override {
    return source_->each(visit);
  }
  [[nodiscard]] Result<std::unique_ptr<PackBytes>> open(const std::string& name) const override {
    CB_TRY(go_on(stopped_));
    CB_ASSIGN(auto bytes, source_->open(name));
    return std::make_unique<StoppableBytes>(std::move(bytes), stopped_);
  }
  [[nodiscard]] std::string place_of(const std::string& name) const override {
    return source_->place_of(name);
  }

 private:
  std::unique_ptr<PackSource> source_;
  Stopped stopped_;
};

}  // namespace

std::unique_ptr<PackSource> stoppable_source(std::unique_ptr<PackSource> source, Stopped stopped) {
  if (!stopped) return source;
  return std::make_unique<StoppableSource>(std::move(source), std::move(stopped));
}

std::unique_ptr<PackSource> folder_source(os::FileSystem& files, os::Path folder,
                                          std::function<void(const Error&)> trouble) {
  return std::make_unique<FolderSource>(files, std::move(folder), std::move(trouble));
}

std::unique_ptr<PackSource> store_source(plugin::Store store, std::string place) {
  return std::make_unique<StoreSource>(std::move(store), std::move(place));
}

}  // namespace cb::rescue
