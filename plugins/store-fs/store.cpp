// SPDX-License-Identifier: Apache-2.0
//
// See store.h.
#include "store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "cyberbackup/cpp/store.hpp"
#include "leftovers.h"
#include "modified.h"

namespace store_fs {

namespace sdk = cyberbackup::sdk;

namespace {

// Folders remembered as durable; beyond that the memory starts anew.
constexpr size_t kDurableMax = 16384;

sdk::Failure no_such_object(std::string_view name) {
  return sdk::Failure(CB_E_NOT_FOUND, "object " + std::string(name) + " does not exist", ENOENT,
                      CB_ERROR_PERMANENT);
}

uint64_t random_number(const sdk::Host& host) {
  uint64_t number = 0;
  host.random(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

}  // namespace

Store::Store(const sdk::Host& host, const sdk::Config& config)
    : host_(host), path_(config.text(kFolder)), self_(this_process()) {
  temporary_start_ = random_number(host_);
  open_root(path_, config.boolean(kCreate));
  bool made_objects = false;
  bool made_temporaries = false;
  objects_ = make_folder(root_.get(), "objects", made_objects);
  temporaries_ = make_folder(root_.get(), "tmp", made_temporaries);
  settle_layout(static_cast<size_t>(config.number(kFanOut)));
  sync(root_, path_);
  remove_leftovers(temporaries_, self_, std::chrono::nanoseconds(config.number(kLeftoverAge)),
                   host_);
}

Descriptor Store::make_temporary(std::string& name) {
  name = temporary_name(self_, temporary_start_ + temporary_count_++);
  Descriptor file(::openat(temporaries_.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file) return file;
  const int os_errno = errno;
  const std::string what = "cannot make " + path_ + "/tmp/" + name;
  name.clear();
  throw_errno(os_errno, what);
}

Descriptor Store::find_folder(const Place& place) const {
  Descriptor folder;
  for (const std::string& name : place.folders) {
    folder = open_folder(folder ? folder.get() : objects_.get(), name);
    if (!folder) break;
  }
  return folder;
}

Descriptor Store::make_folders(const Place& place) {
  Descriptor folder = open_folder(objects_.get(), ".");
  std::string below;
  for (const std::string& name : place.folders) {
    bool made = false;
    Descriptor next = make_folder(folder.get(), name, made);
    below += '/' + name;
    std::unique_lock lock(mutex_);
    const bool durable = !made && durable_.contains(below);
    lock.unlock();
    // A folder that another writer has just made is not durable either before somebody synced it.
    if (!durable) {
      sync(folder, "the folders of " + path_);
      lock.lock();
      if (durable_.size() >= kDurableMax) durable_.clear();
      durable_.insert(below);
    }
    folder = std::move(next);
  }
  return folder;
}

void Store::publish(const std::string& from, const std::string& name, bool if_absent) {
  const Place place = place_of(name, fan_out_);
  const Descriptor folder = make_folders(place);
  if (!rename_file(temporaries_.get(), from, folder.get(), place.file, if_absent))
    throw sdk::Failure(CB_E_EXISTS, "object " + name + " exists already", EEXIST,
                       CB_ERROR_PERMANENT);
  sync(folder, "object " + name);
}

Descriptor Store::open_object(std::string_view name, struct ::stat& info) const {
  const Place place = place_of(name, fan_out_);
  const Descriptor folder = find_folder(place);
  if (!folder) throw no_such_object(name);
  // Not blocking: a pipe in the place of an object must not stop the caller.
  Descriptor file(::openat(folder.get(), place.file.c_str(),
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ENOENT) throw no_such_object(name);
  if (!file || ::fstat(file.get(), &info) != 0)
    throw_errno(errno, "cannot open object " + std::string(name));
  if (!S_ISREG(info.st_mode)) throw_errno(ELOOP, "cannot open object " + std::string(name));
  return file;
}

void Store::stat(std::string_view name, cb_object& out) {
  struct ::stat info {};
  const Descriptor file = open_object(name, info);
  sdk::set_object(out, name, static_cast<uint64_t>(info.st_size), modified_ns(info));
}

std::unique_ptr<Put> Store::put_begin(std::string_view name, uint64_t, uint32_t flags) {
  return std::make_unique<Put>(*this, std::string(name), (flags & CB_PUT_IF_ABSENT) != 0);
}

std::unique_ptr<Get> Store::get_open(std::string_view name, uint64_t offset, uint64_t length) {
  struct ::stat info {};
  Descriptor file = open_object(name, info);
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (offset > size || length > size - offset)
    throw sdk::Failure(CB_E_LIMIT,
                       "object " + std::string(name) + " has only " + std::to_string(size) +
                           " bytes, wanted " + std::to_string(length) + " from " +
                           std::to_string(offset),
                       0, CB_ERROR_PERMANENT);
  return std::make_unique<Get>(std::move(file), std::string(name), offset,
                               length == 0 ? size - offset : length);
}

void Store::remove(std::string_view name) {
  const Place place = place_of(name, fan_out_);
  const Descriptor folder = find_folder(place);
  if (!folder) throw no_such_object(name);
  if (::unlinkat(folder.get(), place.file.c_str(), 0) != 0) {
    if (errno == ENOENT) throw no_such_object(name);
    throw_errno(errno, "cannot remove object " + std::string(name));
  }
  sync(folder, "the removal of object " + std::string(name));
}

std::unique_ptr<List> Store::list_open(std::string_view prefix, std::string_view after) {
  return std::make_unique<List>(objects_.get(), fan_out_, std::string(prefix), std::string(after));
}

void Store::space(cb_space& out) {
  struct statvfs info {};
  if (::fstatvfs(root_.get(), &info) != 0)
    throw_errno(errno, "cannot ask for the space of " + path_);
  out.total = uint64_t{info.f_blocks} * info.f_frsize;
  out.free = uint64_t{info.f_bavail} * info.f_frsize;
}

}  // namespace store_fs
