// SPDX-License-Identifier: Apache-2.0
//
// How a store is found or made: its folder, and the file that says how names are laid out. See
// store.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "cyberbackup/cpp/failure.hpp"
#include "store.h"

namespace store_fs {

namespace sdk = cyberbackup::sdk;

namespace {

constexpr const char* kLayoutFile = "layout";
constexpr std::string_view kLayoutStart = "store-fs ";
constexpr unsigned kFormat = 1;

int open_path(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// Makes a folder and those above it, each durable in its parent.
void make_path(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
  Descriptor above(open_path(parent));
  if (!above && errno == ENOENT && parent != "/") {
    make_path(parent);
    above = Descriptor(open_path(parent));
  }
  if (!above) throw_errno(errno, "cannot open folder " + parent);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw_errno(errno, "cannot make folder " + path);
  sync(above, parent);
}

std::string without_end_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// The whole of a small file; nothing when it does not exist.
bool read_small(int folder, const char* name, std::string& text) {
  const Descriptor file(::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file && errno == ENOENT) return false;
  if (!file) throw_errno(errno, std::string("cannot open ") + name);
  std::array<char, 256> buffer{};
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  if (got < 0) throw_errno(errno, std::string("cannot read ") + name);
  text.assign(buffer.data(), static_cast<size_t>(got));
  return true;
}

struct Written {
  unsigned format = 0;
  size_t fan_out = 0;
};

// Reads "store-fs FORMAT\nfan_out N\n". A newer format need not have the second line.
bool parse(std::string_view text, Written& found) {
  constexpr std::string_view kFanOutStart = "fan_out ";
  if (!text.starts_with(kLayoutStart)) return false;
  text.remove_prefix(kLayoutStart.size());
  const auto format = std::from_chars(text.data(), text.data() + text.size(), found.format);
  if (format.ec != std::errc{}) return false;
  if (found.format > kFormat) return true;
  text.remove_prefix(static_cast<size_t>(format.ptr - text.data()));
  if (!text.starts_with('\n')) return false;
  text.remove_prefix(1);
  if (!text.starts_with(kFanOutStart)) return false;
  text.remove_prefix(kFanOutStart.size());
  const auto fan_out = std::from_chars(text.data(), text.data() + text.size(), found.fan_out);
  return fan_out.ec == std::errc{} && found.fan_out >= 1 && found.fan_out <= kMaxFanOut;
}

}  // namespace

void Store::open_root(const std::string& path, bool create) {
  root_ = Descriptor(open_path(path));
  if (!root_ && errno == ENOENT && create) {
    make_path(without_end_slashes(path));
    root_ = Descriptor(open_path(path));
  }
  if (!root_) throw_errno(errno, "cannot open the store's folder " + path);
}

void Store::write_layout(size_t fan_out) {
  std::string temporary;
  Descriptor file = make_temporary(temporary);
  const std::string text = std::string(kLayoutStart) + std::to_string(kFormat) + "\nfan_out " +
                           std::to_string(fan_out) + "\n";
  const ssize_t wrote = ::write(file.get(), text.data(), text.size());
  const int os_errno = wrote < 0 ? errno : ENOSPC;
  if (wrote != static_cast<ssize_t>(text.size())) {
    ::unlinkat(temporaries_.get(), temporary.c_str(), 0);
    throw_errno(os_errno, "cannot write " + path_ + "/" + kLayoutFile);
  }
  sync(file, path_ + "/" + kLayoutFile);
  // Another process may have been first: then its word holds.
  if (!rename_file(temporaries_.get(), temporary, root_.get(), kLayoutFile, true))
    ::unlinkat(temporaries_.get(), temporary.c_str(), 0);
}

void Store::settle_layout(size_t fan_out) {
  std::string text;
  if (!read_small(root_.get(), kLayoutFile, text)) {
    write_layout(fan_out);
    read_small(root_.get(), kLayoutFile, text);
  }
  const std::string file = path_ + "/" + kLayoutFile;
  Written found;
  if (!parse(text, found))
    throw sdk::Failure(CB_E_CORRUPT,
                       file +
                           " does not describe a store-fs store: bring the file back from a copy, "
                           "or, where this is the store's folder and its options are what they "
                           "were, remove the file, which is then written anew",
                       0, CB_ERROR_PERMANENT);
  if (found.format > kFormat)
    throw sdk::Failure(CB_E_UNSUPPORTED,
                       path_ + " was made by a newer store-fs: format " +
                           std::to_string(found.format) + ", this one knows " +
                           std::to_string(kFormat),
                       0, CB_ERROR_PERMANENT);
  if (found.fan_out != fan_out)
    throw sdk::Failure(CB_E_INVALID,
                       path_ + " was made with fan_out = " + std::to_string(found.fan_out) +
                           ", the option says " + std::to_string(fan_out),
                       0, CB_ERROR_PERMANENT);
  fan_out_ = found.fan_out;
}

}  // namespace store_fs
