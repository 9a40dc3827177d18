// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/plugin_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/units.h"

namespace cb::plugin {
namespace {

constexpr uint64_t kLargestPlugin = 256 * kMiB;

Status read_all(int fd, ByteSpan into, const std::string& object) {
  size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(fail_errno(errno, object, "reading"));
    if (n == 0) return failed(Code::busy, object, "shrank while it was read", "try again");
    done += static_cast<size_t>(n);
  }
  return {};
}

Status write_all(int fd, ByteView from, const std::string& object) {
  while (!from.empty()) {
    const ssize_t n = ::write(fd, from.data(), from.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(fail_errno(errno, object, "copying into memory"));
    from = from.subspan(static_cast<size_t>(n));
  }
  return {};
}

}  // namespace

Result<std::string> sha256_hex(ByteView content) {
  std::array<std::byte, 32> digest{};
  unsigned size = 0;
  if (EVP_Digest(content.data(), content.size(), reinterpret_cast<unsigned char*>(digest.data()),
                 &size, EVP_sha256(), nullptr) != 1 ||
      size != digest.size())
    return failed(Code::internal, "SHA-256", "the crypto library could not compute it");
  return to_hex(digest);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) ::close(fd_);
  fd_ = other.release();
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<PluginFile> PluginFile::open(const os::Path& path) {
  // Not blocking, so that a pipe lying there cannot stop the host.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 && errno == ENOENT)
    return failed(Code::not_found, "plugin " + path.string(), "there is no such file",
                  "install the plugin there, or set plugins.dir to the folder that has it");
  if (fd < 0) return failed(fail_errno(errno, "plugin " + path.string(), "opening"));
  return adopt(Descriptor(fd), path);
}

Result<PluginFile> PluginFile::adopt(Descriptor descriptor, const os::Path& path) {
  PluginFile file;
  file.path_ = path;
  file.descriptor_ = std::move(descriptor);
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) return failed(fail_errno(errno, file.object(), "looking at"));
  if (!S_ISREG(info.st_mode))
    return failed(Code::invalid, file.object(), "is not a regular file",
                  "take it out of the list of plugins to load");
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > kLargestPlugin)
    return failed(
        Code::limit, file.object(),
        "has " + format_size(size) + "; a plugin has at most " + format_size(kLargestPlugin),
        "take it out of the list of plugins to load");
  file.device_ = info.st_dev;
  file.inode_ = info.st_ino;
  file.content_.resize(size);
  CB_TRY(read_all(file.fd(), file.content_, file.object()));
  CB_ASSIGN(file.sha256_, sha256_hex(file.content_));
  return file;
}

Result<Descriptor> PluginFile::sealed_copy() const {
  Descriptor copy(::memfd_create(path_.filename().c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (copy.get() < 0) return failed(fail_errno(errno, object(), "making a copy in memory"));
  CB_TRY(write_all(copy.get(), content_, object()));
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(copy.get(), F_ADD_SEALS, kSeals) != 0)
    return failed(fail_errno(errno, object(), "sealing its copy in memory"));
  return copy;
}

}  // namespace cb::plugin
